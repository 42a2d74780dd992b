;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Sets of strings as sorted lists, the form in which references and inputs
;;; are written down.  How many strings there are is often for a client or a
;;; server to say: so this takes little more time than reading them did.
;;; Code:

(define-module (fruix sorted-set)
  #:export (sorted-set))

(define (sorted-set strings)
  "Return the list @var{strings} sorted by code point and without duplicates."
  (let loop ((left (sort strings string>?)) (set '()))
    (cond ((null? left) set)
          ((and (pair? set) (string=? (car left) (car set)))
           (loop (cdr left) set))
          (else (loop (cdr left) (cons (car left) set))))))
