;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; What is mounted appears, unchangeable if so wanted, is listed, and goes
;;; again.  Each case has a process, a directory and, on Linux, a mount
;;; namespace of its own.

(use-modules (fruix mount)
             (fruix mountinfo)
             (fruix process)
             (srfi srfi-64)
             (tests mount-support)
             (tests support))

(test-begin "mount")

;; Reading the table of Linux is possible anywhere.
(test-equal "a table of mounts is read"
  '(("ext3" "/dev/root" "/mnt 2\\" ("rw" "noatime") 36)
    ("proc" "none" "/proc" ("ro") 37))
  (call-with-input-string "\
36 35 98:0 /mnt1 /mnt\\0402\\134 rw,noatime master:1 shared:2 - ext3 \
/dev/root rw,errors=continue
37 36 0:4 / /proc ro - proc none rw
"
    read-mountinfo))

(test-assert "the mounts of this process are listed"
  (member "/" (map mount-target (mounts))))

(unless %linux?
  (test-equal "a bind mount is for Linux" ENOSYS
    (errno-of (lambda () (mount-bind "/" "/")))))

(when %linux?
  (test-equal "rules for devices are for FreeBSD"
    "devfs: Function not implemented"
    (message-of (lambda () (mount-devfs "/" 1 '()))))
  (test-equal "so is patience" "unmount: Function not implemented"
    (message-of (lambda () (unmount-patiently (car (mounts)))))))

(skip-unless (can-mount?) "mounts need privileges")

(test-equal "what is mounted can be read, and not changed if so wanted"
  `("text" ,EROFS #f)
  (trial
   (mkdir "source")
   (mkdir "target")
   (make-file "source/name" "text")
   (cons* (contents "source/name")
          (call-with-mount (mount-read-only (file "source") (file "target"))
            (lambda (mount)
              (list (errno-of (lambda () (chmod "target/name" #o600)))
                    (errno-of (lambda () (chmod "source/name" #o600)))))))))

(test-equal "a file is mounted on a file" '("text" "")
  (trial
   (make-file "source" "text")
   (make-file "target" "")
   (list (call-with-mount (mount-read-only (file "source") (file "target"))
           (lambda (mount) (contents "target")))
         (contents "target"))))

(test-equal "a file system in memory covers its target, and goes"
  '(("new") ("old"))
  (trial
   (mkdir "target")
   (make-file "target/old" "")
   (list (call-with-mount (mount-tmpfs (file "target"))
           (lambda (mount)
             (make-file "target/new" "")
             (directory-entries "target")))
         (directory-entries "target"))))

(test-equal "it has the size and the mode that it was given"
  `(,ENOSPC #o751)
  (trial
   (mkdir "target")
   (call-with-mount (mount-tmpfs (file "target")
                                 #:options '("size=65536" "mode=0751"))
     (lambda (mount)
       (list (errno-of (lambda ()
                         (make-file "target/name" (make-string 200000 #\x))))
             (stat:perms (stat "target")))))))

(test-equal "it can be without anything to change, or to execute" EROFS
  (trial
   (mkdir "target")
   (call-with-mount (mount-tmpfs (file "target")
                                 #:options '("ro" "noexec" "nosuid"))
     (lambda (mount)
       (errno-of (lambda () (mkdir "target/name")))))))

(test-equal "a mount is listed under its ID" '(#t #t #f)
  (trial
   (mkdir "source")
   (mkdir "target")
   (call-with-mount (mount-read-only (file "source") (file "target"))
     (lambda (mount)
       (let ((found (find-mount (file "target"))))
         (list (= (mount-id found) (mount-id mount))
               (mount-read-only? found)
               (find-mount (file "source"))))))))

(test-equal "a mount that is in use goes by force only" `(,EBUSY ())
  (trial
   (mkdir "target")
   (let ((mount (mount-tmpfs (file "target"))))
     (call-with-output-file "target/name"
       (lambda (port)
         (let ((errno (errno-of (lambda () (unmount mount)))))
           (unmount mount #:force? #t)
           (list errno (directory-entries "target"))))))))

(test-assert "a mount that is gone is not mistaken for what is below it"
  (memv (trial
         (mkdir "target")
         (let ((mount (mount-tmpfs (file "target"))))
           (unmount mount)
           (errno-of (lambda () (unmount mount)))))
        (list EINVAL ENOENT)))

(test-equal "a mount is undone when an error leaves it" '(misc-error #f)
  (trial
   (mkdir "target")
   (list (key-of (lambda ()
                   (call-with-mount (mount-tmpfs (file "target"))
                     (lambda (mount) (error "error")))))
         (find-mount (file "target")))))

(unless %linux?
  (test-runner-aux-value! (test-runner-current) "needs Linux")
  (test-skip 2))
(test-equal "a read-only mount is made writable where it is"
  `(,EROFS #f)
  (trial
   (mkdir "target")
   (call-with-mount (mount-bind (file "target") (file "target")
                                #:read-only? #t)
     (lambda (mount)
       (let ((before (errno-of (lambda () (mkdir "target/new")))))
         (allow-writing (file "target"))
         (list before (errno-of (lambda () (mkdir "target/new")))))))))
(test-equal "what is mounted after unsharing stays inside" `(#t #f ,EINVAL)
  (trial
   (mkdir "target")
   (match (primitive-fork)
     (0
      (unshare-mounts!)
      (mount-tmpfs (file "target"))
      (primitive-exit (if (find-mount (file "target")) 0 1)))
     (pid
      (let ((status (cdr (waitpid pid))))
        (list (= 0 (status:exit-val status))
              (find-mount (file "target"))
              (errno-of (lambda () (allow-writing (file "target"))))))))))

(test-equal "what does not exist is not mounted, nor on what does not"
  `(,ENOENT ,ENOENT)
  (trial
   (mkdir "there")
   (map (lambda (source target)
          (errno-of (lambda ()
                      (mount-read-only (file source) (file target)))))
        '("missing" "there")
        '("there" "missing"))))

(test-equal "a symbolic link is not followed to the target" '(#t #f)
  (trial
   (mkdir "directory")
   (symlink "directory" "link")
   (list (integer? (errno-of (lambda () (mount-tmpfs (file "link")))))
         (find-mount (file "directory")))))

(test-assert "an option that does not exist is named"
  (string-contains
   (trial
    (mkdir "target")
    (message-of (lambda ()
                  (mount-tmpfs (file "target") #:options '("nonsense")))))
   "nonsense"))

(when %linux?
  (test-equal "a nullfs mount is for FreeBSD" "fsopen: nullfs: No such device"
    (trial (message-of (lambda () (mount-nullfs "/" "/"))))))

(skip-unless (not %linux?) "Linux has none of the following")

(test-equal "a mount of devices shows what it is told to"
  '(("null") ("fd" "null") ("0" "1" "2"))
  (trial
   (mkdir "target")
   (define (shown . patterns)
     (call-with-mount (mount-devfs (file "target") 4712 patterns)
       (lambda (mount) (directory-entries "target"))))
   (list (shown "null")
         (shown "null" "fd" "fd/*")
         (call-with-mount (mount-devfs (file "target") 4712
                                       '("null" "fd" "fd/*"))
           (lambda (mount) (directory-entries "target/fd"))))))

(test-equal "rules that were changed are put right" '("null")
  (trial
   (mkdir "target")
   (define (shown)
     (call-with-mount (mount-devfs (file "target") 4712 '("null"))
       (lambda (mount) (directory-entries "target"))))
   (shown)
   (wait-process (spawn-process "devfs" '("devfs" "rule" "-s" "4712" "add"
                                          "path" "zero" "unhide")))
   (shown)))

(test-equal "the rule set 0 is that of the host" EINVAL
  (errno-of (lambda () (mount-devfs "/" 0 '("null")))))

(test-equal "descriptors are those of the process" '("0" "1" "2")
  (trial
   (mkdir "target")
   (call-with-mount (mount-fdescfs (file "target"))
     (lambda (mount)
       (map (lambda (name)
              (car (member name (directory-entries "target"))))
            '("0" "1" "2"))))))

(test-equal "a mount that stays in use is taken away in the end"
  `(() #t)
  (trial
   (mkdir "target")
   (let ((mount (mount-tmpfs (file "target"))))
     (call-with-output-file "target/name"
       (lambda (port)
         (unmount-patiently mount)
         (unmount-patiently mount)
         (list (directory-entries "target") #t))))))

(test-end "mount")
