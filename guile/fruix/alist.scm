;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Association lists in layers: settings, environments.
;;; Code:

(define-module (fruix alist)
  #:use-module (ice-9 match)
  #:use-module ((srfi srfi-1) #:select (remove))
  #:export (override))

(define (override base changes)
  "Return the alist @var{base} with the pairs of @var{changes}, an alist, in
place of those with equal keys."
  (append changes
          (remove (match-lambda ((key . _) (assoc key changes)))
                  base)))
