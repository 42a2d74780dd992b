;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Making the stand-in for Guix the one that is found.
;;; Code:

(define-module (tests agent-support)
  #:use-module (tests support)
  #:export (call-with-stand-in))

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
