;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Whether a derivation is what it says it is.  Much of a .drv could be
;;; computed from the rest of it; whoever believes such a field without
;;; computing it lets the author of a .drv name outputs as he likes.
;;; Code:

(define-module (fruix derivation check)
  #:use-module (fruix derivation hash)
  #:use-module (fruix derivation text)
  #:use-module ((fruix errors) #:select (fail))
  #:use-module (fruix store path)
  #:use-module ((ice-9 hash-table) #:select (alist->hash-table))
  #:use-module (ice-9 match)
  #:use-module ((srfi srfi-1) #:select (every))
  #:export (check-derivation))

(define (check-outputs drv derivation)
  (unless (or (fixed-output-derivation? derivation)
              (every string-null? (map derivation-output-hash-field
                                       (derivation-outputs derivation))))
    (fail "derivation '~a' gives a hash, but has not just one output 'out'"
          drv)))

(define (check-inputs store drv derivation)
  (define (check-name file)
    (unless (direct-store-path? store file)
      (fail "derivation '~a' refers to '~a', which is not in the store"
            drv file)))
  (for-each check-name (derivation-sources derivation))
  (for-each (match-lambda
              ((input . _)
               (check-name input)
               (unless (derivation-path? input)
                 (fail "input '~a' of '~a' is not a derivation" input drv))))
            (derivation-inputs derivation)))

(define (check-environment drv derivation)
  (for-each (match-lambda
              ((name . _)
               (when (or (string-null? name) (string-index name #\=))
                 (fail "derivation '~a' has the invalid variable ~s"
                       drv name))))
            (derivation-environment derivation))
  ;; It is a word in build traces and in requests to the build hook.
  (unless (valid-store-name? (derivation-system derivation))
    (fail "derivation '~a' is for the invalid system ~s"
          drv (derivation-system derivation))))

;; VARIABLES are a hash table.
(define (check-output-path drv variables output path)
  (match output
    (($ <derivation-output> name given)
     (unless (string=? given path)
       (fail "derivation '~a' has incorrect output '~a', should be '~a'"
             drv given path))
     (unless (equal? path (hash-ref variables name))
       (fail "derivation '~a' has incorrect environment variable '~a', \
should be '~a'"
             drv name path)))))

(define (derivation-name store drv)
  (let ((name (store-path-name store drv)))
    (unless (and name (derivation-path? name))
      (fail "'~a' is not the file name of a derivation" drv))
    (string-drop-right name 4)))

(define (check-derivation store drv derivation lookup)
  "Check that @var{derivation}, whose file name is @var{drv}, may be
registered in @var{store}: all that could be computed from the rest of it, such
as the file names of outputs, is as computed; the hash of a fixed output is one;
and its names are such that they can be used.  @var{lookup} is as for
@code{derivation-hash-modulo}.  What is wrong raises a @code{&fruix-error}."
  (define variables
    (alist->hash-table (derivation-environment derivation)))
  (check-outputs drv derivation)
  (check-inputs store drv derivation)
  (check-environment drv derivation)
  (for-each (match-lambda*
              ((output (_ . path))
               (check-output-path drv variables output path)))
            (derivation-outputs derivation)
            (derivation-output-paths store (derivation-name store drv)
                                     derivation lookup)))
