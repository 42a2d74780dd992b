;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Where cgroups of sandboxes can be made: below this process's own cgroup of
;;; version 2, or beside it, if that place was delegated to it with the
;;; controllers that limits need; and what they are called there.  See
;;; cgroups(7), "Delegation".
;;; Code:

(define-module (fruix sandbox cgroup)
  #:use-module ((fruix errors) #:select (call-with-closing-port))
  #:use-module (fruix mount)
  #:use-module (ice-9 match)
  #:use-module (ice-9 textual-ports)
  #:use-module (srfi srfi-1)
  #:export (own-cgroup
            cgroup-parents
            delegated-cgroup
            cgroup-name))

(define (file-text file)
  "Return what is in @var{file}, or \"\" if it cannot be read."
  (catch 'system-error
    (lambda () (call-with-input-file file get-string-all))
    (const "")))

(define (hierarchy)
  "Return the directory where the hierarchy of version 2 is mounted, or
@code{#f}."
  (and=> (find (lambda (mount) (string=? (mount-type mount) "cgroup2"))
               (mounts))
         mount-target))

(define (own-cgroup)
  "Return the directory of this process's cgroup, or @code{#f} if it is in none
of version 2, or that is not mounted."
  (let ((path (any (lambda (line)
                     (and (string-prefix? "0::" line) (string-drop line 3)))
                   (string-split (file-text "/proc/self/cgroup") #\newline)))
        (top (hierarchy)))
    (and path top
         (string-append top (if (string=? path "/") "" path)))))

(define (enable controllers directory)
  "Let the children of the cgroup @var{directory} have @var{controllers}, a
list of names, if the kernel lets us: not while there are processes in it."
  (catch 'system-error
    (lambda ()
      (call-with-closing-port
          (open-file (string-append directory "/cgroup.subtree_control") "w0")
        (lambda (port)
          (display (string-join (map (lambda (name) (string-append "+" name))
                                     controllers))
                   port))))
    (const #f)))

(define (usable? directory controllers)
  "Return true if cgroups with @var{controllers} can be made in
@var{directory}."
  (define (enabled?)
    (lset<= string=? controllers
            (string-tokenize
             (file-text (string-append directory
                                       "/cgroup.subtree_control")))))
  (and (access? (string-append directory "/cgroup.procs") W_OK)
       (or (enabled?)
           (begin
             (enable controllers directory)
             (enabled?)))))

(define (cgroup-parents)
  "Return the directories in which cgroups of sandboxes may be, if this process
is allowed to make any there."
  (match (own-cgroup)
    (#f '())
    (own (list own (dirname own)))))

(define (delegated-cgroup controllers)
  "Return the directory in which this process may make cgroups that have
@var{controllers}, a list of names such as @code{\"memory\"}, or @code{#f} if
none was delegated to it."
  (find (lambda (directory) (usable? directory controllers))
        (cgroup-parents)))

(define (cgroup-name root)
  "Return the name of the cgroup of a sandbox whose root is @var{root}; that of
one further down begins with it."
  (string-append "fruix"
                 (string-map (lambda (char) (if (char=? char #\/) #\: char))
                             root)))
