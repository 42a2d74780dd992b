;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Reading a derivation from its file in the store.
;;; Code:

(define-module (fruix store derivation-file)
  #:use-module (fruix derivation)
  #:use-module ((fruix derivation text) #:select (%maximum-derivation-size))
  #:use-module (fruix errors)
  #:use-module (fruix files)
  #:use-module (fruix octets)
  #:use-module (fruix store layout)
  #:use-module ((fruix store path) #:select (direct-store-path?))
  #:use-module (ice-9 binary-ports)
  #:export (read-derivation-file))

(define (read-bytes port file)
  (let ((status (stat port)))
    (unless (and (eq? 'regular (stat:type status))
                 (<= (stat:size status) %maximum-derivation-size))
      (fail "`~a' is not a derivation" file))
    (get-bytevector-n port (max 1 (stat:size status)))))

(define (read-derivation-file layout drv)
  "Return the @code{<derivation>} in the file of @var{drv}, an item of the
store of @var{layout} that need not be valid.  Raise a @code{&fruix-error} if
it is none."
  (unless (direct-store-path? (layout-store layout) drv)
    (fail "path `~a' is not in the store" drv))
  (let ((bytes (call-with-closing-port
                   (open (physical layout drv)
                         (logior O_RDONLY O_NOFOLLOW O_NONBLOCK O_CLOEXEC))
                 (lambda (port) (read-bytes port drv)))))
    (string->derivation (if (eof-object? bytes)
                            ""
                            (bytevector->octets bytes)))))
