;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Plans as text for tests/plan-runner.cc, which is performed without Guile,
;;; possibly on another machine.
;;; Code:

(define-module (tests plan-support)
  #:use-module (ice-9 match)
  #:use-module (rnrs bytevectors)
  #:export (write-plan))

(define (write-argument argument)
  (if (integer? argument)
      (format #t "i ~a\n" argument)
      (format #t "s ~a ~a\n" (bytevector-length (string->utf8 argument))
              argument)))

(define (write-plan plan file)
  "Write @var{plan}, as @code{sandbox-plan} returned it, to @var{file}."
  (with-output-to-file file
    (lambda ()
      (for-each (match-lambda
                  ((phase . steps)
                   (format #t "phase ~a\n" phase)
                   (for-each (match-lambda
                               ((name . arguments)
                                (format #t "step ~a\n" name)
                                (for-each write-argument arguments)))
                             steps)))
                plan))
    #:encoding "UTF-8"))
