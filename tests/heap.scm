;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; The heap of a process: what was needed once is given back.

(use-modules (fruix heap)
             (rnrs bytevectors)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests support))

(define %mebibyte (expt 2 20))

(define (heap-size)
  (quotient (assq-ref (gc-stats) 'heap-size) %mebibyte))

(define (fill-heap mebibytes)
  "Need so much memory for a moment, and return the size of the heap then."
  (let* ((filling (map (lambda (_) (make-bytevector 65536 1))
                       (iota (* 16 mebibytes))))
         (size (heap-size)))
    (and (every bytevector? filling) size)))

(test-begin "heap")

(define (collections thunk)
  "Return how many collections THUNK makes."
  (define (times) (assq-ref (gc-stats) 'gc-times))
  (let ((before (times)))
    (thunk)
    (- (times) before)))

(test-equal "a small heap is left alone" 0
  (collections give-back-memory!))

(test-equal "memory is given back" '(#t #t)
  (let ((filled (fill-heap 400)))
    (give-back-memory!)
    (list (>= filled 400)
          (< (heap-size) 100))))

(define needed (make-bytevector (* 200 %mebibyte) 1))
(give-back-memory!)

(test-equal "not again before the heap has doubled" 0
  (begin
    (fill-heap 100)
    (collections give-back-memory!)))
(test-assert "but then"
  (begin
    (fill-heap 400)
    (positive? (collections give-back-memory!))))
(test-equal "what is needed stays" 1
  (bytevector-u8-ref needed 0))

(test-end "heap")
