;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Octet strings keep every byte; text crosses as UTF-8.

(use-modules (fruix octets)
             (rnrs bytevectors)
             (srfi srfi-64))

(define all-bytes
  (u8-list->bytevector (iota 256)))

(test-begin "octets")

(test-equal "every byte, there and back" all-bytes
  (octets->bytevector (bytevector->octets all-bytes)))
(test-equal "a character is a byte" (map integer->char (iota 256))
  (string->list (bytevector->octets all-bytes)))
(test-equal "empty" '("" #vu8())
  (list (bytevector->octets #vu8()) (octets->bytevector "")))
(test-equal "the bytevector is not shared" "a"
  (let* ((bytes (bytevector-copy #vu8(97)))
         (octets (bytevector->octets bytes)))
    (bytevector-u8-set! bytes 0 98)
    octets))
(test-equal "a wide string of narrow characters" #vu8(97 233)
  (octets->bytevector (substring "λa\xe9" 1)))
(test-equal "a character that is not a byte" 'out-of-range
  (catch #t
    (lambda () (octets->bytevector "λ"))
    (lambda (key . _) key)))

(test-equal "text becomes UTF-8" "\xce\xbb!" (text->octets "λ!"))
(test-equal "UTF-8 becomes text" "λ!" (octets->text "\xce\xbb!"))
(test-equal "bytes that are not UTF-8" "a?b"
  (octets->text "a\xffb"))
(test-equal "a character cut short" "a?" (octets->text "a\xce"))
(test-equal "parts can be replaced" '("x.yx.y" "" "abc")
  (list (octets-replace "abab" "ab" "x.y") (octets-replace "ab" "ab" "")
        (octets-replace "abc" "d" "x")))

(test-end "octets")
