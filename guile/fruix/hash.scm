;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Hashes of byte strings and of streams.  An algorithm is one of the symbols
;;; that derivations and the protocol use as words: md5, sha1, sha256, sha512,
;;; sha3-256, sha3-512, blake2s-256.
;;; Code:

(define-module (fruix hash)
  #:use-module (fruix errors)
  #:use-module (fruix primitives)
  #:use-module (rnrs bytevectors)
  #:export (lookup-hash-algorithm
            hash-size
            bytevector-hash

            open-hash
            hash-update!
            hash-copy
            hash-digest!))

;; Algorithm and size of its digest in bytes.
(define %algorithms
  '((md5 . 16)
    (sha1 . 20)
    (sha256 . 32)
    (sha512 . 64)
    (sha3-256 . 32)
    (sha3-512 . 64)
    (blake2s-256 . 32)))

(define (lookup-hash-algorithm name)
  "Return the symbol of the hash algorithm called @var{name}, a string, or
@code{#f} if there is none."
  (let ((algorithm (string->symbol name)))
    (and (assq algorithm %algorithms) algorithm)))

(define (hash-size algorithm)
  "Return the size in bytes of digests under @var{algorithm}, a symbol."
  (or (assq-ref %algorithms algorithm)
      (fail "unknown hash algorithm '~a'" algorithm)))

(define (open-hash algorithm)
  "Return a new hash in progress under @var{algorithm}, a symbol.  It serves
one thread at a time."
  (hash-size algorithm)                           ;raises if unknown
  (%open-hash (symbol->string algorithm)))

(define* (hash-update! hash bytevector #:optional (start 0)
                       (count (- (bytevector-length bytevector) start)))
  "Add to @var{hash} the @var{count} bytes of @var{bytevector} from
@var{start}; by default all of them."
  (%hash-update hash bytevector start count))

(define (hash-copy hash)
  "Return a hash in progress to which all was added that was added to
@var{hash}: a way to know the digest of what came so far, and to go on."
  (%hash-copy hash))

(define (hash-digest! hash)
  "Return the digest of all that was added to @var{hash}, a bytevector, and
close @var{hash}."
  (%hash-digest hash))

(define (bytevector-hash algorithm bytevector)
  "Return the digest of @var{bytevector} under @var{algorithm}, a symbol, as a
bytevector."
  (let ((hash (open-hash algorithm)))
    (hash-update! hash bytevector)
    (hash-digest! hash)))
