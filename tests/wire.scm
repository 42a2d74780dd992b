;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; The encodings of the worker protocol, and what is refused while reading.

(use-modules (fruix protocol wire)
             (ice-9 binary-ports)
             (ice-9 exceptions)
             (ice-9 match)
             (rnrs bytevectors)
             (srfi srfi-64))

(define (encoded write . arguments)
  "Return what WRITE puts on a port, as a list of bytes."
  (call-with-values open-bytevector-output-port
    (lambda (port bytes)
      (apply write port arguments)
      (bytevector->u8-list (bytes)))))

(define (decoded read bytes . arguments)
  "Return what READ finds in BYTES, a list."
  (apply read (open-bytevector-input-port (u8-list->bytevector bytes))
         arguments))

(define (verdict read bytes . arguments)
  "Return 'refused, 'closed or, if it is wrongly accepted, the value of
BYTES."
  (guard (condition ((connection-closed? condition) 'closed)
                    ((protocol-violation? condition) 'refused))
    (apply decoded read bytes arguments)))

(define (word . bytes)
  (append bytes (make-list (- 8 (length bytes)) 0)))

(test-begin "wire")

(test-equal "int" (word 1 2) (encoded write-int #x201))
(test-equal "int keeps the low 32 bits" (word 255 255 255 255)
  (encoded write-int (- (expt 2 64) 1)))
(test-equal "long" '(0 0 0 0 0 0 0 128) (encoded write-long (expt 2 63)))
(test-equal "long, read" (expt 2 63)
  (decoded read-long '(0 0 0 0 0 0 0 128)))
(test-equal "boolean" '(#f #t #t)
  (map (lambda (bytes) (decoded read-boolean bytes))
       (list (word 0) (word 1) (word 2))))
(test-equal "string" (append (word 3) (word 97 98 99))
  (encoded write-octets "abc"))
(test-equal "string of 8 bytes has no padding"
  (append (word 8) '(1 2 3 4 5 6 7 8))
  (encoded write-bytes #vu8(1 2 3 4 5 6 7 8)))
(test-equal "a wide string of narrow characters"
  (append (word 2) (word 97 233))
  (encoded write-octets (substring "λa\xe9" 1)))
(test-equal "a wide string" 'encoding-error
  (catch #t
    (lambda () (encoded write-octets-list '("a" "λ")))
    (lambda (key . _) key)))
(test-equal "strings of many sizes, there and back" '()
  (filter (lambda (size)
            (let ((octets (string-tabulate
                           (lambda (i) (integer->char (modulo i 256)))
                           size)))
              (not (equal? octets
                           (decoded read-octets
                                    (encoded write-octets octets))))))
          '(0 1 7 8 9 4088 4089 4095 4096 4097 65536)))
(test-equal "part of a bytevector" (append (word 2) (word 2 3))
  (encoded write-bytes #vu8(1 2 3 4) 1 2))
(test-equal "string with NUL and high bytes" "a\x00\xff;"
  (decoded read-octets (encoded write-octets "a\x00\xff;")))
(test-equal "list of strings" '("" "b" "a")
  (decoded read-octets-list (encoded write-octets-list '("" "b" "a"))))
(test-equal "pairs" '(("a" . "1") ("b" . ""))
  (decoded read-octets-pairs
           (encoded write-octets-pairs '(("a" . "1") ("b" . "")))))
(test-equal "no more pairs are read than anybody can mean" '(16 refused)
  (map (lambda (count)
         (match (verdict read-octets-pairs
                         (encoded write-octets-pairs
                                  (make-list count
                                             (cons (make-string 32 #\n)
                                                   (make-string 65000 #\v)))))
           ((pairs ...) (length pairs))
           (verdict verdict)))
       '(16 17)))

(test-equal "int with a high byte" 'refused
  (verdict read-int '(0 0 0 0 1 0 0 0)))
(test-equal "non-zero padding" 'refused
  (verdict read-octets (append (word 1) (word 97 1))))
(test-equal "non-zero padding of a long string" 'refused
  (verdict read-octets (append (word 1 16) (make-list 4104 1))))
(test-equal "a string whose padding is missing" '(closed closed)
  (map (lambda (size)
         (verdict read-octets
                  (append (word (modulo size 256) (quotient size 256))
                          (make-list size 97))))
       '(3 4099)))
(test-equal "string over the limit" 'refused
  (verdict read-octets (encoded write-octets "abc") 2))
(test-equal "string of 2^63 bytes" 'refused
  (verdict read-octets '(0 0 0 0 0 0 0 128)))
(test-equal "string of 2^32 - 1 bytes" 'refused
  (verdict read-octets '(255 255 255 255 0 0 0 0)))
(test-equal "list of 2^32 - 1 items" 'refused
  (verdict read-octets-list '(255 255 255 255 0 0 0 0)))
(test-equal "list over the caller's limit" 'refused
  (verdict read-list (encoded write-octets-list '("a" "b")) read-octets 1))

(test-equal "end inside an integer" 'closed (verdict read-int '(1 0 0)))
(test-equal "end at once" 'closed (verdict read-int '()))
(test-equal "end inside a string" 'closed
  (verdict read-octets (append (word 9) (word 1))))
(test-equal "end inside the padding" 'closed
  (verdict read-octets (append (word 9) '(1 2 3 4 5 6 7 8 9 0))))

(test-assert "announced bytes take no memory until they come"
  (let ((gigabyte (ash 1 30)))
    (gc)
    (let ((before (assq-ref (gc-stats) 'heap-total-allocated)))
      (verdict read-octets (word 0 0 0 64) gigabyte)
      (< (- (assq-ref (gc-stats) 'heap-total-allocated) before)
         (ash gigabyte -6)))))

(test-equal "a string longer than one step arrives whole" 200001
  (string-length
   (decoded read-octets (encoded write-bytes (make-bytevector 200001 120))
            200001)))

(test-end "wire")
