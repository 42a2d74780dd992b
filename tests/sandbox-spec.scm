;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; A sandbox is a checked, readable value.  Runs on any system, without
;;; privileges.

(use-modules (fruix errors)
             (fruix sandbox freebsd)
             (fruix sandbox linux)
             (fruix sandbox plan)
             (fruix sandbox spec)
             (ice-9 match)
             (srfi srfi-64))

(define (box . options)
  (apply sandbox #:root "/box" #:user 35001 #:group 35002 options))

(define %rootless
  (sandbox #:root "/box" #:mapping '((uid 30001 . 1000) (gid 30000 . 100))))

(test-begin "sandbox-spec")

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
    "sandbox: hardening: steel is not system-calls, set-id-bits, sockets, \
keyring or abstract-sockets")
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
   ("a mapping without /proc"
    (#:mapping ((uid 30001 . 1000) (gid 30000 . 100)) #:proc? #f) mapping
    "sandbox: mapping: needs /proc")
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
  (fault-of (lambda ()
              (box #:mounts (make-list 10000 '("/" "/a" read-only))))))

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
  (fault-of (lambda () (freebsd-plan (box) '()))))

(test-equal "a limit on processors without a cgroup"
  '(limits #f "sandbox: limits: cpus: no cgroup is delegated")
  (fault-of (lambda () (linux-plan (box #:limits '((cpus . 1))) '()))))

(test-equal "shortcomings on a system that has no sandboxes"
  '(system #f "sandbox: system: no sandboxes on hurd")
  (fault-of (lambda ()
              (sandbox-shortcomings (box) #:system 'hurd #:facts '()))))

(test-equal "a system that has no sandboxes"
  '(system #f "sandbox: system: no sandboxes on hurd")
  (fault-of (lambda () (sandbox-plan (box) #:system 'hurd))))

(test-end "sandbox-spec")
