;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The operation that sends a store item to the client: its archive, and what
;;; another store has to know to take it in.
;;; Code:

(define-module (fruix session export)
  #:use-module (fruix agent authenticate)
  #:use-module (fruix base16)
  #:use-module (fruix descriptors)
  #:use-module (fruix errors)
  #:use-module (fruix hash)
  #:use-module (fruix nar)
  #:use-module (fruix protocol wire)
  #:use-module (fruix session client)
  #:use-module (fruix session queries)
  #:use-module (fruix session trailer)
  #:use-module (fruix store)
  #:use-module (fruix store layout)
  #:use-module (ice-9 binary-ports)
  #:use-module (rnrs bytevectors)
  #:export (export-path))

;; As much of an archive as is read at once.
(define %chunk-size (expt 2 18))

(define (copy-archive source port hash)
  "Write what SOURCE, a NAR source, has to give on PORT, and add it to HASH."
  (let ((chunk (make-bytevector %chunk-size)))
    (let loop ()
      (let ((count (nar-source-read! source chunk 0 %chunk-size)))
        (unless (zero? count)
          (hash-update! hash chunk 0 count)
          (put-bytevector port chunk 0 count)
          (loop))))))

(define (write-archive store path port hash)
  "Write the archive of PATH on PORT, and add it to HASH."
  (call-with-directory (layout-physical-store (store-layout store))
    (lambda (directory)
      (let ((source (open-nar-source directory (basename path))))
        (dynamic-wind
          (const #t)
          (lambda () (copy-archive source port hash))
          (lambda () (nar-source-close! source)))))))

(define (check-hash info hash)
  "Fail unless HASH, in progress, is that of the archive that INFO knows."
  (let ((actual (bytevector->base16-string
                 (hash-digest! (hash-copy hash)))))
    (unless (string=? actual (path-info-hash info))
      (fail "`~a' has changed: its hash was ~a and is ~a"
            (path-info-path info) (path-info-hash info) actual))))

(define (secret-key store)
  "Return the name of the file with the secret key to sign exports with, which
nobody else may read."
  (let* ((file (string-append (layout-configuration-directory
                               (store-layout store))
                              "/signing-key.sec"))
         (status (stat file #f)))
    (unless status
      (fail "there is no key to sign exports with, `~a'" file))
    (unless (zero? (logand #o077 (stat:perms status)))
      (fail "the secret key `~a' can be used by others than its owner" file))
    file))

(define (write-signature client hash key port)
  "Write the signature with the key in the file KEY, or with #f that there is
none, of what has been added to HASH on PORT."
  (if key
      (begin
        (write-int port 1)
        (write-octets port (sign-hash (client-agents client) key
                                      (hash-digest! hash))))
      (write-int port 0)))

(define (export-path client path sign?)
  "Send the item @var{path} to @var{client} as data: its archive, magic, path,
references, deriver, and, if @var{sign?} is true, a signature of all these
with the secret key of this machine.  Raise a @code{&fruix-error} for an item
that is not what it was when it became valid, and if it cannot be signed."
  (define store (client-store client))
  (add-temp-root! store path)
  (let ((info (query-info client path))
        (key (and sign? (secret-key store)))
        (hash (open-hash 'sha256)))
    (send-text client (string-append "exporting path `" path "'") 1)
    (call-with-data-port client
      (lambda (port)
        (write-archive store path port hash)
        (check-hash info hash)
        (let ((trailer (trailer path (path-info-references info)
                                (path-info-deriver info))))
          (hash-update! hash trailer)
          (put-bytevector port trailer))
        (write-signature client hash key port)))))
