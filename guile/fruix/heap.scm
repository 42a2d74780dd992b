;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; How often this process collects garbage.
;;;
;;; Guile has a collection begin when a third of the heap has been allocated.
;;; Each goes through all that is alive, in a daemon mostly its code: with
;;; less memory to spare than a builder writes in a tenth of a second, it is
;;; collecting for a good part of its time.
;;; Code:

(define-module (fruix heap)
  #:use-module (system foreign)
  #:export (collect-rarely!))

(define (collect-rarely!)
  "Let the heap of this process double before garbage is collected
(GC_set_free_space_divisor of the Boehm-Demers-Weiser collector)."
  ((pointer->procedure void
                       (dynamic-func "GC_set_free_space_divisor"
                                     (dynamic-link))
                       (list unsigned-long))
   1))
