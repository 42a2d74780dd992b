;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What this system, and this user on it, can do for builds, and what is
;;; missing.  Nothing is changed: what is tried out is undone.
;;;
;;; A fact has a name, which never changes its meaning, and an answer, of
;;; which (fruix doctor answers) tells.
;;; Code:

(define-module (fruix doctor)
  #:use-module (fruix config)
  #:use-module (fruix doctor advisories)
  #:use-module (fruix doctor answers)
  #:use-module (fruix doctor builds)
  #:use-module (fruix doctor calls)
  #:use-module (fruix doctor freebsd)
  #:use-module (fruix doctor guile)
  #:use-module (fruix doctor linux)
  #:re-export (yes?
               answer->text)
  #:export (doctor-facts))

(define (identity-facts)
  `(("operating-system" . ,(symbol->string %platform))
    ("kernel" . ,(utsname:release (uname)))
    ("machine" . ,(utsname:machine (uname)))
    ("guile" . ,(version))
    ("user" . ,(geteuid))))

(define (system-facts)
  (case %platform
    ((linux) (linux-facts))
    ((freebsd) (freebsd-facts))))

(define (doctor-facts)
  "Return all facts: an alist of names, strings, and answers, always in the
same order.  The last is @code{\"builds\"}: whether this user can have builds
run, in one way at least."
  `(,@(identity-facts)
    ,@(call-facts)
    ,@(system-facts)
    ("kernel-patched" . ,(kernel-patched %platform
                                         (utsname:release (uname))
                                         (utsname:version (uname))))
    ("guile-spawn" . ,(guile-spawn))
    ,@(build-facts)))
