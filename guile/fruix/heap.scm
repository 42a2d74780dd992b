;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; How often this process collects garbage, and what it keeps then.
;;;
;;; Guile has a collection begin when a third of the heap has been allocated.
;;; Each goes through all that is alive, in a daemon mostly its code: with
;;; less memory to spare than a builder writes in a tenth of a second, it is
;;; collecting for a good part of its time.
;;;
;;; What a collection has freed stays with the process, until it is given back.
;;; Code:

(define-module (fruix heap)
  #:use-module (ice-9 atomic)
  #:use-module (system foreign)
  #:export (collect-rarely!
            give-back-memory!
            heap-large?))

(define (collector-procedure name . types)
  "Return the procedure called NAME of the Boehm-Demers-Weiser collector, whose
arguments are of TYPES."
  (pointer->procedure void (dynamic-func name (dynamic-link)) types))

(define (collect-rarely!)
  "Let the heap of this process double before garbage is collected
(GC_set_free_space_divisor of the Boehm-Demers-Weiser collector)."
  ((collector-procedure "GC_set_free_space_divisor" unsigned-long) 1))

(define (heap-size)
  (assq-ref (gc-stats) 'heap-size))

;; A heap below this many bytes is not worth the while.
(define %large (* 128 1024 1024))

;; What the first collection frees, and the second leaves alone, the third
;; gives back.
(define %collections 3)

(define %needed (make-atomic-box 0))    ;bytes of the heap after the last time

(define (heap-large?)
  "Return true if the heap of this process is large, and has doubled since
memory was last given back."
  (> (heap-size)
     (max %large (* 2 (atomic-box-ref %needed)))))

(define (give-back-memory!)
  "If the heap of this process is large, as @code{heap-large?} says, collect
garbage, and give the memory that is free then back to the system
(GC_gcollect_and_unmap).  All threads wait meanwhile."
  (when (heap-large?)
    (for-each (lambda (_) ((collector-procedure "GC_gcollect_and_unmap")))
              (iota %collections))
    (atomic-box-set! %needed (heap-size))))
