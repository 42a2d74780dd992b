;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What a daemon would have to build, as far as a client can know.
;;; Code:

(define-module (fruix client plan)
  #:use-module (fruix client connection)
  #:use-module (fruix client queries)
  #:use-module (fruix derivation)
  #:use-module ((fruix store path) #:select (derivation-path?))
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:export (derivation-file-outputs
            derivations-to-build))

(define (derivation-file-outputs connection file)
  "Return the outputs of the derivation in the store as @var{file}: an alist
from names to store file names."
  (map (lambda (output)
         (cons (derivation-output-name output)
               (derivation-output-path output)))
       (derivation-outputs (read-derivation-file connection file))))

(define (missing? connection file outputs)
  "Return true if one of OUTPUTS, a list of names or #f for all, of the
derivation FILE is not there."
  (any (match-lambda
         ((name . path)
          (and (or (not outputs) (member name outputs))
               (not (valid-path? connection path)))))
       (derivation-file-outputs connection file)))

(define (derivations-to-build connection things)
  "Return those .drv files that must be built to have @var{things}, which are
as for @code{build-things}: each once, inputs first.  Substitutes are not
considered."
  (define seen (make-hash-table))
  (define (visit file outputs result)
    (if (or (hash-ref seen file) (not (missing? connection file outputs)))
        result
        (begin
          (hash-set! seen file #t)
          (cons file
                (fold (match-lambda*
                        (((input . outputs) result)
                         (visit input outputs result)))
                      result
                      (derivation-inputs
                       (read-derivation-file connection file)))))))
  (reverse
   (fold (lambda (thing result)
           (match (string-split thing #\!)
             ((file names) (visit file (string-split names #\,) result))
             ((file) (if (derivation-path? file)
                         (visit file #f result)
                         result))))
         '() things)))
