;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Who may have a connection, and for how long without saying who it is.

(use-modules (fruix daemon connections)
             (fruix daemon session-process)
             (ice-9 binary-ports)
             (ice-9 match)
             (rnrs bytevectors)
             (srfi srfi-64))

(define (open! connections uid)
  "Open a connection of UID; return the client's port, and the connection or
#f."
  (match (socketpair AF_UNIX SOCK_STREAM 0)
    ((near . far)
     (cons near (open-connection! connections far uid)))))

(define (ended? port)
  (eof-object? (get-u8 port)))

(test-begin "connections")
(sigaction SIGPIPE SIG_IGN)

(test-equal "each user has a limit, root has none"
  '(#t #t #f #t #t #t #t)
  (let ((connections (make-connections #:user-limit 2)))
    (map (lambda (uid) (->bool (cdr (open! connections uid))))
         '(7 7 7 8 0 0 0))))

(test-equal "all together have a limit, root too" '(#t #t #f #f)
  (let ((connections (make-connections #:limit 2)))
    (map (lambda (uid) (->bool (cdr (open! connections uid))))
         '(7 0 8 0))))

(test-equal "so has each other machine, and all of them leave some"
  '(#t #f #t #f #t)
  (let ((connections (make-connections #:limit 4 #:user-limit 2)))
    (open! connections "192.0.2.1")
    (map (lambda (user) (->bool (cdr (open! connections user))))
         '("192.0.2.1" "192.0.2.1" "192.0.2.2" "192.0.2.3" 7))))

(test-equal "who leaves makes room, and is gone for its client" '(#f #t #t 2)
  (let* ((connections (make-connections #:limit 2))
         (first (open! connections 7)))
    (open! connections 7)
    (let ((refused (cdr (open! connections 7))))
      (close-connection! connections (cdr first))
      (list refused (ended? (car first))
            (->bool (cdr (open! connections 7)))
            (connection-count connections)))))

(test-equal "only a client that does not introduce itself is shut down"
  '(#t (#t #f))
  (let* ((connections (make-connections #:greeting-time 0))
         (silent (open! connections 7))
         (polite (open! connections 7)))
    (greeted! connections (cdr polite))
    (let ((deadline (next-deadline connections)))
      (shut-down-late! connections)
      (put-u8 (car polite) 1)
      (force-output (car polite))
      (list (<= deadline (current-time))
            (list (ended? (car silent))
                  (next-deadline connections))))))

(test-assert "all can be shut down"
  (let* ((connections (make-connections))
         (clients (map (lambda (uid) (open! connections uid)) '(7 8))))
    (shut-down-all! connections)
    (and (ended? (car (car clients)))
         (ended? (car (cadr clients))))))

(test-equal "waiting for the end, in vain and not" '(#f #t)
  (let* ((connections (make-connections))
         (client (open! connections 7))
         (vain (wait-for-end connections 0)))
    (close-connection! connections (cdr client))
    (list vain (wait-for-end connections 10))))

(test-assert "closing does not wait for a client that does not read"
  (let ((connections (make-connections)))
    (match (socketpair AF_UNIX SOCK_STREAM 0)
      ((near . far)
       (let ((connection (open-connection! connections far 7)))
         (setvbuf far 'block 1000000)
         (put-bytevector far (make-bytevector 900000 1))
         (close-connection! connections connection)
         (port-closed? far))))))

(test-equal "where no process can be shown for a session, it goes on" 'served
  (call-with-values (lambda () (getrlimit 'nofile))
    (lambda (soft hard)
      (dynamic-wind
        (lambda () (setrlimit 'nofile 3 hard))
        (lambda ()
          (call-with-session-process "guix-daemon" 1 (const 'served)))
        (lambda () (setrlimit 'nofile soft hard))))))

(test-end "connections")
