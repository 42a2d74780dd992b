;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; A sandbox in an outside network reaches what the host reaches, but is not
;;; in the host's network; and what serves it ends with it.

(use-modules (fruix config)
             (fruix process)
             (fruix sandbox)
             (fruix sandbox outside)
             (fruix sandbox performing)
             (ice-9 match)
             (ice-9 textual-ports)
             (ice-9 threads)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests sandbox-support)
             (tests support))

;; Not the users of other tests: tests kill all that such users run.
(define %user (+ 45000 (modulo (getpid) 5000)))

(define (identity mode)
  (if (eq? mode 'root)
      (list #:user %user #:group %user)
      (list #:mapping `((uid 30001 . ,(getuid)) (gid 30000 . ,(getgid))))))

(define (call-with-listener proc)
  "Call PROC with the number of a TCP port on the host's loopback interface,
behind which there is a server that says hello to everybody."
  (let ((listener (socket PF_INET (logior SOCK_STREAM SOCK_CLOEXEC) 0)))
    (bind listener AF_INET INADDR_LOOPBACK 0)
    (listen listener 5)
    (call-with-new-thread
     (lambda ()
       (let loop ()
         (match (accept listener)
           ((connection . _)
            (display "hello\n" connection)
            (close-port connection)
            (loop))))))
    (proc (sockaddr:port (getsockname listener)))))

(define (box mode directory)
  (apply sandbox
         #:root (string-append directory "/root")
         #:mounts `(("/bin/busybox" "/busybox" read-only)
                    (,(test-program "escape") "/escape" read-only))
         #:network 'host
         #:hardening '(system-calls)
         (identity mode)))

(define (output-within network box command)
  (call-with-pipe
   (lambda (in out)
     (call-with-sandboxed-program box command
       (lambda (process)
         (close-port out)
         (let ((text (get-string-all in)))
           (wait-process process)
           text))
       #:program (string-append "/" (car command))
       #:input #f #:output out #:error out
       #:network-of (outside-network-process network)))))

(define* (call-with-network mode directory proc . options)
  (define network
    (apply open-outside-network (string-append directory "/network")
           (append options (identity mode))))
  (dynamic-wind
    (const #t)
    (lambda () (proc network))
    (lambda () (close-outside-network network))))

(define (call-with-directories proc)
  (call-with-temporary-directory
   (lambda (directory)
     (mkdir (string-append directory "/root") #o755)
     (mkdir (string-append directory "/network") #o700)
     (proc directory))
   #:mode #o755))

(define (serving-processes directory)
  "Return the IDs of the processes that have something in DIRECTORY mounted, as
slirp4netns has; its name may not be that on the host."
  (filter-map (lambda (process)
                (catch 'system-error
                  (lambda ()
                    (and (string-contains
                          (call-with-input-file
                              (format #f "/proc/~a/mountinfo" process)
                            get-string-all)
                          (basename directory))
                         process))
                  (const #f)))
              (filter string->number (directory-entries "/proc"))))

(define (slirp-process directory)
  "Return the ID of the process that is slirp4netns for DIRECTORY."
  (find (lambda (process)
          (string=? "slirp4netns\n"
                    (call-with-input-file (format #f "/proc/~a/comm" process)
                      get-string-all)))
        (serving-processes directory)))

(define (confinement process)
  "Return what PROCESS sees of the host's files beside those of programs, and
what it may do."
  (define status
    (map string-tokenize
         (string-split (call-with-input-file
                           (format #f "/proc/~a/status" process)
                         get-string-all)
                       #\newline)))
  (define (entries name)
    (directory-entries (format #f "/proc/~a/root/~a" process name)))
  (list (lset-difference string=? (entries "")
                         '("bin" "gnu" "lib" "lib32" "lib64" "usr")
                         ;; Where the program itself is.
                         (take (cdr (string-split %slirp4netns #\/)) 1))
        (entries "etc")
        (entries "run/slirp")
        (map (lambda (name) (second (assoc name status)))
             '("CapEff:" "CapBnd:" "NoNewPrivs:" "Seccomp:"))))

(define (say port host)
  `("busybox" "sh" "-c"
    ,(format #f "/busybox nc -w 5 ~a ~a </dev/null" host port)))

(define (test-mode mode port)
  (define-syntax-rule (test-equal* what expected actual)
    (test-equal (format #f "~a: ~a" mode what) expected actual))
  (call-with-directories
   (lambda (directory)
     (define before (process-state))
     (call-with-network mode directory
       (lambda (network)
         (define (output . command)
           (output-within network (box mode directory) command))
         (test-equal* "the gateway is the host's loopback interface" "hello\n"
           (apply output (say port %outside-gateway)))
         (test-equal* "so is the loopback address" "hello\n"
           (apply output (say port "127.0.0.1")))
         (test-equal* "there is one interface" "lo tap0 "
           (output "busybox" "sh" "-c" "
for i in $(/busybox ip -o link | /busybox cut -d: -f2); do
  echo -n \"$i \"
done"))
         (test-equal* "only the program itself is to be seen"
           "/proc/1\n"
           (output "busybox" "sh" "-c" "echo /proc/[0-9]*"))
         (test-equal* "abstract sockets of the host are not there"
           "connect: ECONNREFUSED\n"
           (call-with-escape '() '("listen" "fruix-outside")
             (lambda (line)
               (output "escape" "connect" "fruix-outside"))))
         (test-equal* "the interface cannot be changed"
           "ip: SIOCSIFFLAGS: Operation not permitted\n"
           (output "busybox" "ip" "link" "set" "tap0" "down"))
         (test-equal* "slirp4netns runs as the user of the sandbox"
           #t
           (every (lambda (process)
                    (= (stat:uid (stat (string-append "/proc/" process)))
                       (if (eq? mode 'root) %user (getuid))))
                  (serving-processes directory)))))
     (test-equal* "slirp4netns sees no files of the host, and may do nothing"
       '(("dev" "etc" "proc" "run") ("resolv.conf") ("socket")
         ("0000000000000000" "0000000000000000" "1" "2"))
       (call-with-directories
        (lambda (directory)
          (call-with-network mode directory
            (lambda (network)
              (confinement (slirp-process directory)))))))
     (test-equal* "and it is gone with the network" '()
       (serving-processes directory))
     (test-equal* "nothing else is left" before (process-state))))
  (test-equal* "the loopback interface of the host can be out of reach"
    '("nc: can't connect to remote host (10.0.2.2): Network is unreachable\n"
      "nc: can't connect to remote host (127.0.0.1): Connection refused\n"
      #t)
    (call-with-directories
     (lambda (directory)
       (call-with-network mode directory
         (lambda (network)
           (define (output . command)
             (output-within network (box mode directory) command))
           (list (apply output (say port %outside-gateway))
                 (apply output (say port "127.0.0.1"))
                 (->bool
                  (string-contains (output "busybox" "ip" "addr")
                                   "inet 127.0.0.1"))))
         #:host-loopback? #f))))
  (test-equal* "a sandbox with a network of its own is in no other"
    "sandbox: network: must be host to be that of a process, not loopback"
    (call-with-directories
     (lambda (directory)
       (call-with-network mode directory
         (lambda (network)
           (message-of
            (lambda ()
              (output-within network
                             (with-field (box mode directory)
                                         'network 'loopback)
                             '("busybox" "true"))))))))))

(define (call-without-slirp file proc)
  "Call PROC while the configured name of slirp4netns is FILE."
  (define config (resolve-module '(fruix config)))
  (define path (getenv "PATH"))
  (module-set! config '%slirp4netns file)
  (setenv "PATH" "/none")
  (let ((result (proc)))
    (module-set! config '%slirp4netns %found)
    (setenv "PATH" path)
    result))

(define %found %slirp4netns)

(define (open-message mode file)
  "Return the message when slirp4netns is FILE, and what is left."
  (call-with-directories
   (lambda (directory)
     (define before (process-state))
     (list (call-without-slirp file
             (lambda ()
               (message-of
                (lambda ()
                  (apply open-outside-network
                         (string-append directory "/network")
                         (identity mode))))))
           (equal? before (process-state))
           (serving-processes directory)))))

(define (test-failures mode)
  (test-equal (format #f "~a: without slirp4netns there is none" mode)
    '("no slirp4netns" #t ())
    (open-message mode "slirp4netns"))
  (test-equal (format #f "~a: nor with another program" mode)
    '("slirp4netns ended" #t ())
    (open-message mode "/bin/busybox")))

(define (step-failure step)
  "Return what STEP fails with in a process that has a network of its own."
  (fault-of
   (lambda ()
     (wait-process
      (call-with-step-errors
       (lambda ()
         (perform-plan "/bin/busybox" '("busybox" "true") '()
                       `(("namespaces" "net" "user")
                         ("user-map" ,(format #f "~a ~a 1" (getuid) (getuid))
                                     ,(format #f "~a ~a 1" (getgid) (getgid)))
                         ("descriptors" -1 -1 -1)
                         ,step))))))))

(define (test-steps)
  (for-each
   (match-lambda
     ((step errno object)
      (test-equal (format #f "~a tells why it fails" (car step))
        (list (car step) errno #t)
        (match (step-failure step)
          ((name number message)
           (list name number
                 (->bool (string-contains message object))))))))
   `((("tap" "lo" 1) ,EINVAL "lo")
     (("interface-up" "none0" 1500 "10.0.2.100" "255.255.255.0") ,ENODEV
      "SIOCSIFMTU")
     (("interface-up" "lo" 1500 "nowhere" "255.0.0.0") ,EINVAL "nowhere")
     (("interface-up" "lo" 1500 "127.0.0.1" "nothing") ,EINVAL "nothing")
     (("default-route" "10.0.2.2") ,ENETUNREACH "10.0.2.2")
     (("default-route" "nowhere") ,EINVAL "nowhere")
     (("address6" "none0" "fd00::80" 64) ,ENODEV "fd00::80")
     (("default-route6" "lo" "nowhere") ,EINVAL "nowhere")
     (("network-setting" ,(make-string 5000 #\a) "1") ,ENAMETOOLONG "aaa"))))

(test-begin "sandbox-outside")
(skip-unless (not %no-outside) %no-outside)
(if %no-outside
    (test-assert "outside networks" #f)
    (call-with-listener
     (lambda (port)
       (test-steps)
       (for-each (lambda (mode)
                   (test-mode mode port)
                   (test-failures mode))
                 %own-modes))))
(test-end "sandbox-outside")
