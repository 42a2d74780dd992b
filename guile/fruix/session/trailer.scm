;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What follows the archive of an exported item: all that another store has
;;; to know of it.  A signature, if there is one, covers the archive and this.
;;; Code:

(define-module (fruix session trailer)
  #:use-module (fruix errors)
  #:use-module (fruix protocol wire)
  #:use-module ((ice-9 binary-ports) #:select (open-bytevector-output-port))
  #:export (trailer
            read-trailer))

;; "NIXE".
(define %magic #x4558494e)

(define (trailer path references deriver)
  "Return the trailer, a bytevector, of the item @var{path} with
@var{references}, a list of paths, and @var{deriver}, a path or @code{#f}."
  (call-with-values open-bytevector-output-port
    (lambda (port bytes)
      (write-int port %magic)
      (write-octets port path)
      (write-octets-list port references)
      (write-octets port (or deriver ""))
      (bytes))))

(define (read-trailer port)
  "Read the trailer that comes next on @var{port}, and return a list of what
was given to @code{trailer}.  Raise a @code{&fruix-error} if there is none, a
@code{&protocol-violation} if it is malformed."
  (unless (= %magic (read-int port))
    (fail "what is imported is not what a store has exported"))
  (let* ((path (read-octets port))
         (references (read-octets-list port))
         (deriver (read-octets port)))
    (list path references
          (and (not (string-null? deriver))
               deriver))))
