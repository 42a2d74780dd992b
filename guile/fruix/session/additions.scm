;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The operations that add items to the store, and that keep items there.
;;; Code:

(define-module (fruix session additions)
  #:use-module (fruix errors)
  #:use-module (fruix session client)
  #:use-module (fruix store)
  #:export (keep-for-session
            ensure-valid
            forget-failures))

(define (keep-for-session client path)
  "Keep @var{path} from being collected, whether or not it exists yet."
  (add-temp-root! (client-store client) path))

(define (ensure-valid client path)
  "Raise @code{&fruix-error} unless @var{path} is valid."
  (unless (valid-path? (client-store client) path)
    (fail "path `~a' does not exist and cannot be created" path)))

(define (forget-failures client paths)
  "Forget that builds of @var{paths}, or of the outputs of derivations among
them, have failed; @code{*} stands for all."
  (clear-failed-paths! (client-store client) paths))
