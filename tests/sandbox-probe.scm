;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; What a program sees in a sandbox, item by item, against a golden table.

(use-modules (fruix config)
             (fruix sandbox)
             (ice-9 match)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests sandbox-support)
             (tests support))

;; What a build sees: names, and what they are, as root and without.  A single
;; value holds for both; #t is anything.
(define %golden
  '(("descriptors" "0 1 2")
    ("input is /dev/null" "yes")
    ("input mode" "read-write")
    ("output and error are one" "yes")
    ("arguments" "zero one")
    ("environment" "A=1 PATH=/path-not-set B=2")
    ("uids" "35001 35001 35001" "30001 30001 30001")
    ("gids" "35001 35001 35001" "30000 30000 30000")
    ("groups" "")
    ("pid" "1")
    ("parent" "0")
    ("session" "1")
    ("terminal" "ENXIO")
    ("umask" "0022")
    ("host name" "localhost")
    ("domain name" "(none)")
    ("directory" "/tmp/guix-build-x.drv-0")
    ("personality" "40000")
    ("oom score" "1000|")
    ("core limit" "0 0")
    ("death signal" "9")
    ("CapInh" "0000000000000000")
    ("CapPrm" "0000000000000000")
    ("CapEff" "0000000000000000")
    ("CapBnd" "0000000000000000")
    ("CapAmb" "0000000000000000")
    ("NoNewPrivs" "1")
    ("SigBlk" "0000000000000000")
    ("SigIgn" "0000000000000000")
    ("/" "dev etc gnu proc tmp")
    ("/ itself" "directory 0555")
    ("/dev" "directory 0755")
    ("in /dev" "fd full null ptmx pts random shm stderr stdin stdout tty \
urandom zero")
    ("/etc" "directory 0755")
    ("in /etc" "group hosts passwd")
    ("/gnu" "directory 0755")
    ("in /gnu" "store")
    ("/gnu/store" "directory 1775")
    ("/tmp" "directory 1777")
    ("in /tmp" "guix-build-x.drv-0")
    ("/dev/shm" "directory 1777")
    ("in /dev/shm" "")
    ("/dev/pts" "directory 0755")
    ("in /dev/pts" "ptmx")
    ("/proc" "directory 0555")
    ("/dev/fd" "-> /proc/self/fd")
    ("/dev/full" "device 1 7")
    ("/dev/null" "device 1 3")
    ("/dev/ptmx" "-> /dev/pts/ptmx")
    ("/dev/random" "device 1 8")
    ("/dev/stderr" "-> /proc/self/fd/2")
    ("/dev/stdin" "-> /proc/self/fd/0")
    ("/dev/stdout" "-> /proc/self/fd/1")
    ("/dev/tty" "device 5 0")
    ("/dev/urandom" "device 1 9")
    ("/dev/zero" "device 1 5")
    ("/etc/group" "file 0644 nixbld:!:30000:|")
    ("/etc/hosts" "file 0644 127.0.0.1 localhost|::1 localhost|")
    ("/etc/passwd" "file 0644 nixbld:x:30001:30000:Nix build user:/:/noshell|\
nobody:x:65534:65534:Nobody:/:/noshell|")
    ("processes" "1")
    ("mounts" "/* /dev/full* /dev/null* /dev/pts* /dev/random* /dev/shm* \
/dev/tty* /dev/urandom* /dev/zero* /gnu/store/item /proc* \
/tmp/guix-build-x.drv-0*")
    ("interfaces" "lo")
    ("connect to 127.0.0.1" "ECONNREFUSED")
    ("connect to 192.0.2.1" "ENETUNREACH")))

(define %files
  '(("/etc/group" "nixbld:!:30000:\n" #o644)
    ("/etc/hosts" "127.0.0.1 localhost\n::1 localhost\n" #o644)
    ("/etc/passwd" "nixbld:x:30001:30000:Nix build user:/:/noshell
nobody:x:65534:65534:Nobody:/:/noshell\n" #o644)))

(define (golden-value row mode)
  (match row
    ((_ both) both)
    ((_ root rootless) (if (eq? mode 'root) root rootless))))

;; What depends on the kernel or the machine.
(define (variable? key)
  (or (string-prefix? "namespace " key)
      (member key '("/dev/kvm"))))

(define (without-kvm text)
  "Return TEXT, a list of names, without the device that hosts may lack."
  (string-join (remove (lambda (word)
                         (member word '("kvm" "/dev/kvm*")))
                       (string-split text #\space))))

(define (build-sandbox mode directory)
  "Return a sandbox as for a build, its build directory being in DIRECTORY."
  (let ((build (string-append directory "/build"))
        (box (simple-sandbox mode directory)))
    (mkdir build #o700)
    (chown build (if (eq? mode 'root) 35001 %plain-user) -1)
    (sexp->sandbox
     (map (match-lambda
            (('mounts mounts)
             `(mounts ((,build "/tmp/guix-build-x.drv-0" read-write)
                       ,@mounts)))
            (('files _) `(files ,%files))
            (('environment _)
             '(environment ("A=1" "PATH=/path-not-set" "B=2")))
            (('directory _) '(directory "/tmp/guix-build-x.drv-0"))
            (other other))
          (sandbox->sexp box)))))

(define (probe mode)
  "Return what the probe reports in MODE, as an alist."
  (call-with-sandbox-directory
   (lambda (directory)
     (report (call-in-mode mode (build-sandbox mode directory) directory
                           "/gnu/store/item/probe" '("zero" "one"))))))

(define (own-namespace name)
  (readlink (string-append "/proc/self/ns/" name)))

(define (test-mode mode)
  (define facts (probe mode))
  (for-each (lambda (row)
              (let ((key (first row)))
                (test-equal (format #f "~a: ~a" mode key)
                  (golden-value row mode)
                  (and=> (assoc-ref facts key) without-kvm))))
            %golden)
  (test-equal (format #f "~a: nothing else" mode) '()
    (remove (lambda (key) (or (assoc key %golden) (variable? key)))
            (map car facts)))
  (for-each
   (lambda (name)
     (test-equal (format #f "~a: own namespace ~a" mode name)
       (case mode
         ((root) (not (member name '("cgroup" "time" "user"))))
         ((rootless) (not (member name '("cgroup" "time")))))
       (not (equal? (own-namespace name)
                    (assoc-ref facts (string-append "namespace " name))))))
   '("cgroup" "ipc" "mnt" "net" "pid" "time" "user" "uts")))

(test-begin "sandbox-probe")
(skip-unless (eq? %platform 'linux) "needs Linux")
(if (eq? %platform 'linux)
    (for-each test-mode %modes)
    (test-assert "what a program sees" #f))
(test-end "sandbox-probe")
