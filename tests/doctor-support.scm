;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Running 'fruix doctor' as different users, in different surroundings.
;;; Code:

(define-module (tests doctor-support)
  #:use-module (fruix config)
  #:use-module (fruix process)
  #:use-module (ice-9 match)
  #:use-module (ice-9 regex)
  #:use-module (srfi srfi-1)
  #:use-module (tests sandbox-support)
  #:export (run
            doctor
            facts
            as-plain-user
            differences))

(define %fruix
  (string-append (getenv "abs_top_builddir") "/fruix"))

(define (run program . arguments)
  "Run @var{program} with the strings @var{arguments}; return a list of its
output and its exit code."
  (call-with-values
      (lambda ()
        (output-of (lambda (out)
                     (spawn-process program (cons program arguments)
                                    #:output out))))
    (lambda (text status)
      (list text (status:exit-val status)))))

(define (line->fact line)
  "Return LINE as a pair of strings, or #f if it has not the form."
  (match (string-match "^([a-z][a-z0-9_-]*)=(.+)$" line)
    (#f #f)
    (found (cons (match:substring found 1) (match:substring found 2)))))

(define (doctor . command)
  "Run the strings @var{command}, to which @command{fruix doctor} is appended;
return a list of the facts, an alist of strings, and the exit code."
  (match (apply run (append command (list %fruix "doctor")))
    ((text code)
     (list (map line->fact
                (string-split (string-trim-right text #\newline) #\newline))
           code))))

(define (facts . command)
  "Return the facts that @code{doctor} returns for @var{command}."
  (first (apply doctor command)))

(define (as-plain-user)
  "Return the beginning of a command that an ordinary user runs."
  (define user (number->string %plain-user))
  (cond ((not %root?) '("env"))
        ((eq? %platform 'freebsd) (list "chroot" "-u" user "-g" user "/"))
        (else (list "setpriv" (string-append "--reuid=" user)
                    (string-append "--regid=" user) "--clear-groups" "--"))))

(define (differences facts expected)
  "Return those of @var{expected}, an alist, that are not in @var{facts}."
  (remove (match-lambda
            ((name . value) (equal? value (assoc-ref facts name))))
          expected))
