;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Where the daemon listens: several sockets, TCP and its restrictions, and
;;; sockets that a service manager hands over.

(use-modules (fruix protocol wire)
             (fruix process)
             (fruix store layout)
             (ice-9 match)
             (ice-9 textual-ports)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests daemon-support)
             (tests support)
             (tests worker-client))

(define (free-port)
  "Return the number of a TCP port that was free a moment ago."
  (let ((port (socket AF_INET SOCK_STREAM 0)))
    (bind port AF_INET INADDR_LOOPBACK 0)
    (let ((number (sockaddr:port (getsockname port))))
      (close-port port)
      number)))

(define* (connect-over-tcp number #:optional (family AF_INET)
                           (address INADDR_LOOPBACK))
  "Return a greeted connection to the TCP port NUMBER of this machine."
  (let ((port (socket family (logior SOCK_STREAM SOCK_CLOEXEC) 0)))
    (connect port family address number)
    (setvbuf port 'block 4096)
    (greet port)
    port))

(define (connect-to-file file)
  (let ((port (socket AF_UNIX (logior SOCK_STREAM SOCK_CLOEXEC) 0)))
    (connect port AF_UNIX file)
    (setvbuf port 'block 4096)
    (greet port)
    port))

(define (serves? port)
  "Return true if a daemon answers on PORT, which is closed."
  (let ((answer (result-of port read-boolean 1
                           (string-append "/gnu/store/" (make-string 32 #\0)
                                          "-none"))))
    (close-port port)
    (eq? answer #f)))

(define (read-until-listening port)
  "Return what a daemon says on PORT until it listens, and that."
  (let loop ((text ""))
    (match (get-line port)
      ((? eof-object?) text)
      (line (let ((text (string-append text line "\n")))
              (if (string-contains line "listening")
                  text
                  (loop text)))))))

(define %ipv6?
  ;; Not every machine has it.
  (false-if-exception
   (let ((port (socket AF_INET6 SOCK_STREAM 0)))
     (bind port AF_INET6 1 0)
     (close-port port)
     #t)))

(test-begin "listening")
(sigaction SIGPIPE SIG_IGN)

(call-with-temporary-directory
 (lambda (directory)
   (define one (string-append directory "/new/one"))
   (define two (string-append directory "/two"))
   (define number (free-port))
   (call-with-daemon
    (lambda (daemon)
      (test-equal "several sockets, and not the default one" '(#t #t #t #f)
        (list (serves? (connect-to-file one))
              (serves? (connect-to-file two))
              (serves? (connect-over-tcp number))
              (file-exists? (layout-socket (daemon-layout daemon)))))
      (unless %ipv6?
        (test-runner-aux-value! (test-runner-current) "needs IPv6")
        (test-skip 1))
      (test-assert "an IPv6 address in brackets"
        (serves? (connect-over-tcp number AF_INET6 1)))
      (test-equal "a second daemon of the same store, on a socket of its own"
        '(#t #t #t)
        (let ((other (string-append directory "/other"))
              (root (layout-root (daemon-layout daemon))))
          (match (pipe)
            ((input . output)
             (call-with-process
                 (spawn-process %daemon
                                (list "fruix-daemon"
                                      (string-append "--root=" root)
                                      (string-append "--listen=" other))
                                #:output output #:error output)
               (lambda (process)
                 (close-port output)
                 (let ((words (read-until-listening input)))
                   (list (and (string-contains words "no control socket")
                              (string-suffix? (string-append "listening on "
                                                             other "\n")
                                              words))
                         (serves? (connect-to-file other))
                         (serves? (connect-to-file two))))))))))
      (test-assert "a second daemon gets no port that is taken"
        (match (pipe)
          ((input . output)
           (let ((process (spawn-process
                           %daemon
                           (list "fruix-daemon"
                                 (string-append "--root=" directory)
                                 (format #f "--listen=127.0.0.1:~a" number))
                           #:output output #:error output)))
             (close-port output)
             (let ((text (get-string-all input)))
               (and (= 1 (status:exit-val (wait-process process)))
                    (string-contains text "Address already in use"))))))))
    #:options `(,(string-append "--listen=" one)
                "--listen" ,two
                ,(format #f "--listen=127.0.0.1:~a" number)
                ,@(if %ipv6?
                      (list (format #f "--listen=[::1]:~a" number))
                      '())))
   (test-equal "its sockets are gone with it, and the port is free at once"
     '(#f #f #t)
     (list (file-exists? one) (file-exists? two)
           (call-with-daemon
            (lambda (daemon) (serves? (connect-over-tcp number)))
            #:options (list (format #f "--listen=localhost:~a" number)))))))

(for-each
 (match-lambda
   ((name address words)
    (test-assert name
      (match (pipe)
        ((input . output)
         (let ((process (spawn-process %daemon
                                       (list "fruix-daemon" "--listen"
                                             address)
                                       #:output output #:error output)))
           (close-port output)
           (let ((text (get-string-all input)))
             (and (= 1 (status:exit-val (wait-process process)))
                  (string-contains text words)))))))))
 '(("a host that there is not" "no-such-host.invalid" "cannot listen on")
   ("an address of another machine" "192.0.2.1:44146"
    "not an address of this machine")))

;; What clients on other machines may do.
(define %user-name
  (passwd:name (getpwuid (getuid))))

(define (text-of-ps layout)
  "Return what 'fruix ps' says of the daemon of LAYOUT."
  (match (pipe)
    ((input . output)
     (let ((process (spawn-process
                     (string-append (getenv "abs_top_builddir") "/fruix")
                     (list "fruix" "ps"
                           (string-append "--root=" (layout-root layout)))
                     #:output output)))
       (close-port output)
       (let ((text (get-string-all input)))
         (close-port input)
         (wait-process process)
         text)))))

(define (call-with-tcp-daemon proc . options)
  "Call PROC with a daemon and a procedure that connects to it by TCP."
  (define number (free-port))
  (call-with-daemon
   (lambda (daemon)
     (proc daemon (lambda () (connect-over-tcp number))))
   #:prepare install-shell
   #:options `(,(format #f "--listen=127.0.0.1:~a" number)
               ,@%build-users ,@%host-directories ,@options)))

(call-with-tcp-daemon
 (lambda (daemon connect)
   (define layout (daemon-layout daemon))
   (define (profile-directory name)
     (string-append (layout-profiles-directory layout) "/per-user/" name))
   (test-equal "no directory for profiles until the client names its user"
     '(#f #t #t)
     (let* ((port (connect))
            (before (file-exists? (profile-directory %user-name))))
       (set-options port #:settings `(("user-name" . ,%user-name)))
       (let ((after (stat (profile-directory %user-name) #f)))
         (close-port port)
         (list before (->bool after)
               (and after (= (getuid) (stat:uid after)))))))
   (test-equal "a user that does not exist gets none, and hears so"
     '(("there is no user `no/such/user' here\n") #t)
     (let ((port (connect)))
       (call-with-values
           (lambda ()
             (set-options port #:verbosity 1
                          #:settings '(("user-name" . "no/such/user"))))
         (lambda (result log data)
           (list log (serves? port))))))
   (test-assert "garbage collection ends the connection unread"
     (let ((port (connect)))
       (match (result-of port #f 20)
         ((text 1) (ended? port)))))
   (test-assert "repairing is for trusted clients"
     (let ((port (connect)))
       (match (result-of port #f 9 '() 1)
         (("repairing is a privileged operation" 1) (ended? port)))))
   (test-equal "builds go on there, and ps tells for whom" '((remote) #t)
     (let* ((port (connect))
            (drv (add-script port "sleeper" "sleep 1000"))
            (pid (start-build port drv)))
       (call-with-controller daemon
         (lambda (control)
           (match (control '(ps))
             (('ps ('build . facts))
              (let ((text (text-of-ps layout)))
                (close-port port)
                (wait-until (lambda () (not (running? pid))))
                (list (first (assq-ref facts 'clients))
                      (string-suffix? "for another machine\n" text)))))))))
   (test-assert "keep-failed is not for them"
     (let* ((port (connect))
            (drv (add-script port "failing" "exit 1")))
       (set-options port #:keep-failed 1 #:verbosity 0)
       (call-with-values (lambda () (request port #f 9 (list drv) 0))
         (lambda (result log data)
           (close-port port)
           (not (any (lambda (line) (string-contains line "keeping build"))
                     log))))))))

;; Sockets that are handed over, by a shell that becomes the daemon.
(define (call-with-activated-daemon sockets environment proc)
  "Call PROC with the root, and the process, of a daemon that gets the list
SOCKETS from descriptor 3 on, when it listens, and with what it said until
then."
  (call-with-temporary-directory
   (lambda (root)
     (match (pipe)
       ((input . output)
        (let ((process
               (spawn-process
                "sh" (list "sh" "-c"
                           (string-append environment " exec \"$0\" \"$@\"")
                           %daemon (string-append "--root=" root)
                           (string-append "--listen=" root "/ignored"))
                #:output output #:error output
                #:descriptors (map cons (iota (length sockets) 3) sockets))))
          (close-port output)
          (call-with-process process
            (lambda (process)
              (let ((words (read-until-listening input)))
                (proc root process words))))))))
   #:mode #o755))

(define (bound-sockets directory)
  "Return a local socket and one of TCP, which listen, and their addresses."
  (let ((local (socket AF_UNIX SOCK_STREAM 0))
        (tcp (socket AF_INET SOCK_STREAM 0))
        (file (string-append directory "/bound")))
    (bind local AF_UNIX file)
    (bind tcp AF_INET INADDR_LOOPBACK 0)
    ;; As some managers do.
    (fcntl local F_SETFL (logior O_NONBLOCK (fcntl local F_GETFL)))
    (for-each (lambda (port) (listen port 5)) (list local tcp))
    (list local tcp file (sockaddr:port (getsockname tcp)))))

(define %handed-over "LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=a:b")

(call-with-temporary-directory
 (lambda (directory)
   (match (bound-sockets directory)
     ((local tcp file number)
      (call-with-activated-daemon (list local tcp) %handed-over
        (lambda (root process words)
          (define (file-there? name)
            (file-exists? (string-append root name)))
          (test-equal "sockets that are handed over are served"
            '(#t #t)
            (list (serves? (connect-to-file file))
                  (serves? (connect-over-tcp number))))
          (test-assert "it is told where they are"
            (string-suffix? (format #f "listening on ~a, 127.0.0.1:~a\n"
                                    file number)
                            words))
          (test-equal "then others are not opened, but for the control socket"
            '(#f #f #t)
            (map file-there? '("/ignored" "/var/guix/daemon-socket/socket"
                               "/var/guix/daemon-socket/control")))
          (test-equal "they are left to the manager in the end" '(0 #t)
            (begin
              (kill-process process SIGTERM)
              (let ((status (wait-process process)))
                (list (status:exit-val status) (file-exists? file)))))))

      (call-with-activated-daemon (list local tcp)
        (string-append "mkdir \"${1#--root=}/var\" \
\"${1#--root=}/var/guix\"; : > \"${1#--root=}/var/guix/daemon-socket\"; "
                       %handed-over)
        (lambda (root process words)
          (test-equal "no place for the control socket: it does without"
            '(#t #t)
            (list (->bool (string-contains words "no control socket"))
                  (serves? (connect-to-file file))))))

      (call-with-activated-daemon (list local tcp)
                                  "LISTEN_PID=1 LISTEN_FDS=2"
        (lambda (root process words)
          (test-assert "what is meant for another process is not taken"
            (serves? (connect-to-file (string-append root "/ignored"))))))))))

(test-equal "what another daemon has put in the place of a socket stays"
  '(0 #t)
  (call-with-temporary-directory
   (lambda (directory)
     (let ((file (string-append directory "/socket")))
       (call-with-activated-daemon '() (string-append "LISTEN=" file)
         (lambda (root process words)
           (let ((socket (string-append root "/ignored")))
             (rename-file socket file)
             (call-with-output-file socket (const #t))
             (kill-process process SIGTERM)
             (let ((status (wait-process process)))
               (list (status:exit-val status) (file-exists? socket))))))))))

(test-assert "a descriptor that is no socket"
  (call-with-temporary-directory
   (lambda (directory)
     (let ((port (open-file "/dev/null" "r")))
       (call-with-activated-daemon (list port) "LISTEN_PID=$$ LISTEN_FDS=1"
         (lambda (root process words)
           (and (string-contains words "descriptor 3 is not a socket")
                (= 1 (status:exit-val (wait-process process))))))))))

(test-end "listening")
