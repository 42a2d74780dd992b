;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; A process for each session, for those who look for one: 'guix processes'
;;; takes for a session what is called guix-daemon and has the client's
;;; process ID as its argument, and for its locks the lock files that it has
;;; open.  Ours are threads; so an idle process is there for each, which opens
;;; what it is told until its socket is closed.
;;; Code:

(define-module (fruix daemon session-process)
  #:use-module (fruix config)
  #:use-module ((fruix errors)
                #:select (call-with-closing-port on-failure unless-errno))
  #:use-module (fruix process)
  #:use-module (ice-9 match)
  #:use-module ((rnrs bytevectors) #:select (string->utf8))
  #:export (call-with-session-process))

(define (start-session-process name pid)
  "Return a pair of the process and a port; it ends once that is closed."
  (match (socketpair AF_UNIX (logior SOCK_SEQPACKET SOCK_CLOEXEC) 0)
    ((near . far)
     (on-failure (lambda () (close-port near))
       (lambda ()
         (call-with-closing-port far
           (lambda (socket)
             (cons (spawn-process %session-file
                                  (list name (number->string pid))
                                  #:environment '()
                                  #:directory "/"
                                  #:input socket
                                  #:output #f
                                  #:error #f)
                   near))))))))

;; The process is gone, has not read what it was told before, or would have to
;; read too much.
(define %untold (list EPIPE ECONNRESET EAGAIN ENOBUFS EMSGSIZE))

(define (show-files socket files)
  "Have the process at the other end of SOCKET have FILES open, or else what it
has open now."
  (unless-errno %untold #f
    (lambda ()
      (send socket
            (string->utf8 (string-concatenate
                           (map (lambda (file) (string-append file "\0"))
                                ;; Nothing at all would be the end.
                                (cons "" files))))
            MSG_DONTWAIT))))

(define (call-with-session-process name pid proc)
  "Call @var{proc} and return what it returned.  Meanwhile there is a process
whose argv[0] is @var{name}, a string, and argv[1] is @var{pid}, a process ID;
unless it cannot be started, which is no reason to refuse a client.  It has
open the files of the list of names with which the argument of @var{proc}, a
procedure, was last called, as far as there are such; without a process that
is @code{#f}."
  (match (false-if-exception (start-session-process name pid))
    (#f (proc #f))
    ((process . port)
     (dynamic-wind
       (const #t)
       (lambda ()
         (proc (lambda (files) (show-files port files))))
       (lambda ()
         (close-port port)
         (wait-process process))))))
