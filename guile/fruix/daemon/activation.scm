;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Sockets that a service manager has bound and hands over: LISTEN_FDS of
;;; them, from descriptor 3 on, to the process LISTEN_PID
;;; (sd_listen_fds(3); make-systemd-constructor of the Shepherd).
;;; Code:

(define-module (fruix daemon activation)
  #:use-module (fruix daemon sockets)
  #:use-module (srfi srfi-1)
  #:export (activated-listeners))

(define %first-descriptor 3)

(define (environment-number name)
  (let ((text (getenv name)))
    (and text
         (<= 1 (string-length text) 9)
         (string-every char-set:digit text)
         (string->number text))))

(define (activated-listeners)
  "Return the list of listeners that a service manager has handed to this
process.  What says so in the environment is deleted, as it is not for
children.  Raise a @code{&fruix-error} if a descriptor is not a socket."
  (define count
    (and (eqv? (getpid) (environment-number "LISTEN_PID"))
         (environment-number "LISTEN_FDS")))
  (for-each unsetenv '("LISTEN_PID" "LISTEN_FDS" "LISTEN_FDNAMES"))
  (map adopt-listener (iota (or count 0) %first-descriptor)))
