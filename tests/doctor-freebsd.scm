;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; What 'fruix doctor' says of FreeBSD, and the same found in another way.

(use-modules (fruix config)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests doctor-support)
             (tests sandbox-support)
             (tests support))

(define %freebsd?
  (eq? %platform 'freebsd))

(define (output . command)
  "Return the words that COMMAND writes."
  (string-tokenize (first (apply run command))))

(define (module-there? name)
  (equal? 0 (second (run "kldstat" "-q" "-m" name))))

;; Before the doctor looks, for the build that it tries loads one.
(define %rulesets
  (if %freebsd? (output "devfs" "rule" "showsets") '()))

(define %own
  (if %freebsd? (facts "env") '()))

(define (yes? name)
  (string=? "yes" (assoc-ref %own name)))

(test-begin "doctor-freebsd")
(skip-unless %freebsd? "only for FreeBSD")

(test-equal "the version" (output "sysctl" "-n" "kern.osreldate")
  (list (assoc-ref %own "osreldate")))
(test-equal "what every FreeBSD has" '()
  (differences %own '(("jail" . "yes") ("capsicum" . "yes"))))
(test-equal "what no FreeBSD has" '()
  (differences %own
               (map (lambda (name)
                      (cons name
                            (string-append "no (" name
                                           ": Function not implemented)")))
                    '("clone" "unshare" "setns" "pivot_root" "prctl"
                      "user-namespaces"))))
(test-equal "modules" (map module-there? '("nullfs" "fdescfs" "tmpfs"))
  (map yes? '("nullfs" "fdescfs" "tmpfs")))
(test-equal "jails that can be held"
  (<= 1500000 (string->number (first (output "uname" "-K"))))
  (yes? "jail-descriptors"))

(skip-unless (and %root? (equal? "no (this is the host)"
                                 (assoc-ref %own "jailed")))
             "needs root of the host")

(test-equal "what root can" '()
  (differences %own '(("run-jail" . "yes") ("vnet" . "yes"))))
(test-equal "limits" (equal? '("1") (output "sysctl" "-n" "kern.racct.enable"))
  (yes? "rctl"))
(test-equal "the devices of a sandbox"
  (or (find (lambda (set) (member set %rulesets)) '("4711" "4"))
      "no (neither 4711 nor 4 is loaded)")
  (assoc-ref %own "devfs-ruleset"))
(test-equal "in a jail" '()
  (differences
   (facts "jail" "-c" "path=/" "command=/usr/bin/env")
   '(("jailed" . "yes")
     ("jail" . "yes")
     ("run-jail" . "no (jail_set: Operation not permitted)")
     ("vnet" . "no (jail_set: Operation not permitted)")
     ("devfs-ruleset" . "no (ioctl: DEVFSIO_SGETNEXT: Operation not \
permitted)")
     ("rctl" . "no (rctl_get_racct: Operation not permitted)"))))

(test-end "doctor-freebsd")
