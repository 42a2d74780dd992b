;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Adding items: texts, and trees that come as archives.
;;;
;;; 1. What comes is unpacked and hashed in one pass, in the staging
;;;    directory.
;;; 2. Only then its store path is known; that is made a temporary root, and
;;;    locked.
;;; 3. If the item is valid, the data is dropped; else it is renamed, and
;;;    registered.
;;; Code:

(define-module (fruix store adding)
  #:use-module (fruix base16)
  #:use-module ((fruix derivation) #:select (string->derivation))
  #:use-module (fruix errors)
  #:use-module (fruix hash)
  #:use-module (fruix nar)
  #:use-module (fruix octets)
  #:use-module ((fruix protocol wire) #:select (write-octets))
  #:use-module (fruix sorted-set)
  #:use-module (fruix store derivations)
  #:use-module (fruix store handle)
  #:use-module ((fruix store lock) #:select (call-with-path-lock))
  #:use-module (fruix store path)
  #:use-module (fruix store path-info)
  #:use-module ((fruix store query) #:select (valid-path?))
  #:use-module ((fruix store registration)
                #:select (call-withdrawing register-item!))
  #:use-module (fruix store staging)
  #:use-module ((ice-9 binary-ports) #:select (open-bytevector-output-port))
  #:use-module (rnrs bytevectors)
  #:export (add-text!
            call-with-store-restorer

            open-staged-restorer
            check-references
            outputs-of-text
            publish!))

(define (open-staged-restorer store name . options)
  "Return a restorer of an archive as @var{name} in the staging directory of
@var{store}.  @var{options} are those of @code{open-nar-restorer}."
  (let ((staging (store-staging store)))
    (apply open-nar-restorer (staging-descriptor staging) name
           #:links-fd (staging-links-descriptor staging)
           options)))

(define (restore! store name feed options)
  "Unpack the archive that @var{feed} supplies as @var{name} in the staging
directory of @var{store}; return its @code{<nar-result>}.  @var{options} are
those of @code{open-nar-restorer}."
  (let ((restorer (apply open-staged-restorer store name options)))
    (on-failure (lambda () (nar-restorer-close! restorer))
      (lambda () (feed restorer)))
    (nar-restorer-finish! restorer)))

(define* (publish! store name path result
                   #:key deriver (references '()) (outputs '())
                   (call-locked call-with-path-lock))
  "Make @var{name} in the staging directory of @var{store}, of which
@var{result} is the @code{<nar-result>}, the valid item @var{path}, unless
that is valid.  @var{deriver} is its deriver or @code{#f}, @var{references}
its references, @var{outputs} those of the derivation that it is; and
@var{call-locked} does what @code{call-with-path-lock} does."
  (let ((staging (store-staging store))
        (info (path-info path
                         (bytevector->base16-string (nar-result-hash result))
                         (nar-result-size result)
                         #:references references #:deriver deriver)))
    (add-temp-root! store path)
    (call-locked store path
      (lambda ()
        (unless (valid-path? store path)
          (call-withdrawing store (list path)
            (lambda ()
              (move-into-store! staging name path)
              (register-item! store info outputs))))))))


;;
;; Texts.
;;

(define (encoded . tokens)
  (call-with-values open-bytevector-output-port
    (lambda (port bytes)
      (apply write-octets port tokens)
      (bytes))))

;; What an archive has before and after the contents of its only file.
(define %before
  (encoded "nix-archive-1" "(" "type" "regular" "contents"))
(define %after (encoded ")"))

(define (file-archive contents)
  "Return, as a bytevector, the archive of a file with @var{contents}."
  (let* ((size (bytevector-length contents))
         (start (+ (bytevector-length %before) 8))
         (end (+ start (* 8 (ceiling-quotient size 8))))
         (archive (make-bytevector (+ end (bytevector-length %after)) 0)))
    (bytevector-copy! %before 0 archive 0 (bytevector-length %before))
    (bytevector-u64-set! archive (- start 8) size (endianness little))
    (bytevector-copy! contents 0 archive start size)
    (bytevector-copy! %after 0 archive end (bytevector-length %after))
    archive))

(define (outputs-of-text store path contents)
  "Return the outputs of the derivation that the bytevector @var{contents} is,
as @code{checked-outputs} does, if @var{path} is the name of one; else
@code{()}."
  (if (derivation-path? path)
      (checked-outputs store path
                       (string->derivation (bytevector->octets contents)))
      '()))

(define (check-references store references)
  "Raise a @code{&fruix-error} unless @var{references} are valid items of
@var{store}: early, before anything is written."
  (for-each (lambda (reference)
              (unless (valid-path? store reference)
                (fail "path `~a' is not valid" reference)))
            references))

(define (add-text! store name contents references)
  "Add a file with @var{contents}, a bytevector, to @var{store} under
@var{name}, a string, as an item that refers to @var{references}, a list of
valid items, and return its path.  If the name ends in @file{.drv}, the
contents must be a derivation that tells its outputs right.  The item is a
temporary root afterwards.  Raise a @code{&fruix-error}, having written
nothing, if the name, a reference or the derivation is not as it must be."
  (let* ((references (sorted-set references))
         (path (text-path (store-directory store) name
                          (bytevector-hash 'sha256 contents) references)))
    (add-temp-root! store path)
    (unless (valid-path? store path)
      (let ((outputs (outputs-of-text store path contents))
            (archive (file-archive contents)))
        (check-references store references)
        (call-with-staged (store-staging store)
          (lambda (staged)
            (publish! store staged path
                      (restore! store staged
                                (lambda (restorer)
                                  (call-naming path
                                    (lambda ()
                                      (nar-restore! restorer archive))))
                                '())
                      #:references references
                      #:outputs outputs)))))
    path))


;;
;; Archives.
;;

(define* (call-with-store-restorer store name proc
                                   #:key (recursive? #t) (algorithm 'sha256))
  "Add the tree whose archive @var{proc} supplies to @var{store} under
@var{name}, a string, and return its path.  @var{proc} is called with a
restorer, to which it gives the archive with @code{nar-restore!}, until
@code{nar-restorer-done?}; what it returns is ignored.  The path follows from
the hash by @var{algorithm}, a symbol, of the archive; without
@var{recursive?}, of the contents of the regular file that it must be.  The
item has no references, and is a temporary root afterwards.

Only when the archive has been taken in, an invalid @var{name} raises a
@code{&fruix-error}.  So does an invalid archive, as soon as it is seen.  What
@var{proc} raises passes through.  In all these cases nothing remains."
  (call-with-staged (store-staging store)
    (lambda (staged)
      (let* ((plain? (and recursive? (eq? algorithm 'sha256)))
             (result (restore! store staged proc
                               (if plain?
                                   '()
                                   `(#:hash-algorithm ,algorithm
                                     #:flat? ,(not recursive?)))))
             (path (fixed-output-path (store-directory store) name
                                      recursive? algorithm
                                      (if plain?
                                          (nar-result-hash result)
                                          (nar-result-digest result)))))
        (publish! store staged path result)
        path))))
