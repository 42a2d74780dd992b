;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The derivations of a store: valid ones, and ones that want to be.  By
;;; whichever route a .drv enters the store, it is checked before.
;;; Code:

(define-module (fruix store derivations)
  #:use-module (fruix derivation)
  #:use-module (fruix errors)
  #:use-module (fruix store derivation-file)
  #:use-module (fruix store handle)
  #:use-module ((fruix store query) #:select (valid-path?))
  #:export (read-derivation
            derivation-hash
            checked-outputs
            checked-outputs-of-files))

(define (check-valid store path)
  (unless (valid-path? store path)
    (fail "path `~a' is not valid" path)))

(define (read-derivation store drv)
  "Return the @code{<derivation>} that @var{drv}, a valid item of @var{store},
holds.  Raise a @code{&fruix-error} if it is not valid, or no derivation."
  (check-valid store drv)
  (read-derivation-file (store-layout store) drv))

(define (derivation-hash store drv)
  "Return the hash modulo fixed outputs, a bytevector, of the derivation
@var{drv}, a valid item of @var{store}.  It is remembered while @var{store} is
open."
  (check-valid store drv)
  ((store-derivation-hashes store) drv))

(define* (checked-outputs store drv derivation
                          #:key (lookup (lambda (input)
                                          (derivation-hash store input))))
  "Check that @var{derivation} may be registered in @var{store} as @var{drv},
a store path, and return its outputs: an association list of names and store
paths.  @var{lookup} gives the hashes of its inputs, which by default must be
valid.  Raise a @code{&fruix-error} if it lies."
  (check-derivation (store-directory store) drv derivation lookup)
  (map (lambda (output)
         (cons (derivation-output-name output)
               (derivation-output-path output)))
       (derivation-outputs derivation)))

(define (checked-outputs-of-files store drvs)
  "Return a hash table that gives for each of @var{drvs}, store paths whose
files are in place and which are to become valid together in @var{store}, what
@code{checked-outputs} returns for it.  They may be inputs of each other."
  (define layout (store-layout store))
  (define table (make-hash-table))
  (define lookup-among-them
    (hash-modulo-lookup
     (lambda (drv)
       (unless (hash-get-handle table drv)
         (check-valid store drv))
       (read-derivation-file layout drv))))
  (define (lookup input)
    (if (hash-get-handle table input)
        (lookup-among-them input)
        (derivation-hash store input)))
  (for-each (lambda (drv) (hash-set! table drv #f)) drvs)
  (for-each (lambda (drv)
              (let ((derivation (read-derivation-file layout drv)))
                (hash-set! table drv
                           (checked-outputs store drv derivation
                                            #:lookup lookup))))
            drvs)
  table)
