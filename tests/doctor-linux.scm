;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; What 'fruix doctor' says of Linux, and the same found in another way.

(use-modules (fruix config)
             (ice-9 match)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests doctor-support)
             (tests sandbox-support)
             (tests support))

(define (works? . command)
  "Return whether COMMAND succeeds."
  (equal? 0 (second (apply run "sh" "-c" "exec \"$@\" > /dev/null 2>&1" "sh"
                           command))))

(define (shell script . arguments)
  "Return a command that runs SCRIPT, with ARGUMENTS, and then another."
  `("sh" "-c" ,(string-append script " && exec \"$@\"") "sh" ,@arguments))

(define %user-namespaces?
  (and (eq? %platform 'linux)
       (works? "unshare" "--user" "--map-root-user" "--mount" "true")))

(define (yes-or-no facts name)
  "Return what FACTS say of NAME: #t for yes, #f for no."
  (match (assoc-ref facts name)
    ("yes" #t)
    ((? (lambda (value) (string-prefix? "no (" value))) #f)))

(define (builds-rootless?)
  "Return whether a job of an ordinary user runs in a sandbox."
  (call-with-sandbox-directory
   (lambda (directory)
     (call-with-values
         (lambda ()
           (call-in-mode 'rootless (simple-sandbox 'rootless directory)
                         directory "/gnu/store/item/job" '("job" "/x" "0")))
       (lambda (text status) (zero? status))))))

(test-begin "doctor-linux")
(skip-unless (eq? %platform 'linux) "only for Linux")

(define %plain
  (if (eq? %platform 'linux)
      (apply facts (as-plain-user))
      '()))

(test-equal "user namespaces"
  (apply works? `(,@(as-plain-user) "unshare" "--user" "--mount" "true"))
  (yes-or-no %plain "user-namespaces"))
(test-equal "rootless builds" (builds-rootless?)
  (yes-or-no %plain "builds-rootless"))
(test-equal "what every Linux that builds has" '()
  (differences %plain
               (map (lambda (name) (cons name "yes"))
                    '("clone" "unshare" "setns" "pivot_root" "prctl" "clone3"
                      "pidfd_open" "openat2" "open_tree" "move_mount"
                      "mount_setattr" "fsopen" "seccomp"))))
(test-equal "what no Linux has" '()
  (differences %plain
               '(("jail" . "no (jail: Function not implemented)")
                 ("capsicum" . "no (capsicum: Function not implemented)"))))


;; Control groups.

(define (in-cgroup? cgroup)
  "Return whether a child of this process is in the directory CGROUP."
  (works? "sh" "-c" "exec grep -q -x $$ \"$0/cgroup.procs\"" cgroup))

(define (can-limit? cgroup)
  "Return whether a group with limits can be made in the directory CGROUP."
  (works? "sh" "-c" "\
mkdir \"$0/$$\" && grep -w memory \"$0/$$/cgroup.controllers\" | grep -w pids
code=$?
rmdir \"$0/$$\"
exit $code" cgroup))

(test-assert "the control group"
  (let ((cgroup (assoc-ref %plain "cgroup")))
    (or (string-prefix? "no (" cgroup)
        (in-cgroup? cgroup))))
(test-assert "limits"
  (let* ((own (facts "env"))
         (cgroup (assoc-ref own "cgroup")))
    (or (string-prefix? "no (" cgroup)
        (eq? (can-limit? cgroup) (yes-or-no own "cgroup-delegated")))))


;; What is missing.

(define (denying . rules)
  "Return what is said where system calls are denied by RULES; see
tests/deny.cc."
  (apply facts `(,(test-program "without") ,@rules "--")))

(define (rule call errno)
  (format #f "~a=~a" call errno))

(test-equal "calls that a system lacks, or does not allow" '()
  (differences
   (denying (rule "landlock_create_ruleset" ENOSYS)
            (rule "seccomp" EINVAL)
            (rule "unshare" EPERM)
            (rule "fallocate" EINVAL)
            (rule "utimensat" 0))
   '(("landlock" . "no (landlock_create_ruleset: Function not implemented)")
     ("seccomp" . "no (seccomp: Invalid argument)")
     ("unshare" . "yes")
     ("user-namespaces" . "no (unshare: Operation not permitted)")
     ("run-posix_fallocate" . "no (unsupported on this file system)")
     ("run-lutimes" . "no (it does not change the link itself)"))))
(test-equal "a full file system" '()
  (differences
   (denying (rule "fallocate" ENOSPC))
   '(("run-posix_fallocate"
      . "no (posix_fallocate: No space left on device)"))))
(test-equal "no close_range" '()
  (differences
   (denying (rule "close_range" ENOSYS))
   '(("close_range" . "no (close_range: Function not implemented)")
     ("run-close_range" . "no (close_range: Function not implemented)"))))
(test-equal "no way to mount" '("no (syscall: Function not implemented)" #t 1)
  (match (doctor (test-program "without") (rule "mount_setattr" ENOSYS) "--")
    ((facts code)
     (list (assoc-ref facts "mount_setattr")
           (and (string-contains (assoc-ref facts "builds-rootless")
                                 "mount_setattr")
                #t)
           code))))


;; Surroundings that root, if only of a namespace, can make.

(define (as-root-of-namespace . command)
  `("unshare" "--user" "--map-root-user" "--mount" ,@command))

(skip-unless %user-namespaces? "needs user namespaces")

(test-equal "no user namespaces"
  '(("no (unshare: No space left on device: user.max_user_namespaces is 0)"
     "no (user.max_user_namespaces is 0)"
     "no (sandbox: clone: new namespaces: No space left on device (a limit \
in /proc/sys/user, not a disk))")
    1)
  (match (apply doctor
                (apply as-root-of-namespace
                       (shell "echo 0 > /proc/sys/user/max_user_namespaces")))
    ((facts code)
     (list (map (lambda (name) (assoc-ref facts name))
                '("user-namespaces" "user-namespaces-for-all"
                  "builds-rootless"))
           code))))

(define (write-file file mode text)
  (call-with-output-file file
    (lambda (port) (display text port)))
  (chmod file mode))

(define (call-with-subordinate-ids proc)
  "Call PROC with a command under which root has subordinate ids, and the
directory where the programs for them are."
  (call-with-temporary-directory
   (lambda (directory)
     (define (file name) (string-append directory "/" name))
     (write-file (file "subuid") #o644
                 "root:100000:65536\nother:1:2\n0:7:8\n# no:3:4\n")
     (write-file (file "newuidmap") #o755 "")
     (proc (apply as-root-of-namespace
                  (shell "\
mount --bind \"$1/subuid\" /etc/subuid &&
mount --bind /dev/null /etc/subgid &&
PATH=$PATH:$1 && shift" directory))
           directory))))

(test-equal "subordinate ids" '()
  (call-with-subordinate-ids
   (lambda (command directory)
     (differences
      (apply facts command)
      `(("subordinate-uids" . "100000:65536 7:8")
        ("subordinate-gids" . "no (/etc/subgid gives this user none)")
        ("newuidmap" . ,(or (search-path (parse-path (getenv "PATH"))
                                         "newuidmap")
                            (string-append directory "/newuidmap"))))))))
(test-equal "no program for them" '(("newuidmap" . "no (not in PATH)")
                                    ("newgidmap" . "no (not in PATH)"))
  (filter (match-lambda
            ((name . value) (string-suffix? "idmap" name)))
          (facts "env" "PATH=/nonexistent")))
(test-equal "no slirp4netns" '(("slirp4netns" . "no (not in PATH)"))
  (filter (match-lambda
            ((name . value) (string=? name "slirp4netns")))
          (facts "env" "PATH=/nonexistent"
                 "FRUIX_SLIRP4NETNS=/nonexistent/slirp4netns")))

(skip-unless %root? "needs root")
(test-equal "no device for networks" '()
  (differences
   (apply facts "unshare" "--mount"
          (shell "mount -t tmpfs none /dev/net"))
   '(("tun" . "no (/dev/net/tun: No such file or directory)"))))
(test-equal "no control groups" '()
  (differences
   (apply facts "unshare" "--mount"
          (shell "\
awk '$3 == \"cgroup2\" { print $2 }' /proc/mounts | xargs -r umount -l"))
   (let ((reason "no (cgroup2 is not mounted, or this process is in none)"))
     `(("cgroup" . ,reason)
       ("cgroup-controllers" . ,reason)
       ("cgroup-delegated"
        . "no (none with the controllers cpu, memory and pids)")))))

(test-end "doctor-linux")
