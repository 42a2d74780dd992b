;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What FreeBSD alone has: jails and what belongs to them, and the modules
;;; that its kernel may lack.
;;; Code:

(define-module (fruix doctor freebsd)
  #:use-module (fruix doctor answers)
  #:use-module (fruix probe)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:export (freebsd-facts))

(define %modules
  '("nullfs" "fdescfs" "tmpfs"))

;; Of device nodes: that of sandboxes, and that of jails in general.
(define %rulesets
  '("4711" "4"))

(define (sysctl name)
  "Return the answer what the integer NAME, see sysctl(8), is."
  (attempt (lambda () (probe "sysctl" name))))

(define (jailed)
  (case (sysctl "security.jail.jailed")
    ((0) (no "this is the host"))
    ((1) #t)
    (else => identity)))

(define (loaded module)
  (try "module" module
       #:reasons `((,ENOENT
                    . ,(format #f "not loaded; see kldload(8), ~a(4)"
                               module)))))

(define (ruleset)
  "Return the answer which ruleset of device nodes is there for a sandbox.
One that is not there would hide nothing."
  (define (there number)
    (match (try "devfs-ruleset" number
                #:reasons `((,ENOENT . "neither 4711 nor 4 is loaded")))
      (#t number)
      (answer answer)))
  (let ((answers (map there %rulesets)))
    (or (find yes? answers)
        (last answers))))

(define (limits)
  (try "rctl"
       #:reasons `((,ENOSYS . "off; see kern.racct.enable in rctl(4)"))))

(define (freebsd-facts)
  "Return an alist of names, strings, and answers: what FreeBSD alone has."
  `(("user-namespaces" . ,(try "user-namespaces"))
    ("osreldate" . ,(sysctl "kern.osreldate"))
    ("jailed" . ,(jailed))
    ("jail-descriptors" . ,(try "jail-descriptors"))
    ("vnet" . ,(root-only (lambda () (try "vnet"))))
    ,@(map (lambda (name) (cons name (loaded name))) %modules)
    ("devfs-ruleset" . ,(root-only ruleset))
    ("rctl" . ,(root-only limits))))
