;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; A hostile program does not get out of its sandbox, a sandbox that fails
;;; to start leaves nothing, and none outlives the thread that made it.

(use-modules (fruix config)
             (fruix descriptors)
             (fruix process)
             (fruix sandbox)
             (fruix sandbox performing)
             (fruix sandbox plan)
             (fruix sandbox spec)
             (fruix thread)
             (ice-9 match)
             (ice-9 textual-ports)
             (ice-9 threads)
             (srfi srfi-1)
             (srfi srfi-11)
             (srfi srfi-64)
             (tests sandbox-support)
             (tests support))

;; What comes of each attempt of tests/attack.cc where nothing but namespaces,
;; mounts and IDs stand against it; two values are those as root and without.
(define %defeats
  '(("write to an input" "EROFS")
    ("change the mode of an input" "EROFS")
    ("remove an input" "EROFS")
    ("create beside an input" "EROFS")
    ("move an input away" "EACCES" "EBUSY")
    ("create in the root" "EACCES")
    ("see a file of the host" "ENOENT")
    ("see it through /proc/1/root" "ENOENT")
    ("see it through /proc/1/cwd" "ENOENT")
    ("make a device" "EPERM")
    ("change the mode of a device" "EROFS")
    ("write to core_pattern" "EACCES")
    ("open by handle" "EPERM")
    ("become root" "EPERM" "EINVAL")
    ("take a group" "EPERM" "EINVAL")
    ("change groups" "EPERM")
    ("give a file to root" "EPERM" "EINVAL")
    ("rename the host" "EPERM")
    ("change the root directory" "EPERM")
    ("allow core dumps" "EPERM")
    ("signal a process of the host" "ESRCH")
    ("trace a process of the host" "ESRCH")
    ("read its memory" "ESRCH")
    ("signal everybody" "ESRCH")
    ("make an input writable" "EPERM")
    ("unmount an input" "EPERM")
    ("unmount /proc" "EPERM")
    ("mount over an input" "EPERM")
    ("find a mount that honours set-id bits" "ENOENT")
    ("reach an abstract socket of the host" "ECONNREFUSED")
    ("open a packet socket" "EPERM")
    ("nested, namespaces" "done")
    ("nested, make an input writable" "EPERM")
    ("nested, unmount an input" "EINVAL")
    ("nested, write to an input" "EROFS")
    ("nested, mount a device" "EPERM")
    ("nested, change the root directory" "done")
    ("nested, climb up" "done")
    ("nested, see a file of the host" "ENOENT")))

;; What a hardened sandbox, as it is by default, answers instead.
(define %hardened-defeats
  '(("open a packet socket" "EAFNOSUPPORT")
    ("nested, namespaces" "EPERM")
    ("nested, unmount an input" "EPERM")
    ("nested, change the root directory" "EPERM")
    ("nested, climb up" "EPERM")))

;; What is answered to the host's root, whom nothing but mounts keeps from files
;; that are his.
(define %mapped-defeats
  '(("write to core_pattern" "EROFS")))

(define (attack mode hardened?)
  "Return what comes of the attacks in MODE, as an alist."
  (call-with-sandbox-directory
   (lambda (directory)
     (let ((box (simple-sandbox mode directory)))
       (call-with-attack mode directory
         (lambda (program arguments)
           (report (call-in-mode mode
                                 (if hardened?
                                     box
                                     (with-field box 'hardening '()))
                                 directory program arguments))))))))

(define (test-attacks mode hardened?)
  (define results (attack mode hardened?))
  (define (name what)
    (format #f "~a~a: ~a" mode (if hardened? ", hardened" "") what))
  (define (defeat what)
    (match (or (and hardened? (assoc what %hardened-defeats))
               (and (eq? mode 'mapped) (assoc what %mapped-defeats))
               (assoc what %defeats))
      ((_ both) both)
      ((_ root rootless) (if (eq? mode 'root) root rootless))))
  (for-each (match-lambda
              ((what . _)
               (test-equal (name what) (defeat what)
                 (assoc-ref results what))))
            %defeats)
  (test-equal (name "no attack is missing here") '()
    (remove (lambda (what) (assoc what %defeats)) (map car results))))

;;; What a failure leaves.

(define (test-failures mode)
  "Let a sandbox fail after each of the steps of its first process."
  (call-with-sandbox-directory
   (lambda (directory)
     (define plan (sandbox-plan (simple-sandbox mode directory)))
     (define steps (plan-steps plan 'create 'enter 'program 'drop))
     (define (start steps)
       (call-with-step-errors
        (lambda ()
          (perform-plan "/gnu/store/item/probe" '("probe") '()
                        `(,@(plan-steps plan 'birth)
                          ("descriptors" -1 -1 -1)
                          ,@steps)))))
     (define before (state directory))
     (test-equal (format #f "~a: a failure after a step is reported" mode)
       (make-list (length steps)
                  `("chdir" ,ENOENT "sandbox: chdir: chdir: /nowhere: \
No such file or directory"))
       (map (lambda (n)
              (fault-of (lambda ()
                          (start (append (take steps n)
                                         '(("chdir" "/nowhere"))
                                         (drop steps n))))))
            (iota (length steps))))
     (test-equal (format #f "~a: and leaves nothing" mode)
       before (state directory)))))

(define (test-faults mode)
  "Test what is said about things that are wrong."
  (call-with-sandbox-directory
   (lambda (directory)
     (define (file name) (string-append directory "/" name))
     (define* (fault program #:optional field value #:key (output #f))
       (let ((box (simple-sandbox mode directory)))
         (fault-of (lambda ()
                     (run-in-sandbox (if field
                                         (with-field box field value)
                                         box)
                                     '("program") #:program program
                                     #:input #f #:output output #:error #f)))))
     (define (test what step errno text actual)
       (test-equal (format #f "~a: ~a" mode what)
         (list step errno (format #f "sandbox: ~a: ~a" text
                                  (strerror errno)))
         actual))
     (define before (state directory))
     (test "a program that does not exist" "program-within" ENOENT
           "program-within: openat2: /gnu/store/none"
           (fault "/gnu/store/none"))
     (test "a program elsewhere" "program-within" EACCES
           "program-within: not there: /etc/passwd"
           (fault "/etc/passwd" 'files '(("/etc/passwd" "" #o755))))
     (test "a symbolic link to elsewhere" "program-within" EACCES
           "program-within: not there: /gnu/store/link"
           (fault "/gnu/store/link" 'symlinks '(("/gnu/store/link" "/tmp"))))
     (test "the program that the child was forked from" "program-within"
           ELOOP "program-within: openat2: /proc/self/exe"
           (fault "/proc/self/exe"))
     (test "a program that is none" "execve" ENOEXEC
           "execve: /gnu/store/text"
           (fault "/gnu/store/text" 'files '(("/gnu/store/text" "\x01" #o755))))
     (test "a mount of nothing" "bind" ENOENT "bind: open_tree: /nowhere"
           (fault "/gnu/store/item/probe"
                  'mounts '(("/nowhere" "/x" read-only))))
     (test "a mount of a symbolic link" "bind" ELOOP
           (string-append "bind: symbolic link: " (file "alias"))
           (begin
             (symlink "store" (file "alias"))
             (fault "/gnu/store/item/probe"
                    'mounts `((,(file "alias") "/x" read-only)))))
     (test "a root that does not exist" "root" ENOENT "root: open: /nowhere"
           (fault "/gnu/store/item/probe" 'root "/nowhere"))
     (test "a root that is a file" "root" ENOTDIR
           (string-append "root: open: " (file "store/item/probe"))
           (fault "/gnu/store/item/probe" 'root (file "store/item/probe")))
     (test "a root that is a symbolic link" "root" ENOTDIR
           (string-append "root: open: " (file "root-alias"))
           (begin
             (symlink "root" (file "root-alias"))
             (fault "/gnu/store/item/probe" 'root (file "root-alias"))))
     (test "a root that others can write" "root" EPERM
           (string-append "root: not ours alone: " (file "shared"))
           (begin
             (mkdir (file "shared"))
             (chmod (file "shared") #o1777)
             (fault "/gnu/store/item/probe" 'root (file "shared"))))
     (when %root?
       (test "a root that is somebody else's" "root" EPERM
             (string-append "root: not ours alone: " (file "foreign"))
             (begin
               (mkdir (file "foreign"))
               (chown (file "foreign") 61002 61002)
               (fault "/gnu/store/item/probe" 'root (file "foreign")))))
     (test "a file system that is full" "file" ENOSPC
           "file: write: /large"
           (fault-of
            (lambda ()
              (run-in-sandbox
               (with-field (with-field (simple-sandbox mode directory)
                                       'limits '((storage . 4096)))
                           'files `(("/large" ,(make-string 100000 #\x)
                                     #o644)))
               '("/gnu/store/item/probe")))))
     (test "a descriptor that is closed" "descriptors" EBADF
           "descriptors: fcntl: 999"
           (fault "/gnu/store/item/probe" #:output 999))
     (test "a mount through a symbolic link of the host's" "bind" ELOOP
           "bind: openat: /bound/link/x"
           (begin
             (mkdir (file "bound"))
             (symlink "/" (file "bound/link"))
             (fault "/gnu/store/item/probe"
                    'mounts `((,(file "bound") "/bound" read-write)
                              ("/etc" "/bound/link/x" read-only)))))
     (test-equal (format #f "~a: nothing is left of these" mode)
       before (state directory)))))

;;; What should work.

(define (with-mounts box mounts)
  "Return BOX with MOUNTS added."
  (with-field box 'mounts (append (sandbox-mounts box) mounts)))

(define (test-mounts mode)
  (define (exit-value directory program mounts)
    (status:exit-val
     (run-in-sandbox (with-mounts (simple-sandbox mode directory) mounts)
                     '("probe") #:program program
                     #:input #f #:output #f #:error #f)))
  (test-equal (format #f "~a: single files can be mounted" mode)
    0
    (call-with-sandbox-directory
     (lambda (directory)
       (exit-value directory "/gnu/store/probe"
                   `((,(string-append directory "/store/item/probe")
                      "/gnu/store/probe" read-only))))))
  (test-equal (format #f "~a: 2,000 mounts" mode)
    0
    (call-with-sandbox-directory
     (lambda (directory)
       (define item (string-append directory "/store/item"))
       (exit-value directory "/gnu/store/item-1999/probe"
                   (map (lambda (i)
                          (list item (format #f "/gnu/store/item-~a" i)
                                'read-only))
                        (iota 2000)))))))

(define (test-missing-namespaces)
  "Try where no user namespace can be made."
  (test-assert "without user namespaces nothing is run"
    (call-with-sandbox-directory
     (lambda (directory)
       (define file
         (write-datum
          (sandbox->sexp
           (sandbox #:root (string-append directory "/root")
                    #:mapping '((uid 30001 . 0) (gid 30000 . 0))
                    #:mounts `((,(string-append directory "/store")
                                "/gnu/store" read-only))))
          (string-append directory "/box")))
       (let-values
           (((text status)
             (output-of
              (lambda (out)
                (spawn-process
                 "unshare"
                 `("unshare" "--user" "--map-root-user" "sh" "-c"
                   ,(string-append
                     "echo 0 > /proc/sys/user/max_user_namespaces"
                     " && exec \"$@\"")
                   "sh" ,(or (getenv "GUILE") "guile") "--no-auto-compile"
                   ,(string-append (getenv "abs_top_srcdir")
                                   "/tests/run-sandbox.scm")
                   ,file "/gnu/store/item/job" "job" "/" "0")
                 #:output out #:error out)))))
         (and (string-contains
               text "clone: new namespaces: No space left on device (a limit \
in /proc/sys/user, not a disk)")
              (not (string-contains text "user: "))
              (not (zero? (status:exit-val status)))))))))

;;; Death.

(define (ends-within? fd seconds)
  "Return true if the last writer to the pipe FD goes within SECONDS."
  (match (poll-descriptors `((,fd)) (* 1000 seconds))
    (((_ 'hangup)) #t)
    (_ #f)))

(define (call-with-holding-sandbox mode proc)
  "Call PROC with a process in a sandbox that ignores SIGTERM and would run
for a minute, and a pipe that it holds."
  (call-with-sandbox-directory
   (lambda (directory)
     (let-values (((in out) (make-pipe)))
       (let ((process (start-alone (simple-sandbox mode directory)
                                   "/gnu/store/item/job"
                                   '("job" "/" "60") out)))
         (close-fdes out)
         (let ((result (proc process in)))
           (close-fdes in)
           result))))))

(define (test-death mode)
  (test-assert (format #f "~a: ends with the thread that made it" mode)
    (call-with-sandbox-directory
     (lambda (directory)
       (let-values (((in out) (make-pipe)))
         (let ((process
                (join-thread
                 (start-thread
                  (lambda ()
                    (start-alone (simple-sandbox mode directory)
                                 "/gnu/store/item/job"
                                 '("job" "/" "60") out))))))
           (close-fdes out)
           (let ((ended? (ends-within? in 2)))
             (close-fdes in)
             (and ended?
                  (= SIGKILL
                     (status:term-sig (wait-process process))))))))))
  (test-assert (format #f "~a: is killed as one" mode)
    (call-with-holding-sandbox mode
      (lambda (process in)
        (kill-process process SIGKILL)
        (wait-process process)
        (ends-within? in 2)))))

(define (test-daemon-death)
  "Kill the process whose thread started a sandbox."
  (test-assert "ends when its daemon is killed"
    (call-with-sandbox-directory
     (lambda (directory)
       (let-values (((in out) (make-pipe)))
         (let* ((mode (first %modes))
                (file (string-append directory "/box"))
                (box (simple-sandbox mode directory)))
           (call-with-output-file file
             (lambda (port) (write (sandbox->sexp box) port)))
           (let ((daemon
                  (spawn-process
                   (or (getenv "GUILE") "guile")
                   `("guile" "--no-auto-compile"
                     ,(string-append (getenv "abs_top_srcdir")
                                     "/tests/run-sandbox.scm")
                     ,file "/gnu/store/item/job" "job" "/" "60")
                   #:output out)))
             (close-fdes out)
             ;; The job has begun once it says so.
             (let ((started (poll-descriptors `((,in readable)) 10000)))
               (kill-process daemon SIGKILL)
               (wait-process daemon)
               (let* ((port (fdes->inport in))
                      (text (get-string-all port)))
                 (close-port port)
                 (and (pair? started)
                      (string-prefix? "user: " text)))))))))))

(define (test-all)
  (for-each (lambda (mode)
              (test-attacks mode #f)
              (test-attacks mode #t))
            (if %root? (cons 'mapped %modes) %modes))
  (for-each (lambda (mode)
              (test-failures mode)
              (test-faults mode)
              (test-mounts mode)
              (test-death mode))
            %own-modes)
  (test-missing-namespaces)
  (test-daemon-death))

(test-begin "sandbox-linux")
(skip-unless (eq? %platform 'linux) "needs Linux")
(if (eq? %platform 'linux)
    (test-all)
    (test-assert "sandboxes" #f))
(test-end "sandbox-linux")
