;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Kernels out of which, as is known, a builder can get: by leaving a jail or
;;; a namespace, by becoming root, or by writing to files that it can only
;;; read.  A version tells what a kernel should be safe from, not what it is:
;;; this is for people who have forgotten to update.
;;;
;;; A version is a list of three integers; the last is the level that fixes
;;; raise within a series, which the others stand for.
;;; Code:

(define-module (fruix doctor advisories)
  #:use-module (fruix doctor answers)
  #:use-module (ice-9 match)
  #:use-module (ice-9 regex)
  #:use-module (srfi srfi-1)
  #:export (linux-version
            freebsd-version
            open-advisories
            kernel-patched))

;; Each is (NAME SINCE FIX ...): the first series that has the defect, and the
;; versions that lost it, in order; so did all series after the last.

(define %linux
  '(("CVE-2022-0847" (5 8)
     (5 10 102) (5 15 25) (5 16 11) (5 17 0))
    ("CVE-2026-31431" (4 14)
     (5 10 254) (5 15 204) (6 1 170) (6 6 137) (6 12 85) (6 18 22)
     (6 19 12) (7 0 0))
    ("CVE-2026-43284" (4 11)
     (5 10 255) (5 15 206) (6 1 172) (6 6 138) (6 12 87) (6 18 28) (7 0 5)
     (7 1 0))
    ("CVE-2026-46300" (3 9)
     (5 10 257) (5 15 208) (6 1 174) (6 6 141) (6 12 91) (6 18 33) (7 0 10)
     (7 1 0))
    ("CVE-2026-46331" (5 10)
     (5 10 260) (5 15 211) (6 1 177) (6 6 144) (6 12 94) (6 18 36) (7 0 13)
     (7 1 0))))

(define %freebsd
  '(("FreeBSD-SA-26:04.jail" (0 0)
     (14 3 9) (14 4 0) (15 0 0))
    ("FreeBSD-SA-26:18.setcred" (14 3)
     (14 3 14) (14 4 5) (14 5 0) (15 0 9) (15 1 0))
    ("FreeBSD-SA-26:38.jail" (15 0)
     (15 0 11) (15 1 1) (15 2 0))
    ("FreeBSD-SA-26:39.execve" (0 0)
     (14 3 16) (14 4 7) (14 5 0) (15 0 11) (15 1 1) (15 2 0))
    ("FreeBSD-SA-26:42.unlinkat" (13 0)
     (14 3 16) (14 4 7) (14 5 0) (15 0 11) (15 1 1) (15 2 0))
    ("FreeBSD-SA-26:66.jail" (0 0)
     (14 4 10) (14 5 1) (15 0 14) (15 1 4) (15 2 0))))

(define (version<? a b)
  (match (list a b)
    ((() b) (pair? b))
    ((a ()) #f)
    (((x . a) (y . b)) (or (< x y) (and (= x y) (version<? a b))))))

(define (series version)
  (take version 2))

(define (open-advisories version advisories)
  "Return the names of those of @var{advisories}, a list of @code{(@var{name}
@var{since} @var{fix} ...)}, that @var{version} is open to: lists of integers,
@var{since} one of two."
  (define (open? since fixes)
    (and (not (version<? (series version) since))
         (match (find (lambda (fix) (equal? (series fix) (series version)))
                      fixes)
           (#f (version<? version (last fixes)))
           (fix (version<? version fix)))))
  (filter-map (match-lambda
                ((name since . fixes) (and (open? since fixes) name)))
              advisories))

(define (matched-version pattern text)
  "Return the integers that the groups of @var{pattern} match in @var{text}, 0
for one that is absent; or @code{#f} if it does not match."
  (and=> (string-match pattern text)
         (lambda (found)
           (map (lambda (group)
                  (string->number (or (match:substring found group) "0")))
                (iota (- (match:count found) 1) 1)))))

(define (linux-version release build)
  "Return the version of the Linux kernel whose uname(2) says @var{release}
and, as its version, @var{build}, strings; @code{#f} if they do not tell.
Many a distribution adds fixes to the first of a series, and says so in its
own way."
  (or (matched-version "Debian ([0-9]+)\\.([0-9]+)\\.([0-9]+)-" build)
      (matched-version "^([0-9]+)\\.([0-9]+)\\.([1-9][0-9]*|0$)" release)))

(define (freebsd-version release)
  "Return the version of the FreeBSD kernel whose uname(2) says @var{release};
@code{#f} if it is no release, whose patch level would be known."
  (match (matched-version "^([0-9]+)\\.([0-9]+)-RELEASE(-p([0-9]+))?$"
                          release)
    (#f #f)
    ((major minor _ level) (list major minor level))))

(define (kernel-patched system release build)
  "Return the answer to whether the kernel of @var{system}, @code{linux} or
@code{freebsd}, has the fixes of the advisories known here; @var{release} and
@var{build} are what uname(2) says."
  (let ((version (match system
                   ('linux (linux-version release build))
                   ('freebsd (freebsd-version release))))
        (advisories (match system
                      ('linux %linux)
                      ('freebsd %freebsd))))
    (if version
        (match (open-advisories version advisories)
          (() #t)
          (names (no "~a is open to ~{~a~^, ~}" release names)))
        (unknown "the version of ~a does not tell" release))))
