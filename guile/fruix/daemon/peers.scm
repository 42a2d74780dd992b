;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Who is at the other end of a connection: a process of a user of this
;;; machine, or somebody at another address, of whom nothing else is known.
;;; Code:

(define-module (fruix daemon peers)
  #:use-module (fruix credentials)
  #:use-module (srfi srfi-9)
  #:export (peer
            peer-pid
            peer-uid
            peer-gid
            peer-user
            peer-trusted?
            peer->text))

(define-record-type <peer>
  (make-peer pid uid gid host)
  peer?
  (pid peer-pid)                        ;integer; -1 if it is remote
  (uid peer-uid)                        ;integer; -1 if it is remote
  (gid peer-gid)                        ;integer; -1 if it is remote
  (host peer-host))                     ;string, or #f if it is local

(define (local-peer port)
  (call-with-values (lambda () (peer-credentials port))
    (lambda (pid uid gid)
      (make-peer pid uid gid #f))))

(define (remote-peer port address)
  ;; Messages are small and each is waited for; and a machine that is gone
  ;; does not say so.
  (setsockopt port IPPROTO_TCP TCP_NODELAY 1)
  (setsockopt port SOL_SOCKET SO_KEEPALIVE 1)
  (make-peer -1 -1 -1
             (inet-ntop (sockaddr:fam address) (sockaddr:addr address))))

(define (peer port address)
  "Return the peer on @var{port}, a socket that was just accepted, whose other
end has @var{address}.  Raise a @code{system-error} if it is gone."
  (if (= AF_UNIX (sockaddr:fam address))
      (local-peer port)
      (remote-peer port address)))

(define (peer-user peer)
  "Return what stands for the user behind @var{peer} where users are counted:
the user ID, or the address, a string."
  (or (peer-host peer) (peer-uid peer)))

(define (peer-trusted? peer)
  "Return true if @var{peer} is root's, or our own user's."
  (and (not (peer-host peer))
       (or (zero? (peer-uid peer))
           (= (peer-uid peer) (getuid)))))

(define (peer->text peer)
  "Return what to call @var{peer}."
  (if (peer-host peer)
      (string-append "a client at " (peer-host peer))
      (format #f "process ~a of user ~a" (peer-pid peer) (peer-uid peer))))
