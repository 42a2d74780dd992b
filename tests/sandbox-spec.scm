;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; A sandbox is a checked, readable value, and its plans are what they should
;;; be, step by step.  Runs on any system, without privileges.

(use-modules (fruix errors)
             (fruix sandbox freebsd)
             (fruix sandbox linux)
             (fruix sandbox plan)
             (fruix sandbox spec)
             (ice-9 exceptions)
             (ice-9 match)
             (srfi srfi-1)
             (srfi srfi-64))

(define (box . options)
  (apply sandbox #:root "/box" #:user 35001 #:group 35002 options))

(define (flat plan)
  "Return the steps of all phases of PLAN, in order."
  (append-map cdr plan))

(define (linux box . facts)
  (flat (linux-plan box facts)))

(define (freebsd box . facts)
  (flat (freebsd-plan box facts)))

(define (steps name plan)
  (filter (lambda (step) (string=? (first step) name)) plan))

(define (before? a b plan)
  "Return true if the step called A comes before the one called B in PLAN."
  (< (list-index (lambda (step) (string=? (first step) a)) plan)
     (list-index (lambda (step) (string=? (first step) b)) plan)))

(define %small
  (box #:directories '(("/tmp" #o1777))
       #:files '(("/etc/passwd" "root:*:0:0::/:/bin/sh\n" #o644))
       #:symlinks '(("/sh" "bash"))
       #:mounts '(("/var/build" "/tmp/build" read-write)
                  ("/gnu/store/a" "/gnu/store/a" read-only))
       #:devices? #f
       #:supplementary-groups '(7 8)
       #:directory "/tmp/build"
       #:program-directory "/gnu/store"
       #:limits '((memory . 1000) (processes . 10) (storage . 5000)
                  (open-files . 20))
       #:personality '(32-bit fixed-addresses)))

(define %rootless
  (sandbox #:root "/box" #:mapping '((uid 30001 . 1000) (gid 30000 . 100))))

(test-begin "sandbox-spec")

(test-equal "the plan of a small sandbox on Linux, as root"
  '((host)
    (birth ("namespaces" "mount" "pid" "ipc" "uts" "net"))
    (create
     ("loopback-up")
     ("host-name" "localhost")
     ("domain-name" "(none)")
     ("root" "/box" "mode=0755" "size=5000")
     ("directory" "/tmp" #o1777)
     ("directory" "/etc" #o755)
     ("file" "/etc/passwd" "root:*:0:0::/:/bin/sh\n" #o644)
     ("directory" "/gnu" #o755)
     ("directory" "/gnu/store" #o755)
     ("bind" "/gnu/store/a" "/gnu/store/a" "read-only")
     ("symlink" "bash" "/sh")
     ("bind" "/var/build" "/tmp/build" "read-write")
     ("filesystem" "proc" "/proc")
     ("pivot-root" #o555))
    (enter
     ("umask" #o022)
     ("chdir" "/tmp/build")
     ("personality" #x40008)
     ("oom-score" 1000)
     ("limit" "core" 1)
     ("limit" "open-files" 20)
     ("limit" "data" 1000)
     ("limit" "processes" 10))
    (program
     ("program-within" "/gnu/store"))
    (drop
     ("drop-capabilities")
     ("credentials" 35001 35002 7 8)
     ("no-new-privileges")
     ("new-keyring")
     ("system-calls" "socketcall")))
  (linux-plan %small '()))

(test-equal "the plan of the same sandbox on FreeBSD"
  '((host
     ("root" "/box" "mode=0755" "size=5000")
     ("directory" "/tmp" #o1777)
     ("directory" "/etc" #o755)
     ("file" "/etc/passwd" "root:*:0:0::/:/bin/sh\n" #o644)
     ("directory" "/gnu" #o755)
     ("directory" "/gnu/store" #o755)
     ("bind" "/gnu/store/a" "/gnu/store/a" "read-only" 1048576)
     ("symlink" "bash" "/sh")
     ("bind" "/var/build" "/tmp/build" "read-write" 1048576)
     ("user-database" "/etc/passwd" "/etc/pwd.db")
     ("jail" "fruix-4648ee0c6475de2a"
      "path" "/box" "host.hostname" "localhost" "children.max" 0
      "enforce_statfs" 2 "sysvmsg" 1 "sysvsem" 1 "sysvshm" 1
      "allow.noset_hostname" "" "allow.noraw_sockets" ""
      "allow.nochflags" "" "allow.nomount" "" "vnet" 1)
     ("loopback-up" "fruix-4648ee0c6475de2a")
     ("resource-rule" "fruix-4648ee0c6475de2a" "memoryuse:sigkill=1000")
     ("resource-rule" "fruix-4648ee0c6475de2a" "maxproc:deny=10"))
    (birth ("namespaces"))
    (create)
    (enter
     ("attach" "fruix-4648ee0c6475de2a")
     ("chdir" "/tmp/build")
     ("fixed-addresses")
     ("limit" "core" 0)
     ("limit" "open-files" 20)
     ("umask" #o022))
    (program
     ("program-within" "/gnu/store"))
    (drop
     ("no-new-privileges")
     ("credentials" 35001 35002 7 8)))
  (freebsd-plan %small '((vnet . #t) (rctl . #t))))

(test-equal "the plan for the other system can be had on each"
  '((linux "user-map") (freebsd #f))
  (map (lambda (system)
         (list system
               (find (lambda (name) (string=? name "user-map"))
                     (map first (flat (sandbox-plan (if (eq? system 'linux)
                                                        %rootless
                                                        (box))
                                                    #:system system))))))
       '(linux freebsd)))

(test-equal "identity in a user namespace"
  '((("user-map" "30001 1000 1" "30000 100 1"))
    (("lock-mounts" "30001 30001 1" "30000 30000 1"))
    ())
  (map (lambda (name) (steps name (linux %rootless)))
       '("user-map" "lock-mounts" "credentials")))

(test-assert "a user namespace only with a mapping"
  (and (member "user" (first (linux %rootless)))
       (not (member "user" (first (linux (box)))))))

(test-assert "the user is mapped before anything else is done"
  (string=? "user-map" (first (second (linux %rootless)))))

(test-assert "mounts are locked after the last, before capabilities go"
  (and (before? "pivot-root" "lock-mounts" (linux %rootless))
       (before? "lock-mounts" "drop-capabilities" (linux %rootless))))

(test-assert "privileges are dropped before system calls are filtered"
  (and (before? "credentials" "system-calls" (linux (box)))
       (before? "no-new-privileges" "system-calls" (linux (box)))))

(test-equal "network: none, loopback, host"
  '((#t #f) (#t #t) (#f #f))
  (map (lambda (network)
         (let ((plan (linux (box #:network network))))
           (list (and (member "net" (first plan)) #t)
                 (pair? (steps "loopback-up" plan)))))
       '(none loopback host)))

(test-equal "a network that was made before is joined first of all"
  '(("namespaces" "mount" "pid" "ipc" "uts") ("network" 7) #f)
  (let ((plan (linux (box) '(network . 7))))
    (list (first plan) (second plan) (pair? (steps "loopback-up" plan)))))

(test-equal "network of a jail: none, loopback, host"
  '((#f #f #f) (1 #f #t) (#f 2 #f))
  (map (lambda (network)
         (let* ((plan (freebsd (box #:network network) '(vnet . #t)))
                (jail (first (steps "jail" plan))))
           (define (parameter name)
             (and=> (member name jail) second))
           (list (parameter "vnet") (parameter "ip4")
                 (pair? (steps "loopback-up" plan)))))
       '(none loopback host)))

(test-equal "whom the host's root stands for cannot write to /proc"
  '((("read-only" "/proc")) () ())
  (map (lambda (options)
         (steps "read-only"
                (linux (apply sandbox #:root "/box" options))))
       '((#:mapping ((uid 30001 . 0) (gid 30000 . 0)))
         (#:mapping ((uid 30001 . 0) (gid 30000 . 0)) #:proc? #f)
         (#:mapping ((uid 30001 . 1000) (gid 30000 . 0))))))

(test-equal "limits for all processes go to a cgroup"
  '((("cgroup" "/cg/fruix:box")
     ("cgroup-limit" "/cg/fruix:box" "memory.max" "1000")
     ("cgroup-limit" "/cg/fruix:box" "pids.max" "10"))
    (("namespaces" "mount" "pid" "ipc" "uts" "net")
     ("cgroup" "/cg/fruix:box"))
    (("limit" "core" 1) ("limit" "open-files" 20)))
  (let ((plan (linux-plan %small '((cgroup . "/cg")))))
    (list (assq-ref plan 'host)
          (assq-ref plan 'birth)
          (steps "limit" (flat plan)))))

(test-equal "without rctl they hold for each process"
  '(("limit" "core" 0) ("limit" "open-files" 20)
    ("limit" "address-space" 1000) ("limit" "processes" 10))
  (steps "limit" (freebsd %small '(vnet . #t))))

(define (shortcomings box system . facts)
  (sandbox-shortcomings box #:system system #:facts facts))

(test-equal "abstract sockets without Landlock: only of the host's network"
  '(("abstract sockets of the host can be reached: no Landlock") () ())
  (map (lambda (network . facts)
         (apply shortcomings
                (box #:network network #:hardening '(abstract-sockets))
                'linux facts))
       '(host loopback host)
       '((landlock . #f) (landlock . #f) (landlock . #t))))

(test-equal "mounts inside one another, in byte order"
  '("/a" "/a-b" "/a/b" "/b")
  (map third (steps "bind" (linux (box #:devices? #f
                                       #:mounts '(("/" "/b" read-only)
                                                  ("/" "/a/b" read-only)
                                                  ("/" "/a" read-only)
                                                  ("/" "/a-b" read-only)))))))

(test-equal "symbolic links are made inside mounts, files are not"
  '("file" "bind" "symlink")
  (filter (lambda (name) (member name '("bind" "file" "symlink")))
          (map first
               (linux (box #:devices? #f
                           #:files '(("/a/file" "" #o644))
                           #:symlinks '(("/a/link" "x"))
                           #:mounts '(("/" "/a" read-write)))))))

(test-equal "the devices of a host that has them all"
  '("full" "kvm" "null" "random" "tty" "urandom" "zero")
  (filter-map (match-lambda
                ((_ _ target _)
                 (and (string-prefix? "/dev/" target)
                      (string-drop target 5))))
              (steps "bind" (linux (box) '(kvm . #t) '(pts . #t)))))

(test-equal "a /dev of the user's: only shm is mounted"
  '(1 () (("filesystem" "tmpfs" "/dev/shm" "mode=1777")))
  (let ((plan (linux (box #:mounts '(("/dev" "/dev" read-write))
                          #:proc? #f))))
    (list (length (steps "bind" plan))
          (steps "symlink" plan)
          (steps "filesystem" plan))))

(define (numbered-mounts count)
  (map (lambda (i)
         (let ((name (format #f "/gnu/store/item-~a" i)))
           (list name name 'read-only)))
       (iota count)))

(test-assert "8,000 mounts are planned in a second of CPU time"
  (let* ((start (get-internal-run-time))
         (count (length (steps "bind"
                               (linux (box #:devices? #f
                                           #:mounts
                                           (numbered-mounts 8000)))))))
    (and (= count 8000)
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

(define (fault-of thunk)
  "Return the field, step and message of the &sandbox-error that THUNK raises."
  (with-exception-handler
      (lambda (exception)
        (and (sandbox-error? exception)
             (list (sandbox-error-field exception)
                   (sandbox-error-step exception)
                   (fruix-error-message exception))))
    (lambda () (thunk) #f)
    #:unwind? #t))

(for-each
 (match-lambda
   ((name options field message)
    (test-equal name (list field #f message)
      (fault-of (lambda () (apply box options))))))
 '(("a relative root" (#:root "box") root "sandbox: root: \"box\" is not an \
absolute name below /")
   ("no root" (#:root #f) root "sandbox: root: #f is not an absolute name \
below /")
   ("the host's root as root" (#:root "/") root
    "sandbox: root: \"/\" is not an absolute name below /")
   ("a relative target" (#:mounts (("/a" "a" read-only))) mounts
    "sandbox: mounts: (\"/a\" \"a\" read-only) is not (SOURCE TARGET ACCESS) \
with absolute names")
   ("a relative source" (#:mounts (("a" "/a" read-only))) mounts
    "sandbox: mounts: (\"a\" \"/a\" read-only) is not (SOURCE TARGET ACCESS) \
with absolute names")
   ("'..' in a target" (#:mounts (("/a" "/a/../b" read-only))) mounts
    "sandbox: mounts: (\"/a\" \"/a/../b\" read-only) is not (SOURCE TARGET \
ACCESS) with absolute names")
   ("a target outside of the root" (#:mounts (("/a" "/../b" read-only)))
    mounts "sandbox: mounts: (\"/a\" \"/../b\" read-only) is not (SOURCE \
TARGET ACCESS) with absolute names")
   ("the root as target" (#:mounts (("/a" "/" read-only))) mounts
    "sandbox: mounts: (\"/a\" \"/\" read-only) is not (SOURCE TARGET ACCESS) \
with absolute names")
   ("an unknown access" (#:mounts (("/a" "/a" write-only))) mounts
    "sandbox: mounts: (\"/a\" \"/a\" write-only) is not (SOURCE TARGET \
ACCESS) with absolute names")
   ("two mounts on one target"
    (#:mounts (("/a" "/x" read-only) ("/b" "/x" read-only))) mounts
    "sandbox: mounts: two things called \"/x\"")
   ("a file and a mount of one name"
    (#:mounts (("/a" "/x" read-only)) #:files (("/x" "" #o644))) files
    "sandbox: files: two things called \"/x\"")
   ("two links of one name" (#:symlinks (("/x" "a") ("/x" "b"))) symlinks
    "sandbox: symlinks: two things called \"/x\"")
   ("a list that is none" (#:mounts #t) mounts
    "sandbox: mounts: #t is not a list")
   ("user 0" (#:user 0) user "sandbox: user: 0 is not an id above 0")
   ("group 0" (#:group 0) group "sandbox: group: 0 is not an id above 0")
   ("a supplementary group 0" (#:supplementary-groups (0))
    supplementary-groups "sandbox: supplementary-groups: 0 is not an id \
above 0")
   ("user 0 inside" (#:mapping ((uid 0 . 1000) (gid 1 . 100))) mapping
    "sandbox: mapping: ((uid 0 . 1000) (gid 1 . 100)) is not ((uid INSIDE . \
OUTSIDE) (gid INSIDE . OUTSIDE) ...)")
   ("no user" (#:user #f) user "sandbox: user: #f is not an id above 0")
   ("an unknown network" (#:network wide) network
    "sandbox: network: wide is not none, loopback or host")
   ("an unknown personality" (#:personality (cheerful)) personality
    "sandbox: personality: cheerful is not 32-bit, fixed-addresses or \
linux-2.6")
   ("an unknown hardening" (#:hardening (steel)) hardening
    "sandbox: hardening: steel is not system-calls, set-id-bits, keyring or \
abstract-sockets")
   ("a limit that is none" (#:limits ((core 0))) limits
    "sandbox: limits: (core 0) is not (RESOURCE . VALUE) within bounds")
   ("a limit on nothing known" (#:limits ((patience . 1))) limits
    "sandbox: limits: (patience . 1) is not (RESOURCE . VALUE) within bounds")
   ("no memory at all" (#:limits ((memory . 0))) limits
    "sandbox: limits: (memory . 0) is not (RESOURCE . VALUE) within bounds")
   ("a limit beyond all bounds" (#:limits ((memory . 9223372036854775808)))
    limits "sandbox: limits: (memory . 9223372036854775808) is not (RESOURCE \
. VALUE) within bounds")
   ("a program directory without /proc"
    (#:program-directory "/gnu/store" #:proc? #f) program-directory
    "sandbox: program-directory: needs /proc")
   ("an unknown option" (#:colour red) colour
    "sandbox: colour: no such option")
   ("an option that is no keyword" (colour red) sandbox
    "sandbox: sandbox: no such option: colour")
   ("a NUL in a root" (#:root "/a\x00b") root
    "sandbox: root: a NUL character in \"/a\\x00b\"")
   ("a NUL in a mount" (#:mounts (("/a" "/a\x00b" read-only))) mounts
    "sandbox: mounts: a NUL character in (\"/a\" \"/a\\x00b\" read-only)")
   ("a NUL in a link" (#:symlinks (("/a" "b\x00"))) symlinks
    "sandbox: symlinks: a NUL character in (\"/a\" \"b\\x00\")")
   ("a NUL in the environment" (#:environment ("A=\x00")) environment
    "sandbox: environment: a NUL character in \"A=\\x00\"")
   ("a NUL in a host name" (#:host-name "a\x00") host-name
    "sandbox: host-name: a NUL character in \"a\\x00\"")))

(test-equal "10,000 mounts"
  '(mounts #f "sandbox: mounts: 10000 are too many, at most 8192")
  (fault-of (lambda () (box #:mounts (numbered-mounts 10000)))))

(test-equal "no sandbox at all" '(sandbox #f "sandbox: sandbox: none: (box)")
  (fault-of (lambda () (sexp->sandbox '(box)))))

(test-equal "an unknown field in a saved sandbox"
  '(colour #f "sandbox: colour: no such option")
  (fault-of (lambda () (sexp->sandbox '(sandbox (colour red))))))

(test-equal "user namespaces on FreeBSD"
  '(mapping #f "sandbox: mapping: FreeBSD has no user namespaces")
  (fault-of (lambda () (sandbox-plan %rootless #:system 'freebsd))))

(test-equal "a loopback interface without VIMAGE"
  '(network #f
            "sandbox: network: a loopback interface needs a kernel with \
VIMAGE")
  (fault-of (lambda () (freebsd (box)))))

(test-equal "a limit on processors without a cgroup"
  '(limits #f "sandbox: limits: cpus: no cgroup is delegated")
  (fault-of (lambda () (linux (box #:limits '((cpus . 1)))))))

(test-equal "shortcomings on a system that has no sandboxes"
  '(system #f "sandbox: system: no sandboxes on hurd")
  (fault-of (lambda () (shortcomings (box) 'hurd))))

(test-equal "a system that has no sandboxes"
  '(system #f "sandbox: system: no sandboxes on hurd")
  (fault-of (lambda () (sandbox-plan (box) #:system 'hurd))))

(test-end "sandbox-spec")
