;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The base32 of store file names.  It has its own alphabet (digits and lower
;;; case letters without e, o, t and u) and its own order: counted from the
;;; end of the text, digit N holds bits 5N to 5N+4 of the bytes read as one
;;; little-endian number.
;;; Code:

(define-module (fruix base32)
  #:use-module ((fruix errors) #:select (fail))
  #:use-module (rnrs bytevectors)
  #:export (bytevector->nix-base32-string
            nix-base32-string->bytevector
            %nix-base32-digits))

(define %alphabet (string->utf8 "0123456789abcdfghijklmnpqrsvwxyz"))

;; A set, since 'string-every' calls no procedure for each of its members.
(define %nix-base32-digits (string->char-set (utf8->string %alphabet)))

(define %values
  ;; The value of each ASCII character, or 255.
  (let ((values (make-bytevector 128 255)))
    (do ((i 0 (+ i 1)))
        ((= i 32) values)
      (bytevector-u8-set! values (bytevector-u8-ref %alphabet i) i))))

(define (character-value char)
  (let ((code (char->integer char)))
    (if (< code 128)
        (bytevector-u8-ref %values code)
        255)))

(define (bytevector->nix-base32-string bytes)
  "Return @var{bytes}, a bytevector, in the base32 of store file names: a
string of as many digits as cover 8 bits a byte with 5 bits each, e.g. 32
digits for 20 bytes and 52 for 32."
  (let* ((size (bytevector-length bytes))
         (digits (quotient (+ (* 8 size) 4) 5))
         (text (make-bytevector digits)))
    (define (byte i)
      (if (< i size) (bytevector-u8-ref bytes i) 0))
    (do ((n 0 (+ n 1)))
        ((= n digits) (utf8->string text))
      (let* ((bit (* 5 n))
             (i (ash bit -3))
             (pair (logior (byte i) (ash (byte (+ i 1)) 8)))
             (value (logand 31 (ash pair (- (logand bit 7))))))
        (bytevector-u8-set! text (- digits n 1)
                            (bytevector-u8-ref %alphabet value))))))

(define (nix-base32-string->bytevector text)
  "Return the bytevector that @var{text}, a string in the base32 of store file
names, stands for.  A character outside the alphabet, or bits that lie beyond
the last whole byte and are not zero, raise a @code{&fruix-error}."
  (let* ((digits (string-length text))
         (size (quotient (* 5 digits) 8))
         (bytes (make-bytevector (+ size 1) 0)))
    (define (add! i bits)
      (bytevector-u8-set! bytes i
                          (logior (bytevector-u8-ref bytes i) bits)))
    (do ((n 0 (+ n 1)))
        ((= n digits))
      (let* ((value (character-value (string-ref text (- digits n 1))))
             (bit (* 5 n))
             (i (ash bit -3))
             (pair (ash value (logand bit 7))))
        (when (> value 31)
          (fail "invalid base32 character ~s in ~s"
                (string-ref text (- digits n 1)) text))
        (add! i (logand pair 255))
        (when (> pair 255)
          (add! (min size (+ i 1)) (ash pair -8)))))
    (unless (and (zero? (bytevector-u8-ref bytes size))
                 (= digits (quotient (+ (* 8 size) 4) 5)))
      (fail "~s is not the base32 of a whole number of bytes" text))
    (let ((result (make-bytevector size)))
      (bytevector-copy! bytes 0 result 0 size)
      result)))
