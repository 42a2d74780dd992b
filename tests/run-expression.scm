;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Evaluate an expression in a process of its own: run-expression.scm
;;; EXPRESSION.  The value is written to standard output.
;;; Code:

(use-modules (fruix config)
             (fruix jail)
             (fruix mount)
             (fruix process)
             (fruix store)
             (fruix store layout)
             (ice-9 match)
             (ice-9 textual-ports)
             (rnrs bytevectors)
             (srfi srfi-1)
             (tests support))

(define (file name)
  "Return the absolute name of @var{name} in the current directory."
  (string-append (getcwd) "/" name))

(define (make-file name text)
  (call-with-output-file name
    (lambda (port) (display text port))))

(define (contents name)
  (call-with-input-file name get-string-all))

(define (mount-read-only source target)
  (if (eq? %platform 'linux)
      (mount-bind source target #:read-only? #t)
      (mount-nullfs source target #:options '("ro"))))

(define (find-mount target)
  "Return the mount on @var{target} that was made last, or @code{#f}."
  (find (lambda (mount) (string=? (mount-target mount) target))
        (reverse (mounts))))

(match (command-line)
  ((_ expression)
   (write (eval (call-with-input-string expression read)
                (current-module)))))
