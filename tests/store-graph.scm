;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Liveness and the order of deletion, on graphs made of numbers; the gate.

(use-modules (fruix store gate)
             (fruix store graph)
             (fruix thread)
             (ice-9 threads)
             (srfi srfi-1)
             (srfi srfi-64))

(define (live graph . roots)
  (sort (hash-map->list (lambda (item _) item)
                        (reach! graph (make-hash-table) roots))
        <))

(test-begin "store-graph")

;; 4 -> 3 -> 1, 4 -> 2 -> 1; 5 stands alone.
(define %diamond
  (make-graph '(#(4 3) #(4 2) #(3 1) #(2 1)) '()))

(test-equal "a root keeps what it refers to, directly or not" '(1 3)
  (live %diamond 3))
(test-equal "roots together keep what each of them does" '(1 2 3 5)
  (live %diamond 2 3 5))
(test-equal "a root that has no edges keeps itself" '(5)
  (live %diamond 5))
(test-equal "without roots nothing lives" '()
  (live %diamond))

;; As with keep-derivations: the output 2 keeps the derivation 1, which refers
;; to the source 3.
(test-equal "what is kept keeps what it refers to" '(1 2 3)
  (live (make-graph '(#(1 3)) '(#(2 1))) 2))
(test-equal "edges have a direction" '(1 3)
  (live (make-graph '(#(1 3)) '(#(2 1))) 1))
(test-equal "keeping each other is no trouble" '(1 2)
  (live (make-graph '() '(#(1 2) #(2 1))) 2))

(test-equal "what lives already is not walked again, what is new is"
  '(1 2 3 4)
  (let ((live (make-hash-table)))
    (reach! %diamond live '(3))
    (reach! %diamond live '(4))
    (sort (hash-map->list (lambda (item _) item) live) <)))

(test-equal "referrers go first" '(4 2 3 1)
  (let ((order (referrers-first %diamond '(4 3 2 1))))
    (if (member order '((4 2 3 1) (4 3 2 1))) '(4 2 3 1) order)))
(test-equal "only what was asked for is in the order" '(3 1)
  (referrers-first %diamond '(1 3)))
(test-equal "those that nothing holds back go by age" '(1 2 3)
  (referrers-first (make-graph '() '()) '(3 2 1)))
(test-equal "a circle comes to an end" '(1 2)
  (sort (referrers-first (make-graph '(#(1 2) #(2 1)) '()) '(2 1)) <))

(test-assert "a chain of 100,000 items needs no stack"
  (let* ((count 100000)
         (graph (make-graph (map (lambda (n) (vector (+ n 1) n))
                                 (iota count))
                            '())))
    (and (= (+ count 1) (length (live graph count)))
         (equal? (reverse (iota (+ count 1)))
                 (referrers-first graph (iota (+ count 1)))))))

(test-equal "with an item go those that refer to it, no others" '(4 2)
  (with-referrers %diamond '(5 4 3 2 1) '(2)))
(test-equal "directly or not" '(4 3 2 1)
  (with-referrers %diamond '(5 4 3 2 1) '(1)))

;;
;; The gate.
;;

(test-equal "who wants a doomed name waits, others do not"
  '(other chosen doomed)
  (let* ((gate (make-gate))
         (events '())
         (note (lambda (event)
                 (set! events (append events (list event)))))
         (waiting (call-with-doomed gate (const '(1)) number->string
                    (lambda (chosen)
                      (call-at-gate gate '("2") (lambda () (note 'other)))
                      (let ((thread (start-thread
                                     (lambda ()
                                       (call-at-gate gate '("0" "1")
                                         (lambda () (note 'doomed)))))))
                        (usleep 50000)
                        (note 'chosen)
                        thread)))))
    (join-thread waiting)
    events))

(test-equal "a lot that failed dooms nobody" 'passed
  (let ((gate (make-gate)))
    (false-if-exception
     (call-with-doomed gate (const '("a")) identity
       (lambda (chosen) (error "no"))))
    (call-at-gate gate '("a") (const 'passed))))

(test-end "store-graph")
