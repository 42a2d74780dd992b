;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The C++ primitives.  The extension defines and exports every one that this
;;; system has; a primitive of another system is simply absent.  Only modules
;;; of the next layer, which give them names and documentation fit for
;;; people, import this one.
;;; Code:

(define-module (fruix primitives)
  #:use-module (fruix config))

(load-extension (string-append %extension-directory "/fruix-primitives")
                "fruix_init")
