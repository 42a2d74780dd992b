;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Questions on one connection, one at a time and many ahead: how fast a
;;; request gets to the database and back.  The client is a small program, so
;;; that next to nothing of the time is its own.  The floor is what two small
;;; programs need to exchange as many bytes, one request at a time: mostly, to
;;; wake up a processor that sleeps.  Where all others are busy, the two sides
;;; share one that does not.
;;; Code:

(define-module (tests bench queries)
  #:use-module (fruix client)
  #:use-module (fruix process)
  #:use-module ((fruix store layout) #:select (layout-socket))
  #:use-module (ice-9 rdelim)
  #:use-module ((ice-9 threads) #:select (current-processor-count))
  #:use-module (srfi srfi-1)
  #:use-module (tests bench daemon)
  #:use-module (tests bench figures)
  #:use-module (tests daemon-support)
  #:export (bench-queries))

(define (program-rate name . arguments)
  "Return the number that the program NAME prints for ARGUMENTS."
  (let* ((ends (pipe))
         (file (program name))
         (process (spawn-process file (cons file arguments)
                                 #:output (cdr ends))))
    (close-port (cdr ends))
    (let ((line (read-line (car ends))))
      (close-port (car ends))
      (unless (zero? (wait-process process))
        (error "program failed" name arguments))
      (string->number line))))

(define (query-rate daemon ahead number path shape)
  "Return how many times a second DAEMON answers request NUMBER about PATH by
a reply of the given SHAPE, which requests.cc explains, when AHEAD requests
are sent before the first reply is read."
  (program-rate "requests" (layout-socket (daemon-layout daemon))
                (number->string (scaled 100000)) (number->string ahead)
                (number->string number) path shape))

(define (floor-rate path)
  "Return how often a second as many bytes are exchanged as to ask whether
PATH is valid."
  (program-rate "bounce" (number->string (scaled 100000))
                (number->string (+ 16 (* 8 (ceiling-quotient
                                            (string-length path) 8))))
                "16"))

(define (add-chain daemon count)
  "Add COUNT items to the store, each referring to all before; return the
last."
  (first (fold (lambda (n items)
                 (cons (add-text-to-store daemon (format #f "item-~a" n) ""
                                          items)
                       items))
               '()
               (iota count))))

(define (call-beside-busy-processors thunk)
  "Call THUNK while a program keeps busy each processor but one."
  (let ((programs (map (lambda (_)
                         (spawn-process "sh" '("sh" "-c"
                                               "while :; do :; done")))
                       (iota (max 1 (- (current-processor-count) 1))))))
    (dynamic-wind
      (const #t)
      thunk
      (lambda ()
        (for-each (lambda (process)
                    (kill-process process SIGKILL)
                    (wait-process process))
                  programs)))))

(define (bench-queries)
  "Report how many questions a second one connection can ask."
  (compare-daemons
   (lambda (connection daemon)
     (let ((item (add-text-to-store connection "item" "contents"))
           (referrer (add-chain connection 20)))
       (cons*
        (figure "valid-path? on one connection"
                (query-rate daemon 1 1 item "i") "/s"
                (floor-rate item))
        (call-beside-busy-processors
         (lambda ()
           (figure "valid-path? on one connection, beside busy processors"
                   (query-rate daemon 1 1 item "i") "/s"
                   (floor-rate item))))
        (figure "valid-path? on one connection, 64 ahead"
                (query-rate daemon 64 1 item "i") "/s")
        (map (lambda (name number item shape)
               (figure (string-append name " on one connection")
                       (query-rate daemon 1 number item shape)
                       "/s"))
             '("references, none" "references, 19"
               "query-path-info, 19 references")
             '(5 5 26)
             (list item referrer referrer)
             '("l" "l" "sslii")))))))
