;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; A shell that sees the host's programs, read-only, and nothing else.

(use-modules (fruix sandbox))

(define root (mkdtemp "/tmp/box-XXXXXX"))

(define box
  (sandbox #:root root
           #:mounts '(("/usr" "/usr" read-only)
                      ("/bin" "/bin" read-only)
                      ("/lib" "/lib" read-only)
                      ("/lib64" "/lib64" read-only))
           #:directories '(("/tmp" #o1777))
           #:mapping `((uid 1000 . ,(getuid))
                       (gid 1000 . ,(getgid)))))

(define status
  (run-in-sandbox box "/bin/sh"
                  '("sh" "-c" "id; ls /; touch /usr/x; echo $$")))

(rmdir root)
(exit (status:exit-val status))
