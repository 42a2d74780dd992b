;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What the programs of Guix learn of the settings of a session: the variable
;;; _NIX_OPTIONS in their environment, a line 'NAME=VALUE' for each.
;;;
;;; Names and values come from clients.  One that could be taken for another
;;; line is refused, not repaired.
;;; Code:

(define-module (fruix agent options)
  #:use-module (fruix errors)
  #:use-module (ice-9 match)
  #:export (options->text
            options->environment))

(define (check-option option)
  (match option
    ((name . value)
     (when (or (string-index name #\newline) (string-index name #\=))
       (fail "invalid name of an option: ~s" name))
     (when (string-index value #\newline)
       (fail "invalid value of option `~a': ~s" name value))
     (when (or (string-index name #\nul) (string-index value #\nul))
       (fail "a NUL byte in option ~s" name)))))

(define (options->text options)
  "Return @var{options}, an alist of octet strings, as programs of Guix take
it: a line @code{@var{name}=@var{value}} for each, sorted by name.  Raise a
@code{&fruix-error} if a name has a newline or @code{=} in it, a value a
newline, or either a NUL."
  (for-each check-option options)
  (string-concatenate
   (map (match-lambda
          ((name . value)
           (string-append name "=" value "\n")))
        (sort options
              (lambda (a b) (string<? (car a) (car b)))))))

(define (options->environment options)
  "Return what is added to the environment of a program of Guix so that it
knows @var{options}: a list of octet strings, @code{\"NAME=VALUE\"}.  Raise a
@code{&fruix-error} as @code{options->text} does."
  (list (string-append "_NIX_OPTIONS=" (options->text options))))
