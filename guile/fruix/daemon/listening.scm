;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; All the listeners of a daemon, from its first moment on.
;;;
;;; Clients that start together with the daemon find a socket, and wait.  So
;;; this module imports few others: listening begins before the rest of the
;;; daemon has been loaded.
;;; Code:

(define-module (fruix daemon listening)
  #:use-module (fruix daemon activation)
  #:use-module (fruix daemon sockets)
  #:use-module (fruix errors)
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:export (call-with-listeners))

(define (open-control-listener file report)
  "Return a list of the listener for the control protocol on FILE; of nothing
if there is no place for it, as another daemon of the same store may have it,
or a service manager has made a directory for its own sockets alone."
  (guard (exception ((or (fruix-error? exception)
                         (eq? (exception-kind exception) 'system-error))
                     (report "no control socket: ~a"
                             (exception->text exception))
                     '()))
    (open-listeners `(unix ,file))))

(define (open-all-listeners addresses control-socket report)
  (define (for-protocol protocol listeners)
    (map (lambda (listener) (cons listener protocol)) listeners))
  (append (for-protocol 'worker
                        (match (activated-listeners)
                          (() (append-map open-listeners addresses))
                          (activated activated)))
          (for-protocol 'control
                        (open-control-listener control-socket report))))

(define (call-with-listeners addresses control-socket report proc)
  "Call @var{proc} with an alist from listeners to protocols, @code{worker} or
@code{control}, and return its value.  The worker protocol is spoken on
@var{addresses}, a list as from @code{parse-address}, or, if a service manager
has bound any, on its sockets instead; the control protocol on the file
@var{control-socket}, unless it cannot be used: then @var{report} is called
with a format string and arguments that say why.  In the end all are closed.
This is to be called before there are other threads."
  (umask #o022)
  (let ((listeners (open-all-listeners addresses control-socket report)))
    (dynamic-wind
      (const #t)
      (lambda () (proc listeners))
      (lambda () (for-each close-listener (map car listeners))))))
