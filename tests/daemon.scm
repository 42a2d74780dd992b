;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; The command fruix-daemon as a process: options, sockets, settings of the
;;; administrator and of clients, and how it ends.

(use-modules (fruix clock)
             (fruix config)
             ((fruix durable) #:select (boot-id))
             (fruix process)
             (fruix protocol wire)
             ((fruix store) #:select (add-text! call-with-store))
             (fruix store layout)
             (ice-9 binary-ports)
             (ice-9 match)
             (ice-9 textual-ports)
             ((rnrs bytevectors) #:select (string->utf8))
             (srfi srfi-1)
             (srfi srfi-64)
             (tests daemon-support)
             (tests support)
             (tests worker-client))

(define (run-as name . arguments)
  "Run fruix-daemon under NAME, which must not start; return its exit code and
output."
  (match (pipe)
    ((input . output)
     (let ((process (spawn-process %daemon (cons name arguments)
                                   #:output output #:error output)))
       (close-port output)
       (let ((text (get-string-all input)))
         (close-port input)
         (list (status:exit-val (wait-process process)) text))))))

(define (says? expected-code words . arguments)
  "Return true if the command ends with EXPECTED-CODE and says WORDS."
  (match (apply run-as "fruix-daemon" arguments)
    ((code text)
     (and (= code expected-code)
          (string-contains text words)))))

(define %builds (append %build-users %host-directories))

(define (built? port drv)
  (eqv? 1 (result-of port read-int 9 (list drv) 0)))

(define (log-of port drv)
  "Build DRV and return what the builder wrote."
  (call-with-values (lambda () (request port read-int 9 (list drv) 0))
    (lambda (result log data)
      (string-concatenate log))))

(define %warns
  "((@@ (fruix daemon) prepare-process))
   (display \"fruix: a warning\\n\" (current-error-port))
   (primitive-_exit 0)")

(test-begin "daemon")
(test-equal "warnings are told at once" "fruix: a warning\n"
  (match (pipe)
    ((input . output)
     (let* ((guile (or (getenv "GUILE") "guile"))
            (process (spawn-process guile
                                    (list guile "--no-auto-compile"
                                          "-c" %warns)
                                    #:error output)))
       (close-port output)
       (let ((text (get-string-all input)))
         (close-port input)
         (wait-process process)
         text)))))
(sigaction SIGPIPE SIG_IGN)

;; The command line.
(test-assert "--help" (says? 0 "--max-jobs" "--help"))
(test-assert "--version" (says? 0 "fruix-daemon (Fruix) " "--version"))
(test-assert "unknown option" (says? 64 "--frob" "--frob"))
(test-assert "operand" (says? 64 "unexpected argument `x'" "x"))
(test-assert "--usage" (says? 0 "[--max-jobs=N]" "--usage"))
(test-assert "number that is none" (says? 1 "--cores" "--cores=many"))
(test-assert "address that is none" (says? 1 "no address" "--listen=:1"))
(test-assert "a directory without a name"
  (says? 1 "--root: `'" "--root="))
(test-assert "a directory that cannot be made"
  (says? 1 "mkdir: /dev/null/none: Not a directory" "--root=/dev/null/none"))
(test-assert "a file that is no socket"
  (says? 1 "bind: /dev/null: " "--listen=/dev/null"))
(test-equal "called as guix-daemon, it is that"
  '(#t "guix-daemon: unrecognized option `--frob'")
  (list (string-prefix? "guix-daemon (GNU Guix) "
                        (second (run-as "guix-daemon" "--version")))
        (first (string-split (second (run-as "guix-daemon" "--frob"))
                             #\newline))))
(test-assert "unknown compression"
  (says? 1 "log-compression" "--log-compression=zip"))
(unless (zero? (getuid))
  (test-runner-aux-value! (test-runner-current) "needs root")
  (test-skip 1))
(test-assert "group that does not exist"
  (says? 1 "no-such-group" "--build-users-group=no-such-group"))
(test-assert "directory that does not exist"
  (call-with-temporary-directory
   (lambda (root)
     (says? 1 "/no-such" "--chroot-directory=/no-such"
            (string-append "--root=" root)))))

;; Sockets.
(test-equal "sockets are open to all, below a directory that is not"
  '(#o666 #o666 #o755)
  (call-with-daemon
   (lambda (daemon)
     (let ((layout (daemon-layout daemon)))
       (map (lambda (file) (stat:perms (stat file)))
            (list (layout-socket layout)
                  (layout-control-socket layout)
                  (dirname (layout-socket layout))))))))
(test-assert "a second daemon does not take over the sockets"
  (call-with-daemon
   (lambda (daemon)
     (and (says? 1 "another daemon"
                 (string-append "--root="
                                (layout-root (daemon-layout daemon))))
          (alive? daemon)))))
(test-assert "the sockets of a daemon that was killed are replaced"
  (call-with-daemon alive?
    #:prepare (lambda (layout)
                (let ((port (socket AF_UNIX SOCK_STREAM 0))
                      (file (layout-socket layout)))
                  (for-each mkdir
                            (map (lambda (directory)
                                   (string-append (layout-root layout)
                                                  directory))
                                 '("/var" "/var/guix"
                                   "/var/guix/daemon-socket")))
                  (bind port AF_UNIX file)
                  (close-port port)))))
(test-equal "it ends in peace, and takes its sockets along" '(0 #f)
  (let ((end #f))
    (call-with-daemon
     (lambda (daemon)
       (set! end (lambda (code)
                   (list code
                         (file-exists? (layout-socket
                                        (daemon-layout daemon)))))))
     #:stopped (lambda (code words) (set! end (end code))))
    end))
(test-assert "a socket below a name longer than the system takes"
  (call-with-temporary-directory
   (lambda (parent)
     (define directory (string-append parent "/" (make-string 120 #\d)))
     (call-with-daemon
      (lambda (daemon)
        (let ((port (socket AF_UNIX SOCK_STREAM 0))
              (here (getcwd)))
          (chdir directory)
          (connect port AF_UNIX "socket")
          (chdir here)
          (greet port)
          (close-port port)
          #t))
      #:options (list (string-append "--listen=" directory "/socket"))))))


;; Builds.
(call-with-daemon
 (lambda (daemon)
   (test-equal "cores: the administrator's number, then the client's"
     '("7\n" "42\n")
     (call-with-client daemon
       (lambda (port)
         (set-options port #:print-build-trace 0)
         (let ((log (log-of port
                            (add-script port "seven"
                                        "echo $NIX_BUILD_CORES; > $out"))))
           (set-options port #:print-build-trace 0
                        #:settings '(("build-cores" . "42")))
           (list log
                 (log-of port
                         (add-script port "forty-two"
                                     "echo $NIX_BUILD_CORES; > $out")))))))
   (test-equal "a client's timeout" '(101 #t)
     (call-with-client daemon
       (lambda (port)
         (set-options port #:settings '(("build-timeout" . "1")))
         (match (result-of port read-int 9
                           (list (add-script port "endless" "sleep 1000")) 0)
           ((text status)
            (list status (string-suffix? "failed" text)))))))
   (test-equal "what two clients want is built once, and told a process once"
     (list %message-last 1 1)
     (call-with-client daemon
       (lambda (one)
         (let ((drv (add-script one "shared" "sleep 0.3; echo > $out")))
           (start-build one drv)
           (call-with-client daemon
             (lambda (two)
               (set-options two)
               (say two 9 (list drv) 0)
               (let* ((tag (read-int two))
                      (result (read-int two)))
                 (list tag result (receive-reply one read-int)))))))))
   (test-equal "ps: what runs, and for whom" (list 'running (getuid) (getpid))
     (call-with-client daemon
       (lambda (port)
         (let ((drv (add-script port "sleeper" "sleep 1000")))
           (start-build port drv)
           (call-with-controller daemon
             (lambda (control)
               (match (control '(ps))
                 (('ps ('build . facts))
                  (match (map (lambda (key) (assq-ref facts key))
                              '(path phase clients))
                    ((((? (lambda (name) (string=? name drv))))
                      (phase) ((uid pid)))
                     (list phase uid pid)))))))))))
   (test-assert "status"
     (call-with-controller daemon
       (lambda (control)
         (match (control '(status))
           (('status . facts)
            (equal? '(4) (assq-ref facts 'max-jobs)))))))
   (test-assert "the log's name is told for derivation and output"
     (call-with-client daemon
       (lambda (port)
         (let* ((drv (add-script port "logged" "echo logged; echo > $out"))
                (output (begin
                          (built? port drv)
                          (first (result-of port read-octets-list 22 drv)))))
           (call-with-controller daemon
             (lambda (control)
               (match (list (control `(log-file ,drv))
                            (control `(log-file ,output)))
                 ((('log-file name) ('log-file same))
                  (and (string=? name same)
                       (string-suffix? ".drv.gz" name)
                       (file-exists? name)))))))))))
 #:prepare install-shell
 #:options (append %builds '("--cores=7" "--max-jobs=4")))

(test-equal "--log-compression=none: the log is what the builder wrote"
  "plain\n"
  (call-with-daemon
   (lambda (daemon)
     (call-with-client daemon
       (lambda (port)
         (let ((drv (add-script port "plain" "echo plain; echo > $out")))
           (built? port drv)
           (call-with-controller daemon
             (lambda (control)
               (match (control `(log-file ,drv))
                 (('log-file name)
                  (call-with-input-file name get-string-all)))))))))
   #:prepare install-shell
   #:options (append %builds '("--log-compression=none"))))
(test-equal "--lose-logs: no log, and none is named" "@ build-started  "
  (call-with-daemon
   (lambda (daemon)
     (call-with-client daemon
       (lambda (port)
         (let ((drv (add-script port "mute" "echo > $out")))
           (set-options port)
           (call-with-values (lambda () (request port #f 9 (list drv) 0))
             (lambda (result log data)
               (match (string-split (first log) #\space)
                 (("@" "build-started" drv "-" system log-file pid)
                  (string-append "@ build-started  " log-file)))))))))
   #:prepare install-shell
   #:options (append %builds '("--lose-logs"))))

(unless (zero? (getuid)) (test-skip 1))
(test-equal "build users are no clients" '(refused served)
  (call-with-daemon
   (lambda (daemon)
     (define (try uid)
       (let ((port (dynamic-wind
                     (lambda () (seteuid uid))
                     (lambda () (connect-to daemon))
                     (lambda () (seteuid 0)))))
         (let ((answer (catch 'system-error
                         (lambda ()
                           (write-int port %client-magic)
                           (force-output port)
                           (get-u8 port))
                         (const #f))))
           (false-if-exception (close-port port))
           (if (eqv? answer (logand %daemon-magic #xff)) 'served 'refused))))
     (map try '(45011 45012)))
   #:options '("--build-users=45011:45010")))

(unless (zero? (getuid)) (test-skip 1))
(test-equal "who is refused neither keeps others out nor fills the log"
  '(#t #t)
  (let ((start (now))
        (report ""))
    (define others?
      (call-with-daemon
       (lambda (daemon)
         (seteuid 45011)
         (let ((refused (map (lambda (_) (connect-to daemon)) (iota 100))))
           (seteuid 0)
           (let ((alive? (alive? daemon)))
             (for-each close-port refused)
             alive?)))
       #:options '("--build-users=45011:45010")
       #:stopped (lambda (_ words) (set! report words))))
    ;; A line a second.
    (list others?
          (<= (string-count report #\newline) (+ 3 (- (now) start))))))

(test-equal "there are no more connections than descriptors for them"
  (list (if (zero? (getuid)) 12 6) #t)
  (call-with-daemon
   (lambda (daemon)
     (define (greeted? port)
       (catch #t
         (lambda () (->bool (greet port)))
         (const #f)))
     (let* ((ports (map (lambda (_) (connect-to daemon)) (iota 60)))
            (served (filter greeted? ports)))
       (for-each (lambda (port) (false-if-exception (close-port port)))
                 ports)
       (list (length served)
             (wait-until
              (lambda () (false-if-exception (alive? daemon)))))))
   #:limits '((open-files . 128))))

(test-equal "builders have as many descriptors as the daemon had at first"
  (call-with-values (lambda () (getrlimit 'nofile))
    (lambda (soft hard) (format #f "1000 ~a\n" (or hard "unlimited"))))
  (call-with-descriptors 1000
    (lambda ()
      (call-with-daemon
       (lambda (daemon)
         (call-with-client daemon
           (lambda (port)
             (set-options port #:print-build-trace 0)
             (log-of port
                     (add-script port "limits" "\
echo $(ulimit -Sn) $(ulimit -Hn); echo > $out")))))
       #:prepare install-shell
       #:options %builds))))

(test-equal "a file may not be as large as a client's: only the client is told"
  '(#t #t)
  (call-with-daemon
   (lambda (daemon)
     (list (call-with-client daemon
             (lambda (port)
               (match (result-of port read-octets 8 "large"
                                 (make-string (* 12 1024 1024) #\x) '())
                 ((text 1) (->bool (string-contains text "File too large")))
                 (other other))))
           (alive? daemon)))
   #:limits `((file-size . ,(* 10 1024 1024)))))

;; Ends.
(for-each
 (match-lambda
   ((name . signal)
    (test-assert (string-append name ": builders die with the daemon")
      (call-with-daemon
       (lambda (daemon)
         (call-with-client daemon
           (lambda (port)
             (let* ((drv (add-script port "sleeper" "sleep 1000"))
                    (pid (start-build port drv)))
               (kill-process (daemon-process daemon) signal)
               (wait-until (lambda () (not (running? pid))))))))
       #:prepare install-shell
       #:options %builds))))
 `(("SIGTERM" . ,SIGTERM) ("SIGINT" . ,SIGINT) ("SIGHUP" . ,SIGHUP)
   ;; On FreeBSD mounts stay then: see daemon-freebsd.scm.
   ,@(if (eq? %platform 'linux) `(("SIGKILL" . ,SIGKILL)) '())))

(let ((physical-store #f)
      (left #f))
  (define (prepare layout)
    (set! physical-store (layout-physical-store layout))
    (call-with-store layout
      (lambda (store) (add-text! store "text" (string->utf8 "text") '())))
    ;; As after a failed attempt to write it to the disk.
    (call-with-output-file (layout-durable-mark layout)
      (lambda (port) (write (list (boot-id) 0 0 'stuck) port))))
  (test-equal "what cannot be brought to the disk is told in the end, in order"
    '((1 #t) (".links"))
    (let ((ending #f))
      (call-with-daemon
       (lambda (daemon) (call-with-client daemon (const #t)))
       #:prepare prepare
       #:stopped (lambda (code output)
                   (set! ending
                         (list code
                               (->bool
                                (string-contains output
                                                 "brought to the disk"))))
                   (set! left
                         (filter (lambda (name) (string-prefix? "." name))
                                 (directory-entries physical-store)))))
      (list ending left))))

(test-end "daemon")
