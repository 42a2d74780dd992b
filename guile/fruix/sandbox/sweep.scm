;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What is left of sandboxes when the process that opened them was killed at
;;; a bad moment.  It is found by name: jails and cgroups by the names that
;;; sandboxes give them, mounts by where they are.  From that a receipt is
;;; made, as if everything had just been done, and undone.
;;; Code:

(define-module (fruix sandbox sweep)
  #:use-module (fruix config)
  #:use-module (fruix jail)
  #:use-module (fruix mount)
  #:use-module (fruix plan)
  #:use-module (fruix sandbox cgroup)
  #:use-module (fruix sandbox spec)
  #:use-module ((ice-9 ftw) #:select (scandir))
  #:use-module (srfi srfi-1)
  #:export (sweep-sandboxes))

(define (below? directory)
  "Return a predicate that tells whether a file name is below
@var{directory}."
  (lambda (name)
    (string-prefix? (string-append directory "/") name)))

(define (signed number)
  "Return @var{number}, of 64 bits, as steps have it."
  (if (< number (expt 2 63)) number (- number (expt 2 64))))

(define (freebsd-receipt directory)
  "Limits and shared memory outlive the jail that they are for; each has the
name of a root."
  (define left
    (filter (lambda (mount) ((below? directory) (mount-target mount)))
            (mounts)))
  (define roots
    (map mount-target
         (filter (lambda (mount) (string=? (mount-type mount) "tmpfs"))
                 left)))
  `(,@(map (lambda (root) `("remove-shared-memory" ,root)) roots)
    ,@(map (lambda (mount)
             `("unmount" ,(signed (mount-id mount)) ,(mount-target mount)))
           left)
    ,@(map (lambda (root) `("remove-resource-rules" ,(root->name root)))
           roots)
    ,@(filter-map (lambda (jail)
                    (and (string-prefix? %sandbox-prefix (jail-name jail))
                         ((below? directory) (jail-path jail))
                         `("remove-jail" ,(jail-id jail) -1)))
                  (jails))))

(define (linux-receipt directory)
  "All that can be left on Linux are cgroups; other things belong to processes
that are dead."
  (define prefix (cgroup-name (string-append directory "/")))
  (append-map (lambda (parent)
                (map (lambda (name)
                       `("remove-cgroup" ,(string-append parent "/" name)))
                     (or (scandir parent
                                  (lambda (name)
                                    (string-prefix? prefix name)))
                         '())))
              (cgroup-parents)))

(define (sweep-sandboxes directory)
  "Close all sandboxes whose roots are below @var{directory}, an absolute name
without symbolic links: they were left by processes that were killed, and must
not be in use.  Raise a @code{system-error} if something of them remains."
  (undo-steps (case %platform
                ((linux) (linux-receipt directory))
                ((freebsd) (freebsd-receipt directory)))))
