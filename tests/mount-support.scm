;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Trials with mounts: each has a process, a directory and, on Linux, a mount
;;; namespace of its own.
;;; Code:

(define-module (tests mount-support)
  #:use-module (fruix config)
  #:use-module (fruix mount)
  #:use-module (fruix process)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-11)
  #:use-module (tests sandbox-support)
  #:use-module (tests support)
  #:export (%linux?
            evaluate
            trial
            can-mount?))

(define %linux? (eq? %platform 'linux))

(define %wrapper
  (cond ((not %linux?) '())
        (%root? '("unshare" "--mount" "--"))
        (else '("unshare" "--mount" "--map-root-user" "--"))))

(define (evaluate expression directory)
  "Return the value of @var{expression}, evaluated by @file{run-expression.scm}
with the current directory @var{directory} where nobody else sees what is
mounted."
  (match `(,@%wrapper
           ,(or (getenv "GUILE") "guile") "--no-auto-compile"
           "-L" ,(getenv "abs_top_srcdir")
           ,(string-append (getenv "abs_top_srcdir")
                           "/tests/run-expression.scm")
           ,(object->string expression))
    ((and (program . _) arguments)
     (let-values (((text status)
                   (output-of (lambda (out)
                                (spawn-process program arguments
                                               #:directory directory
                                               #:output out #:error 2)))))
       (call-with-input-string text read)))))

(define-syntax-rule (trial body ...)
  (call-with-temporary-directory
   (lambda (directory)
     (evaluate '(let () body ...) (canonicalize-path directory)))))

(define (can-mount?)
  "Return true if trials can mount anything."
  (and (or %linux? %root?)
       (eqv? (trial (call-with-mount (mount-tmpfs (getcwd)) (const 1))) 1)))
