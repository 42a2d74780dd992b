;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; 'fruix doctor': what this system can do for builds, and what it lacks.
;;; Code:

(define-module (fruix scripts doctor)
  #:use-module (fruix doctor)
  #:use-module (fruix scripts support)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:export (main))

(define %help "\
Usage: fruix doctor [OPTION]…
Say what this system, and the user who asks, can do for builds, and what is
missing: lines of the form NAME=VALUE, NAME=yes, NAME=no (REASON), or
NAME=unknown (REASON).  The last one is 'builds'; the exit code is 0 if they
can run, 1 if not.
")

(define display-fact
  (match-lambda
    ((name . answer) (format #t "~a=~a~%" name (answer->text answer)))))

(define (main arguments)
  "Say what this system can do; @var{arguments} is a list of strings.  Return
the exit code."
  (run-command
   "fruix doctor" arguments '() %help
   (lambda (options rest)
     (unless (null? rest)
       (usage-error "unexpected argument '~a'" (car rest)))
     (let ((facts (doctor-facts)))
       (for-each display-fact facts)
       (match (last facts)
         (("builds" . answer) (if (yes? answer) 0 1)))))
   #:daemon? #f))
