;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The operation that takes in items which another store has exported.
;;;
;;; 1. An item needs a signature over just what came, by an authorized key,
;;;    whoever the client is.
;;; 2. It bears its name only after that; one that is refused leaves nothing
;;;    behind, those before it stay.
;;; 3. The client sends only what it is asked for.  So after an error inside
;;;    of the data the session can go on; what came and was not used is
;;;    dropped, as is what follows the end in the same message.
;;; Code:

(define-module (fruix session import)
  #:use-module (fruix agent authenticate)
  #:use-module (fruix errors)
  #:use-module (fruix hash)
  #:use-module (fruix protocol wire)
  #:use-module (fruix session archives)
  #:use-module (fruix session client)
  #:use-module (fruix session trailer)
  #:use-module (fruix store)
  #:use-module (ice-9 binary-ports)
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 match)
  #:use-module (rnrs bytevectors)
  #:export (import-paths))

;; Bytes of an archive that are taken at once.
(define %chunk-size (expt 2 18))

(define (archive-feeder client port)
  "Return a procedure that gives a restorer the archive that comes next on
PORT, on behalf of CLIENT."
  (define chunk (make-bytevector %chunk-size))
  (define (read)
    (values chunk (get-bytevector-some! port chunk 0 %chunk-size)))
  (lambda (restorer)
    (take-archive port restorer read
                  (lambda (bytes size)
                    (restore! client restorer bytes size)))))

(define (read-signature port path)
  (unless (= 1 (read-int port))
    (fail "imported archive of `~a' lacks a signature" path))
  (read-octets port))

(define (verify client hash signature path)
  "Fail unless SIGNATURE is one of HASH, a bytevector, by an authorized key."
  (unless (equal? hash (verify-signature (client-agents client) signature))
    (fail "imported archive of `~a' is corrupt: it is not what was signed"
          path)))

(define (read-description client port hash)
  "Read from PORT what follows an archive, whose HASH is in progress, and
return it if its signature is right."
  (match (read-trailer port)
    ((and description (path references deriver))
     (hash-update! hash (trailer path references deriver))
     (let ((signature (read-signature port path)))
       (verify client (hash-digest! hash) signature path)
       (send-text client (string-append "importing path `" path "'") 1)
       description))))

(define (import-all client port)
  "Import all items that come on PORT; return the list of their paths."
  (define feed (archive-feeder client port))
  (define (describe hash)
    (read-description client port hash))
  (let loop ((paths '()))
    (match (read-long port)
      (0 (reverse paths))
      (1 (loop (cons (import-item! (client-store client) feed describe)
                     paths)))
      (_ (fail "what is imported is not a list of exported items")))))

(define (import-paths client)
  "Make the items valid that @var{client} sends as data, as they were exported
from another store, and return the list of their paths, in the same order.
Raise a @code{&fruix-error} if one of them lacks a signature by an authorized
key, is not what was signed, or refers to items that are not valid; those
before it have been imported then."
  (call-with-data-source client
    (lambda (port)
      (import-all client port))))
