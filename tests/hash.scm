;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Hash algorithms against published digests; streams; misuse.

(use-modules (fruix hash)
             (fruix primitives)
             (fruix thread)
             (ice-9 format)
             (ice-9 match)
             (ice-9 threads)
             (rnrs bytevectors)
             (srfi srfi-64)
             (tests support))

(define (hex bytevector)
  (format #f "~{~2,'0x~}" (bytevector->u8-list bytevector)))

(define %abc (string->utf8 "abc"))

;; RFC 1321, FIPS 180-4, FIPS 202, RFC 7693.
(define %digests-of-abc
  '((md5 "900150983cd24fb0d6963f7d28e17f72")
    (sha1 "a9993e364706816aba3e25717850c26c9cd0d89d")
    (sha256 "ba7816bf8f01cfea414140de5dae2223\
b00361a396177a9cb410ff61f20015ad")
    (sha512 "ddaf35a193617abacc417349ae204131\
12e6fa4e89a97ea20a9eeee64b55d39a\
2192992a274fc1a836ba3c23a3feebbd\
454d4423643ce80e2a9ac94fa54ca49f")
    (sha3-256 "3a985da74fe225b2045c172d6bd390bd\
855f086e3e9d525b46bfe24511431532")
    (sha3-512 "b751850b1a57168a5693cd924b6b096e\
08f621827444f70d884f5d0240d2712e\
10e116e9192af3c91a7ec57647e39340\
57340b4cf408d5a56592f8274eec53f0")
    (blake2s-256 "508c5e8c327c14e2e1a72ba34eeb452f\
37458b209ed63a294d999b4c86675982")))

(test-begin "hash")

(for-each (match-lambda
            ((algorithm digest)
             (test-equal (format #f "~a of abc" algorithm) digest
               (hex (bytevector-hash algorithm %abc)))
             (test-equal (format #f "size of ~a" algorithm)
               (quotient (string-length digest) 2)
               (hash-size algorithm))
             (test-eq (format #f "lookup of ~a" algorithm) algorithm
                      (lookup-hash-algorithm (symbol->string algorithm)))))
          %digests-of-abc)

(test-equal "sha256 of nothing"
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
  (hex (bytevector-hash 'sha256 #vu8())))

(test-equal "a stream in slices"
  (bytevector-hash 'sha256 %abc)
  (let ((hash (open-hash 'sha256)))
    (hash-update! hash %abc 0 1)
    (hash-update! hash %abc 1 0)
    (hash-update! hash %abc 1 2)
    (hash-digest! hash)))

(test-equal "a copy of a hash goes on by itself"
  (list (bytevector-hash 'sha256 (string->utf8 "ab"))
        (bytevector-hash 'sha256 %abc))
  (let ((hash (open-hash 'sha256)))
    (hash-update! hash %abc 0 2)
    (let ((copy (hash-copy hash)))
      (hash-update! hash %abc 2 1)
      (list (hash-digest! copy) (hash-digest! hash)))))
(test-equal "no copy of a hash that is used up" EBADF
  (let ((hash (open-hash 'sha256)))
    (hash-digest! hash)
    (errno-of (lambda () (hash-copy hash)))))

(test-eq "an unknown name" #f (lookup-hash-algorithm "sha224"))
(test-equal "an unknown algorithm" '%exception
  (key-of (lambda () (open-hash 'crc32))))
(test-equal "a slice beyond the end" 'out-of-range
  (key-of (lambda () (hash-update! (open-hash 'sha256) %abc 2 2))))
(test-equal "a hash is used up by its digest" EBADF
  (let ((hash (open-hash 'sha256)))
    (hash-digest! hash)
    (catch 'system-error
      (lambda () (hash-update! hash %abc) #f)
      (lambda arguments (system-error-errno arguments)))))
(test-equal "a hash is not any object" 'wrong-type-arg
  (key-of (lambda () (%hash-update 'hash %abc 0 1))))

(test-equal "eight threads at once"
  (make-list 8 (bytevector-hash 'sha512 (make-bytevector 100000 7)))
  (map join-thread
       (map (lambda (_)
              (start-thread
               (lambda ()
                 (bytevector-hash 'sha512 (make-bytevector 100000 7)))))
            (iota 8))))
(test-equal "nothing alive after all that" 0 (%live-requests))

(test-end "hash")
