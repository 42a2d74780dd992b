;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What a derivation needs in order to be built.
;;; Code:

(define-module (fruix build inputs)
  #:use-module (fruix build job)
  #:use-module (fruix derivation)
  #:use-module (fruix store)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:export (input-closure))

(define (input-closure job)
  "Return all the items that the builder of @var{job} may see."
  (define store (job-store job))
  (define input-outputs
    (match-lambda
      ((drv . names)
       (let ((outputs (derivation-output-table (read-derivation store drv))))
         (filter-map (lambda (name) (hash-ref outputs name)) names)))))
  (closure store
           (append (append-map input-outputs
                               (derivation-inputs (job-derivation job)))
                   (derivation-sources (job-derivation job)))))
