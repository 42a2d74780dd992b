;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; A sandbox is a checked, readable value, and its plan on Linux is what it
;;; should be, step by step.  Runs on any system, without privileges.

(use-modules (fruix sandbox linux)
             (fruix sandbox spec)
             (ice-9 match)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests support))

(define (box . options)
  (apply sandbox #:root "/box" #:user 35001 #:group 35002 options))

(define (plan box)
  (linux-plan box #:present? (const #f)))

(define (steps name plan)
  (filter (lambda (step) (string=? (first step) name)) plan))

(define (before? a b plan)
  "Return true if the step called A comes before the one called B in PLAN."
  (< (list-index (lambda (step) (string=? (first step) a)) plan)
     (list-index (lambda (step) (string=? (first step) b)) plan)))

(define %rootless
  (sandbox #:root "/box" #:mapping '((uid 30001 . 1000) (gid 30000 . 100))))

(test-begin "sandbox-spec")

(test-equal "the plan of a small sandbox, as root"
  '(("namespaces" "mount" "pid" "ipc" "uts" "net")
    ("session")
    ("umask" #o022)
    ("loopback-up")
    ("host-name" "localhost")
    ("domain-name" "(none)")
    ("root" "/box" "mode=0755")
    ("directory" "/tmp" #o1777)
    ("directory" "/etc" #o755)
    ("file" "/etc/hosts" "127.0.0.1 localhost\n" #o644)
    ("directory" "/gnu" #o755)
    ("directory" "/gnu/store" #o755)
    ("bind" "/gnu/store/a" "/gnu/store/a" "read-only")
    ("symlink" "bash" "/sh")
    ("bind" "/var/build" "/tmp/build" "read-write")
    ("filesystem" "proc" "/proc")
    ("pivot-root" #o555)
    ("chdir" "/tmp/build")
    ("personality" #x40008)
    ("oom-score" 1000)
    ("limit" "core" 0 0)
    ("program-within" "/gnu/store")
    ("drop-capabilities")
    ("credentials" 35001 35002 7 8)
    ("no-new-privileges")
    ("death-signal" 9))
  (plan (box #:directories '(("/tmp" #o1777))
             #:files '(("/etc/hosts" "127.0.0.1 localhost\n" #o644))
             #:symlinks '(("/sh" "bash"))
             #:mounts '(("/var/build" "/tmp/build" read-write)
                        ("/gnu/store/a" "/gnu/store/a" read-only))
             #:devices? #f
             #:supplementary-groups '(7 8)
             #:directory "/tmp/build"
             #:program-directory "/gnu/store"
             #:personality '(32-bit fixed-addresses))))

(test-equal "identity in a user namespace"
  '((("user-map" "30001 1000 1" "30000 100 1"))
    (("lock-mounts" "30001 30001 1" "30000 30000 1"))
    ())
  (map (lambda (name) (steps name (plan %rootless)))
       '("user-map" "lock-mounts" "credentials")))

(test-assert "a user namespace only with a mapping"
  (and (member "user" (first (plan %rootless)))
       (not (member "user" (first (plan (box)))))))

(test-assert "the user is mapped before anything else is done"
  (string=? "user-map" (first (second (plan %rootless)))))

(test-assert "mounts are locked after the last, before capabilities go"
  (and (before? "pivot-root" "lock-mounts" (plan %rootless))
       (before? "lock-mounts" "drop-capabilities" (plan %rootless))))

(test-equal "the death signal is last" '("death-signal" 9)
  (last (plan %rootless)))

(test-equal "network: none, loopback, host"
  '((#t #f) (#t #t) (#f #f))
  (map (lambda (network)
         (let ((plan (plan (box #:network network))))
           (list (and (member "net" (first plan)) #t)
                 (pair? (steps "loopback-up" plan)))))
       '(none loopback host)))

(test-equal "mounts inside one another, in byte order"
  '("/a" "/a-b" "/a/b" "/b")
  (map third (steps "bind" (plan (box #:devices? #f
                                      #:mounts '(("/" "/b" read-only)
                                                 ("/" "/a/b" read-only)
                                                 ("/" "/a" read-only)
                                                 ("/" "/a-b" read-only)))))))

(test-equal "symbolic links are made inside mounts, files are not"
  '("file" "bind" "symlink")
  (filter (lambda (name) (member name '("bind" "file" "symlink")))
          (map first
               (plan (box #:devices? #f
                          #:files '(("/a/file" "" #o644))
                          #:symlinks '(("/a/link" "x"))
                          #:mounts '(("/" "/a" read-write)))))))

(test-equal "the devices of a host that has them all"
  '("full" "kvm" "null" "random" "tty" "urandom" "zero")
  (filter-map (match-lambda
                ((_ _ target _)
                 (and (string-prefix? "/dev/" target)
                      (string-drop target 5))))
              (steps "bind" (linux-plan (box) #:present? (const #t)))))

(test-equal "a /dev of the user's: only shm is mounted"
  '(1 () (("filesystem" "tmpfs" "/dev/shm" "mode=1777")))
  (let ((plan (plan (box #:mounts '(("/dev" "/dev" read-write))
                         #:proc? #f))))
    (list (length (steps "bind" plan))
          (steps "symlink" plan)
          (steps "filesystem" plan))))

(test-assert "10,000 mounts are planned in a second of CPU time"
  (let* ((mounts (map (lambda (i)
                        (let ((name (format #f "/gnu/store/item-~a" i)))
                          (list name name 'read-only)))
                      (iota 10000)))
         (start (get-internal-run-time))
         (count (length (steps "bind" (plan (box #:devices? #f
                                                 #:mounts mounts))))))
    (and (= count 10000)
         (< (/ (- (get-internal-run-time) start)
               internal-time-units-per-second)
            1))))

(test-assert "written and read, it is equal"
  (let ((sexp (sandbox->sexp %rootless)))
    (equal? %rootless
            (sexp->sandbox
             (call-with-input-string
                 (call-with-output-string
                   (lambda (port) (write sexp port)))
               read)))))

(test-assert "the printed form is the readable one"
  (equal? (sandbox->sexp %rootless)
          (call-with-input-string
              (call-with-output-string
                (lambda (port) (write %rootless port)))
            read)))

(for-each
 (match-lambda
   ((name options message)
    (test-equal name message
      (message-of (lambda () (apply box options))))))
 '(("a relative target" (#:mounts (("/a" "a" read-only)))
    "sandbox: invalid mount: (\"/a\" \"a\" read-only)")
   ("'..' in a target" (#:mounts (("/a" "/a/../b" read-only)))
    "sandbox: invalid mount: (\"/a\" \"/a/../b\" read-only)")
   ("the root as target" (#:mounts (("/a" "/" read-only)))
    "sandbox: invalid mount: (\"/a\" \"/\" read-only)")
   ("an unknown access" (#:mounts (("/a" "/a" write-only)))
    "sandbox: invalid mount: (\"/a\" \"/a\" write-only)")
   ("two mounts on one target"
    (#:mounts (("/a" "/x" read-only) ("/b" "/x" read-only)))
    "sandbox: two mounts on \"/x\"")
   ("user 0" (#:user 0) "sandbox: invalid user: 0")
   ("group 0" (#:group 0) "sandbox: invalid group: 0")
   ("a supplementary group 0" (#:supplementary-groups (0))
    "sandbox: invalid supplementary group: 0")
   ("user 0 inside" (#:mapping ((uid 0 . 1000) (gid 1 . 100)))
    "sandbox: invalid mapping: ((uid 0 . 1000) (gid 1 . 100))")
   ("no user" (#:user #f) "sandbox: invalid user: #f")
   ("an unknown network" (#:network wide)
    "sandbox: invalid network: wide")
   ("an unknown personality" (#:personality (cheerful))
    "sandbox: invalid personality: cheerful")
   ("a limit that is none" (#:limits ((core 0)))
    "sandbox: invalid limit: (core 0)")
   ("a program directory without /proc"
    (#:program-directory "/gnu/store" #:proc? #f)
    "sandbox: a program directory needs /proc")
   ("a NUL in a name" (#:mounts (("/a" "/a\x00b" read-only)))
    "sandbox: invalid mount: (\"/a\" \"/a\\x00b\" read-only)")))

(test-equal "no sandbox at all" "not a sandbox: (box)"
  (message-of (lambda () (sexp->sandbox '(box)))))

(test-end "sandbox-spec")
