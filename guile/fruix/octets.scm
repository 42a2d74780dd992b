;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Octet strings: strings in which each character is one byte, as Latin-1.
;;;
;;; What comes over the wire, from a derivation or from the database has no
;;; declared encoding, and must be given back unharmed.  As an octet string it
;;; is, at a byte a character in memory, and the string procedures work on it:
;;; 'string=?' compares bytes, 'string<?' sorts in byte order.  Text for
;;; people is ordinary strings; the two meet here only.  ASCII is the same in
;;; both.
;;; Code:

(define-module (fruix octets)
  #:use-module (fruix primitives)
  #:use-module ((ice-9 iconv) #:select (bytevector->string))
  #:use-module (ice-9 match)
  #:use-module (rnrs bytevectors)
  #:export (octets->bytevector
            bytevector->octets
            text->octets
            octets->text
            octets-replace))

(define (octets->bytevector octets)
  "Return a fresh bytevector with the bytes of @var{octets}, an octet string.
A character above 255 raises an out-of-range error."
  ;; Strings with larger characters than bytes are held in another form.
  (unless (= 1 (string-bytes-per-char octets))
    (check-octets octets))
  (%octets->bytes octets))

(define (check-octets string)
  "Raise an error unless all characters of STRING are bytes."
  (string-for-each (lambda (char)
                     (when (char>? char #\xff)
                       (scm-error 'out-of-range "octets->bytevector"
                                  "not a byte: ~s" (list char) (list char))))
                   string))

(define (bytevector->octets bytes)
  "Return an octet string with the bytes of @var{bytes}, a bytevector."
  (%bytes->octets bytes))

(define (ascii? string)
  (let ((size (string-length string)))
    (let loop ((i 0))
      (or (= i size)
          (and (< (char->integer (string-ref string i)) 128)
               (loop (+ i 1)))))))

(define (text->octets text)
  "Return the UTF-8 encoding of @var{text}, a string, as an octet string."
  (if (ascii? text)
      text
      (bytevector->octets (string->utf8 text))))

(define (octets->text octets)
  "Return the text whose UTF-8 encoding is @var{octets}, an octet string, with
@code{?} in place of what is not UTF-8."
  (if (ascii? octets)
      octets
      (string-map (lambda (char) (if (char=? char #\xfffd) #\? char))
                  (bytevector->string (octets->bytevector octets)
                                      "UTF-8" 'substitute))))

(define (octets-replace octets from to)
  "Return @var{octets}, an octet string, with @var{to} in all places of
@var{from}."
  (let loop ((start 0) (parts '()))
    (match (string-contains octets from start)
      (#f
       (string-concatenate-reverse (cons (substring octets start) parts)))
      (index
       (loop (+ index (string-length from))
             (cons* to (substring octets start index) parts))))))
