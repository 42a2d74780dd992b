;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Networks of their own.
;;; Code:

(define-module (fruix network)
  #:use-module ((fruix primitives) #:select (define-system-primitives))
  #:export (make-network))

(define-system-primitives "unshare" %make-network)

(define (make-network)
  "Make a network with nothing but a loopback interface, and return a
descriptor of it, an integer: the network is gone when that is closed and no
process is in it any more (network_namespaces(7)).  Raise a
@code{system-error} without the privilege, and on systems other than Linux."
  (%make-network))
