;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; A shell where a build has failed.  The environment variable KEPT names the
;;; directory that 'fruix build --keep-failed' has kept, and FRUIX_ROOT where
;;; the store is, unless it is '/gnu/store'.  The host's programs are there, as
;;; for hello.scm; root works as the user whose build it was.

(use-modules (fruix sandbox))

(define directory
  (let* ((kept (getenv "KEPT"))
         (top (string-append kept "/top")))
    (if (file-exists? top) top kept)))

(define owner (stat directory))

(define root (mkdtemp "/tmp/box-XXXXXX"))

(define box
  (apply sandbox
         #:root root
         #:mounts `((,(string-append (or (getenv "FRUIX_ROOT") "")
                                     "/gnu/store")
                     "/gnu/store" read-only)
                    ("/usr" "/usr" read-only)
                    (,directory "/tmp/build" read-write))
         #:symlinks '(("/bin" "usr/bin")
                      ("/lib" "usr/lib")
                      ("/lib64" "usr/lib64"))
         #:directory "/tmp/build"
         #:environment '("PATH=/usr/bin")
         (if (zero? (getuid))
             (list #:user (stat:uid owner) #:group (stat:gid owner))
             `(#:mapping ((uid 1000 . ,(getuid)) (gid 1000 . ,(getgid)))))))

(define status
  (dynamic-wind
    (const #t)
    (lambda () (run-in-sandbox box '("/bin/sh")))
    (lambda () (rmdir root))))

(exit (status:exit-val status))
