;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; A process for each session, for those who look for one: 'guix processes'
;;; takes for a session what is called guix-daemon and has the client's
;;; process ID as its argument.  Ours are threads; so an idle process is there
;;; for each.  It is the program that also holds sandboxes, which does
;;; nothing until its socket is closed.
;;; Code:

(define-module (fruix daemon session-process)
  #:use-module (fruix config)
  #:use-module (fruix process)
  #:use-module (ice-9 match)
  #:export (call-with-session-process))

(define (start-session-process name pid socket)
  (spawn-process %holder-file (list name (number->string pid))
                 #:environment '()
                 #:directory "/"
                 #:input socket
                 #:output #f
                 #:error #f))

(define (call-with-session-process name pid thunk)
  "Call @var{thunk} and return what it returned.  Meanwhile there is a process
whose argv[0] is @var{name}, a string, and argv[1] is @var{pid}, a process ID;
unless it cannot be started, which is no reason to refuse a client."
  (match (socketpair AF_UNIX (logior SOCK_STREAM SOCK_CLOEXEC) 0)
    ((near . far)
     (let ((process (false-if-exception (start-session-process name pid far))))
       (close-port far)
       (dynamic-wind
         (const #t)
         thunk
         (lambda ()
           (close-port near)
           (when process
             (wait-process process))))))))
