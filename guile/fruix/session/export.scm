;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The operation that sends a store item to the client: its archive, and what
;;; another store has to know to take it in.
;;; Code:

(define-module (fruix session export)
  #:use-module (fruix base16)
  #:use-module (fruix descriptors)
  #:use-module (fruix errors)
  #:use-module (fruix hash)
  #:use-module (fruix nar)
  #:use-module (fruix session queries)
  #:use-module (fruix protocol wire)
  #:use-module (fruix session client)
  #:use-module (fruix store)
  #:use-module (fruix store layout)
  #:use-module (ice-9 binary-ports)
  #:use-module (rnrs bytevectors)
  #:export (export-path))

;; What follows the archive: "NIXE".
(define %export-magic #x4558494e)

;; As much of an archive as is read at once.
(define %chunk-size 65536)

(define (copy-archive source port)
  "Write what SOURCE, a NAR source, has to give on PORT; return the SHA-256 of
it in base 16."
  (let ((hash (open-hash 'sha256))
        (chunk (make-bytevector %chunk-size)))
    (let loop ()
      (let ((count (nar-source-read! source chunk 0 %chunk-size)))
        (if (zero? count)
            (bytevector->base16-string (hash-digest! hash))
            (begin
              (hash-update! hash chunk 0 count)
              (put-bytevector port chunk 0 count)
              (loop)))))))

(define (write-archive store path port)
  "Write the archive of PATH on PORT and return its hash."
  (call-with-directory (layout-physical-store (store-layout store))
    (lambda (directory)
      (let ((source (open-nar-source directory (basename path))))
        (dynamic-wind
          (const #t)
          (lambda () (copy-archive source port))
          (lambda () (nar-source-close! source)))))))

(define (export-path client path sign?)
  "Send the item @var{path} to @var{client} as data: its archive, magic, path,
references, deriver, and no signature.  An item that is not what it was when
it became valid raises @code{&fruix-error}, and so does @var{sign?}."
  (define store (client-store client))
  (when sign?
    (fail "cannot sign the export of `~a': signing is not available" path))
  (add-temp-root! store path)
  (let ((info (query-info client path)))
    (send-text client (string-append "exporting path `" path "'") 1)
    (call-with-data-port client
      (lambda (port)
        (let ((hash (write-archive store path port)))
          (unless (string=? hash (path-info-hash info))
            (fail "`~a' has changed: its hash was ~a and is ~a"
                  path (path-info-hash info) hash))
          (write-int port %export-magic)
          (write-octets port path)
          (write-octets-list port (path-info-references info))
          (write-octets port (or (path-info-deriver info) ""))
          (write-int port 0))))))
