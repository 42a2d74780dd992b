;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; No child hangs, though two threads allocate and collect garbage while it
;;; is forked.

(use-modules (fruix descriptors)
             (fruix process)
             (fruix thread)
             (ice-9 match)
             (ice-9 threads)
             (srfi srfi-1)
             (srfi srfi-64))

(define %children 500)

(define (call-with-busy-threads proc)
  "Call PROC while two threads allocate and collect; return what it returned
and how often they have collected."
  (define finished? #f)
  (define (busy)
    (let loop ((collections 0))
      (if finished?
          collections
          (begin
            (make-list 10000 (make-string 10))
            (gc)
            (loop (+ collections 1))))))
  (let* ((threads (list (start-thread busy)
                        (start-thread busy)))
         (result (proc)))
    (set! finished? #t)
    (values result (reduce + 0 (map join-thread threads)))))

(define (run-child)
  "Run a child; return its exit value, or `hung' if it takes 10 s."
  (call-with-process
   (spawn-process "true" '("true"))
   (lambda (process)
     (match (poll-descriptors `((,(process-descriptor process) readable))
                              10000)
       (() 'hung)
       (_ (status:exit-val (wait-process process)))))))

(test-begin "fork-stress")

(call-with-values
    (lambda ()
      (call-with-busy-threads
       (lambda ()
         (map (lambda (_) (run-child)) (iota %children)))))
  (lambda (results collections)
    (test-equal "500 children end well" (make-list %children 0) results)
    (test-assert "meanwhile garbage was collected" (< 100 collections))))

(test-end "fork-stress")
