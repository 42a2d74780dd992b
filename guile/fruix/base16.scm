;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Hexadecimal text of hashes.  Only lower-case digits are read, so that a
;;; hash has one spelling.
;;; Code:

(define-module (fruix base16)
  #:use-module ((fruix errors) #:select (fail))
  #:use-module (rnrs bytevectors)
  #:export (bytevector->base16-string
            base16-string->bytevector))

(define %digits (string->utf8 "0123456789abcdef"))

(define (bytevector->base16-string bytes)
  "Return @var{bytes}, a bytevector, as a string of lower-case hexadecimal
digits, two a byte."
  (let* ((size (bytevector-length bytes))
         (text (make-bytevector (* 2 size))))
    (do ((i 0 (+ i 1)))
        ((= i size) (utf8->string text))
      (let ((byte (bytevector-u8-ref bytes i)))
        (bytevector-u8-set! text (* 2 i)
                            (bytevector-u8-ref %digits (ash byte -4)))
        (bytevector-u8-set! text (+ (* 2 i) 1)
                            (bytevector-u8-ref %digits
                                               (logand byte 15)))))))

(define (digit-value char text)
  (cond ((char<=? #\0 char #\9) (- (char->integer char) 48))
        ((char<=? #\a char #\f) (- (char->integer char) 87))
        (else (fail "invalid hexadecimal digit ~s in ~s" char text))))

(define (base16-string->bytevector text)
  "Return the bytevector that @var{text}, a string of lower-case hexadecimal
digits, stands for.  Anything else, or an odd number of digits, raises a
@code{&fruix-error}."
  (unless (even? (string-length text))
    (fail "odd number of hexadecimal digits in ~s" text))
  (let* ((size (quotient (string-length text) 2))
         (bytes (make-bytevector size)))
    (do ((i 0 (+ i 1)))
        ((= i size) bytes)
      (bytevector-u8-set!
       bytes i
       (+ (* 16 (digit-value (string-ref text (* 2 i)) text))
          (digit-value (string-ref text (+ (* 2 i) 1)) text))))))
