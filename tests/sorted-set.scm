;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Sets of strings, however large a client makes them.

(use-modules (fruix sorted-set)
             (srfi srfi-1)
             (srfi srfi-64))

(test-begin "sorted-set")

(test-equal "each once, sorted"
  '("" "A" "a" "aa" "b")
  (sorted-set '("b" "aa" "a" "" "A" "b" "aa" "")))

(test-equal "there may be none" '()
  (sorted-set '()))

;; What compares each with each does not come to an end with these.
(define %count 400000)

(define (names count)
  (map (lambda (n) (string-append "name-" (number->string n)))
       (iota count)))

(test-equal "many take no longer than reading them did" %count
  (length (sorted-set (append (names %count) (names %count)))))

(test-end "sorted-set")
