;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; The plans of a sandbox are what they should be, step by step.  Runs on any
;;; system, without privileges.

(use-modules (fruix sandbox freebsd)
             (fruix sandbox linux)
             (fruix sandbox plan)
             (fruix sandbox spec)
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

(test-begin "sandbox-plan")

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
     ("program-within" "/gnu/store")
     ("interpreters"))
    (drop
     ("drop-capabilities")
     ("credentials" 35001 35002 7 8)
     ("no-new-privileges")
     ("new-keyring")
     ("system-calls" "socketcall")))
  (linux-plan %small '()))

(test-equal "socketcall is for 32-bit programs, and can be refused to them"
  '((("system-calls")) (("system-calls" "socketcall")) (("system-calls")))
  (map (match-lambda
         ((personality . hardening)
          (steps "system-calls"
                 (linux (box #:personality personality
                             #:hardening hardening)))))
       '((() system-calls set-id-bits)
         ((32-bit) system-calls set-id-bits)
         ((32-bit) system-calls set-id-bits sockets))))

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
  '((("read-only" "/proc")) ())
  (map (lambda (options)
         (steps "read-only"
                (linux (apply sandbox #:root "/box" options))))
       '((#:mapping ((uid 30001 . 0) (gid 30000 . 0)))
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

(test-end "sandbox-plan")
