;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The plan of a sandbox: what is done, in order, to bring it about on a
;;; system.  Plain data, made without privileges on any system, so that it
;;; can be shown and compared.
;;; Code:

(define-module (fruix sandbox plan)
  #:use-module (fruix config)
  #:use-module (fruix errors)
  #:use-module (fruix sandbox linux)
  #:export (sandbox-plan))

(define* (sandbox-plan box #:key (system %platform))
  "Return the plan of the sandbox @var{box} on @var{system}, @code{linux} by
default where that is the system at hand: a list of steps, each a list of a
name, strings and integers.  Raise a @code{&fruix-error} if @var{system} has
no sandboxes."
  (case system
    ((linux) (linux-plan box))
    (else (fail "no sandboxes on ~a" system))))
