;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; The messages of the control protocol, and the text that is none.

(use-modules (fruix control wire)
             (ice-9 binary-ports)
             (ice-9 match)
             (rnrs bytevectors)
             (srfi srfi-64))

(define (received text . arguments)
  "Return the body of the message in TEXT."
  (apply read-message (open-bytevector-input-port (string->utf8 text))
         'fruix-control arguments))

(define (sent body)
  (call-with-values open-bytevector-output-port
    (lambda (port bytes)
      (write-message port 'fruix-control body)
      (utf8->string (bytes)))))

(define (deep count)
  (string-append (make-string count #\() (make-string count #\))))

(test-begin "control-wire")

(test-equal "request" '(ps) (received "(fruix-control (version 0) (ps))\n"))
(test-equal "message as written" "(fruix-control (version 0) (ps (pid 12)))\n"
  (sent '(ps (pid 12))))
(let ((body '(log-file "/a b" "a\"b\\c" "two\nlines" 0 12 () (()) "λ")))
  (test-equal "any datum comes back" body (received (sent body))))
(test-assert "end" (eof-object? (received "")))

(for-each
 (match-lambda
   ((name text)
    (test-equal name #f (received text))))
 `(("another head" "(guix (version 0) (ps))\n")
   ("another version" "(fruix-control (version 1) (ps))\n")
   ("two bodies" "(fruix-control (version 0) (ps) (ps))\n")
   ("no newline" "(fruix-control (version 0) (ps))")
   ("not closed" "(fruix-control (version 0) (ps)\n")
   ("closed too often" "(fruix-control (version 0) (ps)))\n")
   ("string not closed" "(fruix-control (version 0) (ps \"a))\n")
   ("string ends in an escape" "(fruix-control (version 0) (ps \"a\\\n")
   ("read syntax" "(fruix-control (version 0) (ps #e1e999999999))\n")
   ("quotation" "(fruix-control (version 0) 'ps)\n")
   ("huge number" ,(string-append "(fruix-control (version 0) ("
                                  (make-string 1000 #\9) "))\n"))
   ("empty line" "\n")
   ("NUL" "(fruix-control (version 0) (ps\x00))\n")))

(test-equal "longer than the limit" #f
  (received "(fruix-control (version 0) (ps))\n" 20))
(test-equal "nested ever deeper" #f
  (received (string-append (deep 2000) "\n")))
(test-assert "nested deeply, where it is allowed"
  (text->datum (deep 100000)))

(test-end "control-wire")
