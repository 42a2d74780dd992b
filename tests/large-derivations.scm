;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Derivations that are large, or many, which anybody may have made: they take
;;; neither for ever nor all memory.

(use-modules (fruix derivation)
             (rnrs bytevectors)
             (srfi srfi-64)
             (tests support))

(define store "/gnu/store")

(test-begin "large-derivations")

;; What compares each output with each variable does not come to an end.
(test-equal "as many outputs as there can be" (list 65536 #f)
  (call-with-values
      (lambda ()
        (make-derivation store "x" "/gnu/store/x" '()
                         #:outputs (map number->string (iota 65536))))
    (lambda (derivation drv text)
      (list (hash-count (const #t) (derivation-output-table derivation))
            (message-of
             (lambda () (check-derivation store drv derivation
                                          (const #f))))))))

(define (chain size)
  "Return a procedure to read any of SIZE derivations, each an input of the
next."
  (lambda (file)
    (let ((number (string->number (string-drop file 1))))
      (string->derivation
       (format #f "Derive([(\"out\",\"/o\",\"\",\"\")],[~a],[],\"\",\"\",\
[],[])"
               (if (zero? number)
                   ""
                   (format #f "(\"/~a\",[\"out\"])" (- number 1))))))))

(test-equal "a long chain of inputs" 32
  (bytevector-length ((hash-modulo-lookup (chain 9000)) "/9000")))
(test-equal "a chain too long is an error"
  "chain of derivations too deep, at /1999"
  (message-of (lambda () ((hash-modulo-lookup (chain 12000)) "/12000"))))

;; What is cut out of a string keeps all of it.
(test-assert "what is remembered of derivations does not keep their text"
  (let ((lookup (hash-modulo-lookup (chain 100)))
        (size (* 8 1024 1024)))
    (for-each (lambda (i)
                (let ((text (string-append "/" (number->string i)
                                           (make-string size #\space))))
                  (lookup (substring text 0
                                     (string-index text #\space)))))
              (iota 60))
    (gc)
    (let ((statistics (gc-stats)))
      (< (- (assq-ref statistics 'heap-size)
            (assq-ref statistics 'heap-free-size))
         (* 20 size)))))

(test-equal "not all that was ever seen is remembered" '(2 2 4 8)
  (let* ((reads 0)
         (read (chain 10))
         (lookup (hash-modulo-lookup (lambda (file)
                                       (set! reads (+ reads 1))
                                       (read file))
                                     #:limit 3)))
    (map (lambda (file)
           (lookup file)
           reads)
         '("/1" "/1" "/3" "/3"))))

(test-end "large-derivations")
