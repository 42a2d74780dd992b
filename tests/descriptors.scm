;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Directory descriptors do not follow links, pipes are closed on exec, and
;;; waiting tells what happened on which descriptor.

(use-modules (fruix descriptors)
             (fruix process)
             (ice-9 match)
             (rnrs bytevectors)
             (srfi srfi-64)
             (tests support))

(define (open-descriptors)
  (count-descriptors (getpid)))

(define %directory (mkdtemp "/tmp/fruix-descriptors-XXXXXX"))
(mkdir (string-append %directory "/real"))
(symlink "real" (string-append %directory "/link"))

(test-begin "descriptors")

(test-assert "a directory in a directory"
  (call-with-directory %directory
    (lambda (fd)
      (close-fdes (open-directory-at fd "real"))
      #t)))

(test-assert "a symbolic link is not followed"
  (call-with-directory %directory
    (lambda (fd)
      (memv (errno-of (lambda () (open-directory-at fd "link")))
            (list ELOOP ENOTDIR EMLINK)))))

(test-equal "a name of several components is refused" EINVAL
  (call-with-directory %directory
    (lambda (fd)
      (errno-of (lambda () (open-directory-at fd "../etc"))))))

(test-equal "what is not there is named"
  '("open" ("/nowhere" "No such file or directory"))
  (catch 'system-error
    (lambda () (open-directory "/nowhere"))
    (lambda (key who template arguments errno)
      (list who arguments))))

(test-equal "a wait may be longer than poll(2) knows" 'ready
  (call-with-values make-pipe
    (lambda (in out)
      (write-descriptor out #vu8(1))
      (match (poll-descriptors `((,in readable)) (* 30 24 60 60 1000))
        (((descriptor . _))
         (close-fdes in)
         (close-fdes out)
         'ready)))))

(test-assert "call-with-directory closes on error"
  (let ((before (open-descriptors)))
    (catch 'oops
      (lambda ()
        (call-with-directory %directory (lambda (fd) (throw 'oops))))
      (const #t))
    (= before (open-descriptors))))

(define (answer-of program)
  "Return the value of the expression PROGRAM in a process of its own, which
has, beyond what Guile needs, the descriptors 200 to 203."
  (call-with-values make-pipe
    (lambda (in out)
      (let ((process
             (spawn-process
              (or (getenv "GUILE") "guile")
              (list "guile" "-c"
                    (format #f "~s"
                            `(begin
                               (use-modules (fruix descriptors))
                               (write ,program))))
              #:output out
              #:descriptors '((200 . #f) (201 . #f) (202 . #f) (203 . #f)))))
        (close-fdes out)
        (let* ((port (fdes->inport in))
               (answer (read port)))
          (close-port port)
          (wait-process process)
          answer)))))

(define %flags
  '(map (lambda (fd)
          (catch 'system-error
            (lambda () (fcntl fd F_GETFD))
            (const #f)))
        '(200 201 202 203)))

(test-equal "close a range" '(0 #f #f 0)
  (answer-of `(begin (close-range 201 202) ,%flags)))

(test-equal "close a range that has no end" '(0 #f #f #f)
  (answer-of `(begin (close-range 201 #f) ,%flags)))

(test-equal "make a range close-on-exec" (list 0 FD_CLOEXEC FD_CLOEXEC 0)
  (answer-of `(begin (close-range 201 202 #:cloexec? #t) ,%flags)))

(test-equal "a range of none that are open" '(0 0 0 0)
  (answer-of `(begin (close-range 210 #f) ,%flags)))

(test-equal "a range that ends before it begins" EINVAL
  (errno-of (lambda () (close-range 202 201))))

(test-equal "a range from what is no descriptor" 'out-of-range
  (key-of (lambda () (close-range -1 201))))

(define-values (in out) (make-pipe))

(test-equal "pipes are close-on-exec" (list FD_CLOEXEC FD_CLOEXEC)
  (map (lambda (fd) (fcntl fd F_GETFD)) (list in out)))

(test-equal "nothing to read: time-out" '()
  (poll-descriptors `((,in readable)) 0))

(test-equal "ready to write" `((,out writable))
  (poll-descriptors `((,in readable) (,out writable)) -1))

(test-equal "a byte"  '(1 7)
  (let ((port (fdes->outport (dup->fdes out)))
        (bv (make-bytevector 10)))
    (write-char (integer->char 7) port)
    (close-port port)
    (match (poll-descriptors `((,in readable)) -1)
      (((fd 'readable))
       (let ((count (read-descriptor! fd bv)))
         (list count (bytevector-u8-ref bv 0)))))))

(test-equal "the other end closed: hangup, then end of file" '(#t 0)
  (begin
    (close-fdes out)
    (match (poll-descriptors `((,in readable)) -1)
      (((fd . events))
       (list (and (memq 'hangup events) #t)
             (read-descriptor! fd (make-bytevector 1)))))))

(test-equal "a closed descriptor is invalid, not an error" '(invalid)
  (begin
    (close-fdes in)
    (match (poll-descriptors `((,in readable)) -1)
      (((fd . events)) events))))

(test-equal "a stream socket whose peer stopped writing"
  '(peer-closed readable)
  (match (socketpair AF_UNIX SOCK_STREAM 0)
    ((a . b)
     (shutdown b 1)
     (match (poll-descriptors `((,(fileno a) readable peer-closed)) -1)
       (((fd . events)) events)))))

(test-equal "an unknown event" 'wrong-type-arg
  (key-of (lambda () (poll-descriptors '((0 sideways)) 0))))
(test-equal "not an alist" 'wrong-type-arg
  (key-of (lambda () (poll-descriptors '(0) 0))))
(test-equal "what is written is what was asked for"
  '(3 #vu8(1 2 3))
  (call-with-values make-pipe
    (lambda (in out)
      (let* ((count (write-descriptor out #vu8(0 1 2 3 4) 1 3))
             (bytes (make-bytevector 3)))
        (read-descriptor! in bytes)
        (close-fdes in)
        (close-fdes out)
        (list count bytes)))))

(test-equal "a full pipe takes no more, one without readers nothing"
  (list EAGAIN EPIPE)
  (call-with-values make-pipe
    (lambda (in out)
      (define block (make-bytevector 65536))
      (sigaction SIGPIPE SIG_IGN)
      (fcntl out F_SETFL O_NONBLOCK)
      (let fill ()
        (unless (errno-of (lambda () (write-descriptor out block)))
          (fill)))
      (let ((full (errno-of (lambda () (write-descriptor out block)))))
        (close-fdes in)
        (let ((broken (errno-of (lambda () (write-descriptor out block)))))
          (close-fdes out)
          (list full broken))))))

(test-equal "more bytes than there are" 'out-of-range
  (key-of (lambda () (write-descriptor 1 (make-bytevector 2) 1 2))))
(test-equal "more bytes than there is room for" 'out-of-range
  (key-of (lambda () (read-descriptor! 0 (make-bytevector 2) 1 2))))

(test-assert "a signal does not prolong or end the wait"
  (let ((start (get-internal-real-time)))
    (sigaction SIGALRM (const #t))
    (setitimer ITIMER_REAL 0 10000 0 10000)
    (let ((ready (poll-descriptors '() 100)))
      (setitimer ITIMER_REAL 0 0 0 0)
      (and (null? ready)
           (< 0.09
              (/ (- (get-internal-real-time) start)
                 internal-time-units-per-second 1.)
              5)))))

(for-each (lambda (name) (delete-file (string-append %directory name)))
          '("/link"))
(rmdir (string-append %directory "/real"))
(rmdir %directory)

(test-end "descriptors")
