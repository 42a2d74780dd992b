;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Text of hashes: base16 and the store's base32.

(use-modules (fruix base16)
             (fruix base32)
             (fruix errors)
             (ice-9 match)
             (rnrs bytevectors)
             (srfi srfi-64))

(define (vectors)
  (call-with-input-file (string-append (getenv "abs_top_srcdir")
                                       "/tests/vectors/base32.scm")
    read))

(test-begin "base32")

(for-each
 (match-lambda
   ((hex base32)
    (let ((bytes (base16-string->bytevector hex)))
      (test-equal (string-append "encode " hex) base32
        (bytevector->nix-base32-string bytes))
      (test-equal (string-append "decode " base32) bytes
        (nix-base32-string->bytevector base32))
      (test-equal (string-append "base16 of " hex) hex
        (bytevector->base16-string bytes)))))
 (vectors))

(test-equal "every size up to a SHA-512, there and back" #t
  (let loop ((size 0))
    (or (> size 64)
        (let ((bytes (make-bytevector size)))
          (do ((i 0 (+ i 1)))
              ((= i size))
            (bytevector-u8-set! bytes i (modulo (* 151 (+ i size)) 256)))
          (and (equal? bytes (nix-base32-string->bytevector
                              (bytevector->nix-base32-string bytes)))
               (loop (+ size 1)))))))

(define (refusal proc text)
  (with-exception-handler fruix-error-message
    (lambda () (proc text) #f)
    #:unwind? #t
    #:unwind-for-type &fruix-error))

(for-each (match-lambda
            ((text message)
             (test-equal (string-append "base32: " text) message
               (refusal nix-base32-string->bytevector text))))
          '(("e0" "invalid base32 character #\\e in \"e0\"")
            ("A0" "invalid base32 character #\\A in \"A0\"")
            ("λ0" "invalid base32 character #\\λ in \"λ0\"")
            ("0-" "invalid base32 character #\\- in \"0-\"")
            ;; Bits beyond the first byte.
            ("zz" "\"zz\" is not the base32 of a whole number of bytes")
            ;; No whole byte.
            ("0" "\"0\" is not the base32 of a whole number of bytes")))

(for-each (match-lambda
            ((text message)
             (test-equal (string-append "base16: " text) message
               (refusal base16-string->bytevector text))))
          '(("0" "odd number of hexadecimal digits in \"0\"")
            ("0g" "invalid hexadecimal digit #\\g in \"0g\"")
            ("AB" "invalid hexadecimal digit #\\A in \"AB\"")
            ("λλ" "invalid hexadecimal digit #\\λ in \"λλ\"")
            ("-1" "invalid hexadecimal digit #\\- in \"-1\"")))

(test-end "base32")
