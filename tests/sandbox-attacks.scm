;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; A hostile program stays inside its sandbox on FreeBSD, and would not
;;; without it.

(use-modules (fruix config)
             (fruix process)
             (fruix sandbox)
             (ice-9 match)
             (srfi srfi-1)
             (srfi srfi-11)
             (srfi srfi-64)
             (tests sandbox-support)
             (tests support))

;; What comes of each attempt of tests/attack-freebsd.cc.
(define %defeats
  '(("descriptors inherited" . "0")
    ("write to an input" . "Read-only file system")
    ("change the mode of an input" . "Read-only file system")
    ("change the flags of an input" . "Read-only file system")
    ("rename an input" . "Read-only file system")
    ("remove an input" . "Read-only file system")
    ("create beside an input" . "Read-only file system")
    ("create in the root" . "Permission denied")
    ("see a file of the host" . "No such file or directory")
    ("take the handle of an input" . "Operation not permitted")
    ("open by handle" . "Operation not permitted")
    ("set a flag of root's" . "Operation not permitted")
    ("give a file to root" . "Operation not permitted")
    ("make a device" . "Operation not permitted")
    ("open the memory" . "No such file or directory")
    ("open the kernel's memory" . "No such file or directory")
    ("listen to devices" . "No such file or directory")
    ("open the console" . "No such file or directory")
    ("control devfs" . "No such file or directory")
    ("become root" . "Operation not permitted")
    ("take a group" . "Operation not permitted")
    ("change groups" . "Operation not permitted")
    ("change the name of the login" . "Operation not permitted")
    ("allow core dumps" . "Operation not permitted")
    ("new privileges" . "none")
    ("change the root directory" . "Operation not permitted")
    ("unmount an input" . "Operation not permitted")
    ("mount over an input" . "Operation not permitted")
    ("mounts that are seen" . "1")
    ("set-id bits" . "ignored")
    ("enter another jail" . "Operation not permitted")
    ("make a jail" . "Operation not permitted")
    ("rename the host" . "Operation not permitted")
    ("change a setting of the kernel" . "Operation not permitted")
    ("load a module" . "Operation not permitted")
    ("change the environment of the kernel" . "Operation not permitted")
    ("set the clock" . "Operation not permitted")
    ("go first" . "Permission denied")
    ("signal a process of the host" . "No such process")
    ("trace a process of the host" . "No such process")
    ("signal everybody" . "No such process")
    ("take shared memory of the host" . "No such file or directory")
    ("take it by name" . "No such file or directory")
    ("make a socket" . "done")
    ("reach a port of the host" . "Connection refused")
    ("make a raw socket" . "Operation not permitted")
    ("reach a local socket of the host" . "Connection refused")))

;; Without any network, there is less to try.
(define %defeats-without-network
  '(("make a socket" . "Protocol not supported")
    ("reach a port of the host" . "Bad file descriptor")
    ("make a raw socket" . "Protocol not supported")))

;; What a jail, and nothing else, defeats.
(define %successes
  '("write to an input" "change the mode of an input"
    "change the flags of an input" "rename an input"
    "create beside an input" "see a file of the host"
    "take shared memory of the host" "take it by name"
    "make a socket" "reach a port of the host"
    "reach a local socket of the host"))

(define %shared-key "4711")

(define (call-with-shared thunk)
  "Call THUNK while the host shares memory with everybody."
  (define (run word)
    (define arguments (list "attack-freebsd" word %shared-key))
    (status:exit-val
     (wait-process
      (spawn-process (test-program "attack-freebsd") arguments))))
  (dynamic-wind
    (lambda () (test-equal "something is shared" 0 (run "share")))
    thunk
    (lambda () (run "unshare"))))

(define (listening family address . rest)
  "Return a port of the host that listens on ADDRESS."
  (let ((port (socket family SOCK_STREAM 0)))
    (apply bind port family address rest)
    (listen port 1)
    port))

(define (call-with-targets proc)
  "Call PROC with a directory for sandboxes, the directory in it whose input
is attacked, and the arguments after that, while the host listens on two
sockets."
  (call-with-sandbox-directory
   (lambda (directory)
     (define item (string-append directory "/store/item"))
     (define input (string-append item "/input"))
     (define socket (string-append item "/socket"))
     (define tcp (listening AF_INET INADDR_LOOPBACK 0))
     (define local (listening AF_UNIX socket))
     (call-with-output-file input newline)
     (for-each (lambda (file) (chmod file #o777)) (list input socket))
     (for-each (lambda (file) (chown file 35001 35001)) (list input item))
     (let ((result
            (proc directory item
                  (list (string-append directory "/store")
                        (number->string (getpid))
                        (number->string (sockaddr:port (getsockname tcp)))))))
       (close-port tcp)
       (close-port local)
       result))))

(define (attack-command item arguments)
  `(,(string-append item "/attack-freebsd") ,(string-append item "/input")
    ,@arguments ,(string-append item "/socket") ,%shared-key))

(define (attack-inside network)
  "Return what comes of the attacks in a sandbox with NETWORK, as an alist."
  (call-with-targets
   (lambda (directory item arguments)
     (define box
       (sandbox #:root (string-append directory "/root")
                #:user 35001 #:group 35001 #:network network
                #:mounts `((,item "/item" read-only))))
     (let-values (((text status)
                   (output-in-sandbox box "/item/attack-freebsd"
                                      (attack-command "/item" arguments))))
       (report text)))))

(define (attack-outside)
  "Return what comes of the attacks without a sandbox."
  (call-with-targets
   (lambda (directory item arguments)
     (define command (attack-command item arguments))
     (define (start out)
       (spawn-process (first command) command #:output out #:error out
                      #:user 35001 #:group 35001))
     (let-values (((text status) (output-of start)))
       (report text)))))

(define (test-attacks network expected)
  (define results (attack-inside network))
  (for-each (match-lambda
              ((what . defeat)
               (test-equal (format #f "~a: ~a" network what)
                 (or (assoc-ref expected what) defeat)
                 (assoc-ref results what))))
            %defeats)
  (test-equal (format #f "~a: no attack is missing here" network)
    (length %defeats) (length results)))

(define (test-attacks-outside)
  (define results (attack-outside))
  (for-each (lambda (what)
              (test-equal (format #f "without a sandbox: ~a" what) "done"
                (assoc-ref results what)))
            %successes))

(define (test-all)
  (test-attacks 'loopback '())
  (test-attacks 'none %defeats-without-network)
  (test-attacks-outside))

(test-begin "sandbox-attacks")
(skip-unless (and (eq? %platform 'freebsd) %root?) "needs root on FreeBSD")
(if (and (eq? %platform 'freebsd) %root?)
    (call-with-shared test-all)
    (test-assert "attacks" #f))
(test-end "sandbox-attacks")
