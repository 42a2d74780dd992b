;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Importing: items that another store has exported, whose paths, references
;;; and derivers do not follow from what is in them, and which somebody has to
;;; vouch for.
;;;
;;; 1. What comes is unpacked and hashed in one pass, in the staging
;;;    directory.
;;; 2. It gets its name only after the caller has vouched for it, and if all
;;;    of its references are valid and it is, if a derivation, a right one.
;;; Code:

(define-module (fruix store importing)
  #:use-module ((fruix derivation text) #:select (%maximum-derivation-size))
  #:use-module (fruix errors)
  #:use-module (fruix nar)
  #:use-module (fruix sorted-set)
  #:use-module (fruix store adding)
  #:use-module (fruix store handle)
  #:use-module ((fruix store lock) #:select (call-with-path-lock))
  #:use-module (fruix store path)
  #:use-module ((fruix store query) #:select (valid-path?))
  #:use-module (fruix store staging)
  #:use-module (ice-9 binary-ports)
  #:use-module (ice-9 match)
  #:export (import-item!))

(define (outputs-of-staged store path name result)
  "Return the outputs of the derivation NAME in the staging directory, of
which RESULT is the <nar-result>, if PATH is the name of one."
  (if (derivation-path? path)
      (begin
        (unless (and (eq? 'regular (nar-result-type result))
                     (<= (nar-result-size result) %maximum-derivation-size))
          (fail "`~a' is not a derivation" path))
        (outputs-of-text store path
                         (call-with-input-file
                             (staged-file (store-staging store) name)
                           get-bytevector-all #:binary #t)))
      '()))

(define (locked-by-parent? path)
  "Return true if who started this process has locked PATH for it."
  (member path (string-tokenize (or (getenv "NIX_HELD_LOCKS") ""))))

(define (call-with-own-lock store path thunk)
  (if (locked-by-parent? path)
      (thunk)
      (call-with-path-lock store path thunk)))

(define (item-name? store path)
  "Return true if PATH is what a new item of STORE can be called."
  (and (direct-store-path? (store-directory store) path)
       (and=> (store-path-name (store-directory store) path)
              valid-store-name?)))

(define (publish-imported! store name result path references deriver)
  "Make NAME in the staging directory the item PATH, as it was described."
  (unless (item-name? store path)
    (fail "`~a' cannot be the name of an item" path))
  (check-references store (delete path references))
  (publish! store name path result
            #:references references
            #:deriver (and deriver
                           (direct-store-path? (store-directory store)
                                               deriver)
                           (valid-path? store deriver)
                           deriver)
            #:outputs (outputs-of-staged store path name result)
            #:call-locked call-with-own-lock))

(define (import-item! store feed describe)
  "Add an item that was exported from another store to @var{store}, and return
its path.  @var{feed} is called with a restorer, to which it gives the archive
with @code{nar-restore!}, until @code{nar-restorer-done?}; then @var{describe}
with a SHA-256 in progress, to which the archive has been added.  It returns a
list of the item's path, the list of its references, and its deriver or
@code{#f}, for which it vouches.  The deriver is forgotten unless it is valid.
If the item is valid already, its data is dropped.  It is a temporary root
afterwards; its lock is not taken if the environment variable
@env{NIX_HELD_LOCKS}, names with blanks between them, says that it is held.

What @var{feed} and @var{describe} raise passes through.  Raise a
@code{&fruix-error} if the archive is invalid, if a reference is not valid, or
if a derivation has other outputs than follow from it.  In all these cases
nothing remains."
  (call-with-staged (store-staging store)
    (lambda (name)
      (let* ((restorer (open-staged-restorer store name))
             (description
              (on-failure (lambda () (nar-restorer-close! restorer))
                (lambda ()
                  (feed restorer)
                  (describe (nar-restorer-hash restorer)))))
             (result (nar-restorer-finish! restorer)))
        (match description
          ((path references deriver)
           (publish-imported! store name result path
                              (sorted-set references) deriver)
           path))))))
