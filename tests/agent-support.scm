;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Making the stand-in for Guix the one that is found, and talking to it.
;;; Code:

(define-module (tests agent-support)
  #:use-module (fruix agent pool)
  #:use-module (fruix errors)
  #:use-module (ice-9 exceptions)
  #:use-module (srfi srfi-64)
  #:use-module (tests support)
  #:export (call-with-stand-in
            item
            call-with-pool
            noting
            kind-of
            test-refused))

(define (call-with-stand-in proc)
  "Call @var{proc} with the file name of the stand-in for Guix, of which the
environment says that it is Guix meanwhile."
  (call-with-temporary-directory
   (lambda (directory)
     (let ((program (string-append directory "/guix")))
       (call-with-output-file program
         (lambda (port)
           (format port "#!/bin/sh~%exec '~a' --no-auto-compile \
'~a/tests/stand-in-guix.scm' \"$@\"~%"
                   (getenv "GUILE") (getenv "abs_top_srcdir"))))
       (chmod program #o755)
       (dynamic-wind
         (lambda () (setenv "GUIX" program))
         (lambda () (proc program))
         (lambda () (unsetenv "GUIX")))))))

(define (item name)
  "Return a store path whose name is @var{name}."
  (string-append "/gnu/store/" (make-string 32 #\a) "-" name))

(define* (call-with-pool proc #:key (files '()) (environment '()))
  "Call @var{proc} with a pool of agents, which is closed afterwards; the
keywords are those of @code{make-agent-pool}."
  (let ((pool (make-agent-pool #:files files #:environment environment)))
    (dynamic-wind
      (const #t)
      (lambda () (proc pool))
      (lambda () (close-agent-pool! pool)))))

(define (noting proc)
  "Call @var{proc} with a procedure that notes; return its value and the notes."
  (let* ((notes '())
         (value (proc (lambda (line) (set! notes (cons line notes))))))
    (list value (reverse notes))))

(define (kind-of thunk)
  "Return the kind of the build error that @var{thunk} raises."
  (guard (exception ((build-error? exception) (build-error-kind exception)))
    (thunk)
    #f))

;; Check that BODY raises an error whose text has FRAGMENT in it.
(define-syntax-rule (test-refused name fragment body ...)
  (test-assert name
    (let ((text (message-of (lambda () body ...))))
      (and text (or (string-contains text fragment)
                    (pk 'text text #f))))))
