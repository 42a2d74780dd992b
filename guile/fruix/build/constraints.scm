;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What a derivation allows its outputs to refer to: the variables
;;; allowedReferences, disallowedReferences, allowedRequisites and
;;; disallowedRequisites.  Pure but for the closure, which the caller gives.
;;; Code:

(define-module (fruix build constraints)
  #:use-module (fruix build job)
  #:use-module (fruix derivation)
  #:use-module (fruix store path)
  #:use-module ((ice-9 hash-table) #:select (alist->hash-table))
  #:use-module ((srfi srfi-1) #:select (any))
  #:export (check-references))

(define (specifier->item store outputs specifier)
  "Return the store item that @var{specifier}, a store path or a name in the
table @var{outputs}, stands for."
  (cond ((direct-store-path? store specifier) specifier)
        ((hash-ref outputs specifier))
        (else
         (reject 'output "invalid reference specifier `~a' in a derivation"
                 specifier))))

(define (specified-items store derivation variable)
  "Return a hash table of the items that the derivation's @var{variable} lists,
or @code{#f} if there is no such variable.  An empty value is an empty list."
  (define outputs (derivation-output-table derivation))
  (and=> (derivation-words derivation variable)
         (lambda (words)
           (alist->hash-table
            (map (lambda (word)
                   (cons (specifier->item store outputs word) #t))
                 words)))))

(define (check-items store derivation output items allowed disallowed)
  (let ((allowed (specified-items store derivation allowed))
        (disallowed (specified-items store derivation disallowed)))
    (for-each
     (lambda (item)
       (when (or (and allowed (not (hash-ref allowed item)))
                 (and disallowed (hash-ref disallowed item)))
         (reject 'output "output `~a' is not allowed to refer to path `~a'"
                 output item)))
     items)))

(define (check-references store derivation output references closure)
  "Raise a @code{&build-error} unless @var{derivation} allows its output
@var{output}, a store path, to refer to @var{references}, a list of store
paths.  The procedure @var{closure} maps such a list to its requisites, with
@var{output} itself left out."
  (define (constrained? . variables)
    (any (lambda (variable)
           (assoc variable (derivation-environment derivation)))
         variables))
  (check-items store derivation output references
               "allowedReferences" "disallowedReferences")
  (when (constrained? "allowedRequisites" "disallowedRequisites")
    (check-items store derivation output (closure references)
                 "allowedRequisites" "disallowedRequisites")))
