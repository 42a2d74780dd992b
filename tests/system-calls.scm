;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; The filter of system calls refuses what it must, through every door, and
;;; programs do not notice it.

(use-modules (fruix config)
             (fruix process)
             (ice-9 match)
             (srfi srfi-1)
             (srfi srfi-11)
             (srfi srfi-64)
             (tests sandbox-support)
             (tests support))

;; What comes of attempts of tests/escape.cc; all others are done.
(define %refusals
  '(("EPERM"
     "chmod 4755" "chmod 2755" "chmod 2000" "chmod with upper bits"
     "fchmodat 4755" "fchmodat2 4755" "fchmod 4755"
     "openat 4755" "openat 2755" "openat nameless" "open 4755"
     "open nameless" "creat 4755" "mknodat 4755" "mknod 4755" "mkdirat 2755"
     "mkdir 2755"
     "unshare, user" "unshare, mount" "unshare, PID" "unshare, network"
     "unshare, IPC" "unshare, UTS" "unshare, cgroup" "unshare, time"
     "clone, user" "clone, mount" "clone, PID" "clone, network" "clone, IPC"
     "clone, UTS" "clone, cgroup" "setns"
     "mount" "umount2" "pivot_root" "swapon" "swapoff" "quotactl" "reboot"
     "kexec_load" "kexec_file_load" "init_module" "finit_module"
     "delete_module" "syslog" "bpf" "perf_event_open" "userfaultfd"
     "fanotify_init" "open_by_handle_at"
     "a call that becomes chmod"
     "i386 chmod" "i386 fchmod" "i386 fchmodat" "i386 fchmodat2"
     "i386 open" "i386 creat" "i386 mknod" "i386 mkdir" "i386 openat"
     "i386 mkdirat" "i386 mknodat" "i386 clone" "i386 unshare" "i386 mount"
     "i386 umount" "i386 umount2" "i386 bpf"
     "limit cores and ask" "i386 limit cores and ask")
    ("ENOSYS"
     "openat2 4755" "setxattrat" "clone3" "open_tree" "move_mount" "fsopen"
     "fsconfig" "fsmount" "fspick" "mount_setattr" "statmount" "listmount"
     "quotactl_fd" "pidfd_getfd" "lsm_set_self_attr" "io_uring_setup"
     "io_uring_enter" "io_uring_register" "add_key" "request_key" "keyctl"
     "a call of the future" "x32 getpid" "x32 chmod" "x32 socket"
     "i386 keyctl" "i386 io_uring_setup" "i386 socketcall")
    ("EAFNOSUPPORT"
     "socket, vsock" "socket, crypto" "socket, packet" "socket, XDP"
     "socket, Bluetooth" "socket, TIPC" "socket, CAN" "socket, RxRPC"
     "socket, key management" "socket, SMC" "socket, no such family"
     "socket, vsock with upper bits" "i386 socket")
    ("EPROTONOSUPPORT"
     "socket, raw" "socket, raw with flags" "socket, raw IPv6"
     "socket, packet by IPv4" "socket, SCTP" "socket, MPTCP" "socket, ping"
     "socket, netlink, transformations" "socket, netlink, packet filter"
     "socket, netlink, generic" "socket, netlink, diagnosis"
     "socket, netlink, events")
    ("EINVAL"
     "take a lease" "i386 take a lease" "i386 take a lease by fcntl64"
     "take a delegation" "i386 take a delegation")
    ("ENOTTY"
     "make a subvolume" "make a subvolume, limited" "make a snapshot"
     "make a snapshot, read-only" "encrypt" "encrypt with upper bits"
     "i386 make a subvolume" "i386 encrypt")
    ("EOPNOTSUPP"
     "socket pair, TIPC" "i386 socketpair")))

(define (expected what)
  "Return what must come of the attempt WHAT."
  (or (any (match-lambda
             ((errno . attempts) (and (member what attempts) errno)))
           %refusals)
      "done"))

;; Of those, what a kernel may lack, and so answer without a filter.
(define (perhaps-absent? what)
  (or (member (expected what) '("ENOSYS" "EAFNOSUPPORT" "EPROTONOSUPPORT"))
      (member what '("fchmodat2 4755" "i386 fchmodat2"))))

(define (scope-steps)
  (if (>= (landlock-version) 6) '(("abstract-sockets")) '()))

(define (filter-steps leniency)
  (if leniency `(("system-calls" ,@leniency)) '()))

(define (user-steps user)
  (if (and user %root?)
      `(("credentials" ,user ,user))
      '()))

(define* (run program arguments #:key user (leniency '()) directory)
  "Run PROGRAM in DIRECTORY, filtered with LENIENCY unless it is #f, as USER if
we can choose; return its output and status."
  (output-of
   (lambda (out)
     (perform-plan program arguments
                   `("PATH=/usr/local/bin:/usr/bin:/bin"
                     ,(string-append "HOME=" directory)
                     "LC_ALL=C.UTF-8" "GUILE_AUTO_COMPILE=0")
                   `(("namespaces")
                     ("descriptors" -1 ,out ,out)
                     ("chdir" ,directory)
                     ,@(user-steps user)
                     ("no-new-privileges")
                     ("new-keyring")
                     ,@(scope-steps)
                     ,@(filter-steps leniency)
                     ("death-signal" ,SIGKILL))))))

(define (call-with-work-directory proc)
  "Call PROC with a directory that the plain user owns."
  (call-with-temporary-directory
   (lambda (directory)
     (chown directory %plain-user -1)
     (proc directory))
   #:mode #o755))

(define* (escape #:key user (leniency '()))
  "Return what comes of the attempts, as an alist."
  (call-with-work-directory
   (lambda (directory)
     (let ((program (string-append directory "/escape")))
       (copy-file (test-program "escape") program)
       (let-values (((text status)
                     (run program '("escape") #:user user #:leniency leniency
                          #:directory directory)))
         (alist-delete "i386" (report text)))))))

(define (surprises results)
  "Return those of RESULTS that are not as expected."
  (remove (match-lambda
            ((what . result) (equal? result (expected what))))
          results))

(define (test-attempts plain)
  "Test PLAIN, what comes of the attempts for a user without privileges."
  (define multiplexed (escape #:user %plain-user #:leniency '("socketcall")))
  (for-each (match-lambda
              ((what . result)
               (test-equal what (expected what) result)))
            plain)
  (unless (string-prefix? "x86_64" %host-type) (test-skip 1))
  (test-equal "every refusal is tried, those of i386 if it can run" '()
    (remove (lambda (what)
              (or (assoc what plain)
                  (string-prefix? "i386 " what)))
            (append-map cdr %refusals)))
  (test-assert "socketcall is for 32-bit builds only"
    (member (surprises multiplexed)
            '((("i386 socketcall" . "done"))
              ;; Without support for i386.
              ()))))

(define (test-root)
  "Test that it is the filter that refuses, and not the kernel."
  (define filtered (escape))
  (define unfiltered (escape #:leniency #f))
  (test-equal "root: refused the same" '() (surprises filtered))
  (test-equal "root: without the filter, all that is there is done" '()
    (filter-map (match-lambda
                  ((what . result)
                   (and (equal? result (expected what))
                        (not (equal? result "done"))
                        (not (perhaps-absent? what))
                        what)))
                unfiltered)))

;;; Programs that know nothing of filters.

(define (installed-program name)
  (search-path '("/usr/local/bin" "/usr/bin" "/bin") name))

(define (test-unchanged what name . arguments)
  "Test that the program NAME with ARGUMENTS succeeds, and says the same with
the filter and without."
  (define (outcome program leniency)
    (call-with-work-directory
     (lambda (directory)
       (call-with-values
           (lambda ()
             (run program (cons name arguments) #:user %plain-user
                  #:leniency leniency #:directory directory))
         (lambda (text status)
           (list (status:exit-val status) text))))))
  (let ((program (installed-program name)))
    (if program
        (let ((unfiltered (outcome program #f)))
          (test-equal (string-append what ": succeeds") 0
            (first unfiltered))
          (test-equal (string-append what ": does not notice the filter")
            (list unfiltered unfiltered)
            (list (outcome program '()) (outcome program '("socketcall")))))
        (begin
          (test-skip 1)
          (test-assert what #f)))))

(define %compilation
  "echo 'int puts (const char *); int main () { puts (\"hello\"); }' > a.c
gcc -o a a.c && ./a && gcc -pthread -pipe -O2 -c a.c && ar cr a.a a.o")

;; Programs of i386, without a C library, which may not be there.
(define %compilation-for-i386
  "cat > a.s << end
.globl _start
_start: movl \\$20, %eax; int \\$0x80
        movl \\$1, %eax; movl \\$0, %ebx; int \\$0x80
end
gcc -m32 -nostdlib -static -o a a.s && ./a && echo ran")

(define %archive
  "mkdir a && echo 1 > a/b && tar cf a.tar --mode=6755 a && rm -r a &&
tar xf a.tar && cat a/b && test ! -u a/b && cp -rp a c && mv c d && ls -l d |
cut -c 1-10 && find d -type f -exec sort {} + && install -m 755 a/b e")

(define %repository
  "git init -q . && echo 1 > a && git add a &&
git -c user.name=A -c user.email=a@b commit -q -m a && git clone -q . b &&
git -C b log --format=%s && git gc -q")

(define %python "
import os, shutil, socket, subprocess, tempfile, threading
with tempfile.TemporaryDirectory() as d:
    shutil.copytree(d, d + '2')
server = socket.create_server(('127.0.0.1', 0))
t = threading.Thread(target=lambda: server.accept()[0].sendall(b'hello'))
t.start()
print(socket.create_connection(server.getsockname()).recv(5))
t.join()
print(subprocess.run(['uname'], capture_output=True, text=True).stdout)
")

(define %guile
  "(use-modules (ice-9 threads) (ice-9 popen) (ice-9 rdelim))
(display (join-thread (call-with-new-thread (lambda () (+ 1 1)))))
(display (read-line (open-pipe* OPEN_READ \"uname\")))")

(define (test-programs i386?)
  "Test programs, those of i386 too if I386? is true."
  (test-unchanged "a shell" "busybox" "sh" "-c"
                  "echo b a | tr ' ' '\\n' | sort; mkdir c; ls; id -u")
  (test-unchanged "an archive" "sh" "-c" %archive)
  (test-unchanged "Python" "python3" "-c" %python)
  (test-unchanged "Guile" "guile" "-c" %guile)
  (when (installed-program "gcc")
    (test-unchanged "a compiler" "sh" "-c" %compilation)
    (when i386?
      (test-unchanged "a program of i386" "sh" "-c" %compilation-for-i386)))
  (when (installed-program "git")
    (test-unchanged "a repository" "sh" "-c" %repository)))

;;; What can go wrong.

(define (fault steps)
  "Return the call, object and errno of what STEPS raise, or #f."
  (catch 'system-error
    (lambda ()
      (perform-plan "/bin/true" '("true") '()
                    `(("namespaces") ("descriptors" -1 -1 -1) ,@steps))
      #f)
    (lambda (key who template arguments errno)
      (list who (first arguments) (first errno)))))

(define (test-faults)
  (test-equal "without promising not to gain privileges"
    `("system-calls: seccomp" "Permission denied" ,EACCES)
    (fault `(,@(user-steps %plain-user) ("system-calls"))))
  (test-equal "an unknown leniency" `("system-calls: seccomp" "64-bit" ,EINVAL)
    (fault '(("no-new-privileges") ("system-calls" "64-bit")))))

(test-begin "system-calls")
(if (eq? %platform 'linux)
    (let ((plain (escape #:user %plain-user)))
      (test-attempts plain)
      (test-programs (assoc "i386 chmod" plain))
      (test-faults)
      (skip-unless %root? "needs root: others are refused by the kernel")
      (test-root))
    (begin
      (skip-unless #f "only Linux has this step")
      (test-assert "the filter of system calls" #f)))
(test-end "system-calls")
