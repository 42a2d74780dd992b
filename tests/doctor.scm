;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; 'fruix doctor': the form of what it says, and whether it is true.

(use-modules (fruix config)
             (fruix doctor advisories)
             (fruix doctor answers)
             (fruix doctor guile)
             (ice-9 match)
             (ice-9 regex)
             (ice-9 textual-ports)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests doctor-support)
             (tests sandbox-support)
             (tests support))


;; The form.

(define %names
  `("operating-system" "kernel" "machine" "guile" "user"
    "clone" "unshare" "setns" "pivot_root" "jail" "capsicum" "prctl"
    "close_range"
    "run-fork-waitpid" "run-posix_spawn-closefrom" "run-close_range"
    "run-posix_fallocate" "run-lutimes" "run-statvfs" "run-chroot" "run-jail"
    "run-lchown"
    "user-namespaces"
    ,@(case %platform
        ((linux)
         '("user-namespaces-for-all"
           "clone3" "pidfd_open" "openat2" "open_tree" "move_mount"
           "mount_setattr" "fsopen" "seccomp" "landlock"
           "cgroup" "cgroup-controllers" "cgroup-delegated"
           "subordinate-uids" "subordinate-gids" "newuidmap" "newgidmap"
           "slirp4netns" "tun"))
        ((freebsd)
         '("osreldate" "jailed" "jail-descriptors" "vnet"
           "nullfs" "fdescfs" "tmpfs" "devfs-ruleset" "rctl")))
    "kernel-patched" "guile-spawn"
    "builds-as-root" "builds-rootless" "builds"))

(define (value-known? value)
  "Return true if VALUE gives a reason where one is due, and only there."
  (or (string=? value "yes")
      (string-match "^(no|unknown) \\(.+\\)$" value)
      (not (string-match "^(yes|no|unknown)" value))))

(define (manual-names)
  "Return the names that the manual tells of, in no order."
  (let* ((text (call-with-input-file
                   (string-append (getenv "abs_top_srcdir")
                                  "/doc/invoking.texi")
                 get-string-all #:encoding "UTF-8"))
         (start (string-contains text "@section @command{fruix doctor}"))
         (section (string-drop text start)))
    (map (lambda (found) (match:substring found 2))
         (list-matches "@item(x?) ([a-z0-9_-]+)\n" section))))

(define (test-form who facts code)
  (test-equal (string-append who ": all names, in order") %names
    (map (lambda (fact) (and fact (car fact))) facts))
  (test-equal (string-append who ": reasons") '()
    (remove (match-lambda ((name . value) (value-known? value)))
            facts))
  (test-equal (string-append who ": the exit code says so")
    (if (string=? "yes" (assoc-ref facts "builds")) 0 1)
    code)
  (test-equal (string-append who ": one way is enough")
    (assoc-ref facts "builds")
    (match (map (lambda (name) (assoc-ref facts name))
                '("builds-as-root" "builds-rootless"))
      ((or ("yes" _) (_ "yes")) "yes")
      ((as-root rootless)
       (let ((reason (lambda (no) (substring no 4 (- (string-length no) 1)))))
         (format #f "no (as root: ~a; rootless: ~a)"
                 (reason as-root) (reason rootless)))))))

(test-begin "doctor")

(test-equal "the manual tells of all names" '()
  (lset-difference string=? %names (manual-names)))


;; Those who ask.

(define %plain
  (apply doctor (as-plain-user)))
(test-form "an ordinary user" (first %plain) (second %plain))
(test-equal "an ordinary user: what needs root" '()
  (differences (first %plain)
               `(("user" . ,(number->string %plain-user))
                 ("run-chroot" . "no (needs root)")
                 ("run-jail" . "no (needs root)")
                 ("run-lchown" . "no (needs root)")
                 ("builds-as-root" . "no (needs root)"))))

(define %own
  (doctor "env"))
(test-form "this user" (first %own) (second %own))
(test-equal "what the system says of itself" '()
  (differences
   (first %own)
   `(("operating-system" . ,(symbol->string %platform))
     ("kernel" . ,(string-trim-right (first (run "uname" "-r"))))
     ("machine" . ,(string-trim-right (first (run "uname" "-m"))))
     ("guile" . ,(version))
     ("user" . ,(string-trim-right (first (run "id" "-u")))))))
(test-equal "what every system has" '()
  (differences (first %own)
               '(("close_range" . "yes")
                 ("run-fork-waitpid" . "yes")
                 ("run-posix_spawn-closefrom" . "yes")
                 ("run-close_range" . "yes")
                 ("run-lutimes" . "yes")
                 ("run-statvfs" . "yes"))))
(test-equal "nothing is left" '()
  (call-with-temporary-directory
   (lambda (directory)
     (doctor "env" (string-append "TMPDIR=" directory))
     (directory-entries directory))))
(test-equal "where there is no place for files" '("unknown" "no" 1)
  (match (doctor "env" "TMPDIR=/nonexistent")
    ((facts code)
     (define (kind name reason)
       (and=> (string-match (format #f "^([a-z]+) \\(~a\\)$" reason)
                            (assoc-ref facts name))
              (lambda (found) (match:substring found 1))))
     (list (kind "run-lutimes" "/nonexistent: No such file or directory")
           (kind "builds-rootless" "/nonexistent: No such file or directory")
           code))))


;; Guile, and others that play it.

(define (spawn-of script)
  "Return what is said of a Guile that is the shell script SCRIPT."
  (call-with-temporary-directory
   (lambda (directory)
     (let ((file (string-append directory "/guile")))
       (call-with-output-file file
         (lambda (port) (format port "#!/bin/sh~%~a~%" script)))
       (chmod file #o755)
       (answer->text (guile-spawn file))))))

(test-equal "a Guile that works" "yes" (spawn-of "exit 0"))
(test-equal "this one" (assoc-ref (first %own) "guile-spawn")
  (answer->text (guile-spawn %guile)))
(test-equal "one that crashes"
  "no (system* and open-pipe* end in signal 11)"
  (spawn-of "kill -SEGV $$"))
(test-equal "one that fails" "no (system* and open-pipe* fail)"
  (spawn-of "exit 1"))
(test-equal "one that is not there"
  "unknown (execve: /nonexistent/guile: No such file or directory)"
  (answer->text (guile-spawn "/nonexistent/guile")))


;; Advisories.

(define %advisories
  '(("one" (5 10) (5 15 25) (6 1 3) (7 0 0))
    ("two" (6 2) (6 6 4) (7 0 5) (7 1 0))))

(test-equal "a version is open to what was fixed after it"
  '((5 9 99) () (5 10 0) ("one") (5 15 24) ("one") (5 15 25) ()
    (6 0 1) ("one") (6 1 2) ("one") (6 1 3) () (6 2 0) ("one" "two")
    (6 6 4) ("one") (7 0 0) ("two") (7 0 5) () (7 1 0) () (8 0 0) ())
  (append-map (lambda (version)
                (list version (open-advisories version %advisories)))
              '((5 9 99) (5 10 0) (5 15 24) (5 15 25) (6 0 1) (6 1 2) (6 1 3)
                (6 2 0) (6 6 4) (7 0 0) (7 0 5) (7 1 0) (8 0 0))))

(test-equal "versions of Linux"
  '((6 12 4) (6 18 44) (7 1 0) (6 1 119) #f #f #f)
  (map (match-lambda ((release build) (linux-version release build)))
       '(("6.12.4-arch1-1" "#1 SMP PREEMPT_DYNAMIC")
         ("6.18.44" "#1-NixOS SMP")
         ("7.1.0" "#1 SMP")
         ("6.1.0-28-amd64"
          "#1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 (2024-11-22)")
         ("6.8.0-49-generic" "#49-Ubuntu SMP PREEMPT_DYNAMIC")
         ("5.14.0-503.11.1.el9_5.x86_64" "#1 SMP PREEMPT_DYNAMIC")
         ("7.1.0-rc3" "#1 SMP"))))
(test-equal "versions of FreeBSD"
  '((15 1 4) (14 4 0) #f #f)
  (map freebsd-version
       '("15.1-RELEASE-p4" "14.4-RELEASE" "15.1-STABLE" "16.0-CURRENT")))

(test-equal "kernels"
  '("yes"
    "no (6.18.35 is open to CVE-2026-46331)"
    "unknown (the version of 6.8.0-49-generic does not tell)"
    "yes"
    "no (15.1-RELEASE-p3 is open to FreeBSD-SA-26:66.jail)"
    "no (15.1-RELEASE is open to FreeBSD-SA-26:38.jail, \
FreeBSD-SA-26:39.execve, FreeBSD-SA-26:42.unlinkat, FreeBSD-SA-26:66.jail)"
    "unknown (the version of 15.1-STABLE does not tell)")
  (map (match-lambda
         ((system release)
          (answer->text (kernel-patched system release "#1"))))
       '((linux "6.18.36") (linux "6.18.35") (linux "6.8.0-49-generic")
         (freebsd "15.1-RELEASE-p4") (freebsd "15.1-RELEASE-p3")
         (freebsd "15.1-RELEASE") (freebsd "15.1-STABLE"))))

(test-equal "a reason is one line" "no (two lines)"
  (answer->text (no "two~%lines")))


;; Root.

(skip-unless %root? "needs root")
(test-equal "what only root can try" '()
  (differences (first %own)
               '(("run-chroot" . "yes") ("run-lchown" . "yes"))))

(test-end "doctor")
