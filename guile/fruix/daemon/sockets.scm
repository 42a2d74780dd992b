;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The sockets that the daemon listens on.  Who may reach one is decided by
;;; the permissions of its directory; the socket itself is open to all.
;;;
;;; A socket's name is bound relative to its directory, since the system takes
;;; only 107 bytes: so this is done before there are other threads.
;;; Code:

(define-module (fruix daemon sockets)
  #:use-module ((fruix errors) #:select (fail))
  #:export (open-listener
            close-listener))

;; Connections that may wait to be accepted.
(define %backlog 128)

(define (make-directory directory)
  (unless (file-exists? directory)
    (make-directory (dirname directory))
    (mkdir directory #o755)))

(define (make-socket)
  (socket AF_UNIX (logior SOCK_STREAM SOCK_CLOEXEC) 0))

(define (answered? name)
  "Return true if somebody listens on the socket NAME."
  (call-with-port (make-socket)
    (lambda (port)
      (catch 'system-error
        (lambda ()
          (connect port AF_UNIX name)
          #t)
        (const #f)))))

(define (socket-file? name)
  (let ((status (catch 'system-error
                  (lambda () (lstat name))
                  (const #f))))
    (and status (eq? 'socket (stat:type status)))))

(define (call-in-directory directory thunk)
  (dynamic-wind
    (lambda () (chdir directory))
    thunk
    (lambda () (chdir "/"))))

(define (open-listener file)
  "Return a socket that listens on @var{file}, an absolute file name; its
directory is created where missing.  The socket of a daemon that is gone is
replaced.  Raise a @code{&fruix-error} if a daemon answers there; any other
file by that name is a @code{system-error}.  The working directory becomes the
root directory."
  (let ((name (basename file))
        (listener (make-socket)))
    (make-directory (dirname file))
    (call-in-directory (dirname file)
      (lambda ()
        (when (socket-file? name)
          (when (answered? name)
            (fail "another daemon listens on `~a'" file))
          (delete-file name))
        (bind listener AF_UNIX name)
        (chmod name #o666)))
    (listen listener %backlog)
    listener))

(define (close-listener listener file)
  "Close the socket @var{listener} and delete its @var{file}."
  (delete-file file)
  (close-port listener))
