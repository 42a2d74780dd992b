;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The C++ primitives.  The extension defines and exports every one that this
;;; system has; a primitive of another system is simply absent, and modules
;;; that use one say so with 'define-system-primitives'.  Only modules of the
;;; next layer, which give them names and documentation fit for people, import
;;; this one.
;;; Code:

(define-module (fruix primitives)
  #:use-module (fruix config)
  #:use-module (ice-9 match)
  #:export (define-system-primitives))

(load-extension (string-append %extension-directory "/fruix-primitives")
                "fruix_init")

(define (system-primitive name call)
  (match (module-variable (resolve-module '(fruix primitives)) name)
    (#f (lambda arguments
          (throw 'system-error call "~A" (list (strerror ENOSYS))
                 (list ENOSYS))))
    (variable (variable-ref variable))))

(define-syntax-rule (define-system-primitives call name ...)
  "Define each @var{name} as the primitive of that name or, where the system
has none, as a procedure that raises the @code{system-error} of @var{call}, a
string, failing with @code{ENOSYS}."
  (begin
    (define name (system-primitive 'name call))
    ...))
