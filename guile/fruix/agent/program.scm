;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Which program is Guix's 'guix': the daemon leaves to it what needs the
;;; network, keys or other machines.
;;;
;;; Where there is none, only what needs it fails.
;;; Code:

(define-module (fruix agent program)
  #:use-module (fruix errors)
  #:use-module (srfi srfi-1)
  #:export (find-guix
            guix-program))

(define (non-empty variable)
  (let ((value (getenv variable)))
    (and value
         (not (string-null? value))
         value)))

(define (find-guix)
  "Return the file name of the program @command{guix}: the value of @env{GUIX}
or, without that, @file{guix} in the directory @env{NIX_BIN_DIR} or, without
that, in @env{PATH}.  Return @code{#f} if nothing executable is there."
  (define (executable file)
    (and (access? file X_OK) file))
  (cond ((non-empty "GUIX") => executable)
        ((non-empty "NIX_BIN_DIR")
         => (lambda (directory)
              (executable (string-append directory "/guix"))))
        (else
         (any (lambda (directory)
                (executable (string-append directory "/guix")))
              (filter absolute-file-name?
                      (parse-path (getenv "PATH")))))))

(define (guix-program purpose)
  "Return what @code{find-guix} does, but raise a @code{&fruix-error} that
names @var{purpose}, a string such as @code{\"verify signatures\"}, if there
is none."
  (or (find-guix)
      (fail "the program `~a' is not available, which is needed to ~a"
            (or (non-empty "GUIX") "guix") purpose)))
