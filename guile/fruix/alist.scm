;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Association lists in layers, as settings and environments are, and those
;;; that are graphs.
;;; Code:

(define-module (fruix alist)
  #:use-module (ice-9 match)
  #:use-module ((srfi srfi-1) #:select (remove))
  #:export (override
            inverse))

(define (override base changes)
  "Return the alist @var{base} with the pairs of @var{changes}, an alist, in
place of those with equal keys."
  (append changes
          (remove (match-lambda ((key . _) (assoc key changes)))
                  base)))

(define (inverse graph)
  "Return a hash table that maps each object in the values of the alist
@var{graph}, which are lists, to the list of keys of those that it is in."
  (define table (make-hash-table))
  (for-each (match-lambda
              ((key . objects)
               (for-each (lambda (object)
                           (hash-set! table object
                                      (cons key (hash-ref table object '()))))
                         objects)))
            graph)
  table)
