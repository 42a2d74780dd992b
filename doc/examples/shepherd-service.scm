;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; A service for a user's Shepherd: a clock that sees the host's programs,
;;; read-only, and no network.  The environment variable CLOCK_DIRECTORY names
;;; its directory, where there is an empty one called 'root'.  For root's
;;; Shepherd, the box has a user and a group instead of a mapping.

(use-modules (fruix sandbox)
             (fruix shepherd)
             (shepherd service))

(define directory
  (getenv "CLOCK_DIRECTORY"))

(define box
  (sandbox #:root (string-append directory "/root")
           #:mounts '(("/usr" "/usr" read-only))
           #:symlinks '(("/bin" "usr/bin")
                        ("/lib" "usr/lib")
                        ("/lib64" "usr/lib64"))
           #:network 'none
           #:environment '("PATH=/usr/bin" "TZ=UTC")
           #:limits '((address-space . 1000000000) (open-files . 64))
           #:mapping `((uid 1000 . ,(getuid)) (gid 1000 . ,(getgid)))))

(define clock
  (service '(clock)
    #:documentation "Write the time to a log file, once a minute."
    #:start (make-sandbox-constructor
             box '("/bin/sh" "-c" "while date; do sleep 60; done")
             #:log-file (string-append directory "/log"))
    #:stop (make-sandbox-destructor box)
    #:respawn? #t))

(register-services (list clock))
