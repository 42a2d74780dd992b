;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What lowering has to know about the host: an alist.  Apart from it a plan
;;; depends on the sandbox alone.
;;;
;;; On Linux:
;;;   kvm pts   whether there is /dev/kvm, or devpts
;;;   landlock  whether abstract sockets can be kept apart
;;;   cgroup    the directory of a cgroup for those of sandboxes, or #f; only
;;;             looked for if limits need it
;;;   swap      whether memory can go to disk
;;;   newgidmap the name of the program that maps groups of this user, or #f;
;;;             only looked for if there are such to map
;;;   network   a descriptor of the network that was made for it, which has a
;;;             loopback interface; or #f, as long as whoever uses it does not
;;;             say so
;;; On FreeBSD:
;;;   root      the name of the root, without symbolic links
;;;   vnet      whether jails can have a network of their own
;;;   rctl      whether there are limits for jails
;;; Code:

(define-module (fruix sandbox facts)
  #:use-module (fruix config)
  #:use-module (fruix probe)
  #:use-module ((fruix process) #:select (find-program))
  #:use-module (fruix sandbox cgroup)
  #:use-module (fruix sandbox spec)
  #:use-module (ice-9 match)
  #:use-module ((srfi srfi-1) #:select (filter-map))
  #:export (%typical-facts
            host-facts))

;; What a machine of each system has that lacks nothing but a cgroup.
(define %typical-facts
  '((linux (pts . #t) (landlock . #t))
    (freebsd (vnet . #t) (rctl . #t))))

(define* (measure name #:optional (subject ""))
  "Return what the probe @var{name} of @var{subject} finds, or @code{#f}."
  (catch 'system-error
    (lambda () (probe name subject))
    (const #f)))

;; The version of Landlock that can scope abstract sockets.
(define %scoping-landlock 6)

(define (needed-controllers box)
  "Return the names of the cgroup controllers for the limits of @var{box}."
  (filter-map (match-lambda
                ((resource . controller)
                 (and (sandbox-limit box resource) controller)))
              '((memory . "memory") (processes . "pids") (cpus . "cpu"))))

(define (linux-facts box)
  `((kvm . ,(file-exists? "/dev/kvm"))
    (pts . ,(file-exists? "/dev/pts/ptmx"))
    (landlock . ,(>= (or (measure "landlock") 0) %scoping-landlock))
    (swap . ,(file-exists? "/proc/swaps"))
    (newgidmap . ,(match (sandbox-mapping box)
                    ((user group more . _) (find-program "newgidmap"))
                    (_ #f)))
    (cgroup . ,(match (needed-controllers box)
                 (() #f)
                 (controllers (delegated-cgroup controllers))))))

(define (real-root box)
  "Return the root of @var{box} without symbolic links on the way there."
  (define root (sandbox-root box))
  (catch 'system-error
    (lambda ()
      (let ((parent (canonicalize-path (dirname root))))
        (string-append (if (string=? parent "/") "" parent) "/"
                       (basename root))))
    (const root)))

(define (freebsd-facts box)
  (define (feature? name) (eqv? 1 (measure "sysctl" name)))
  `((root . ,(real-root box))
    (vnet . ,(feature? "kern.features.vimage"))
    (rctl . ,(feature? "kern.racct.enable"))))

(define (host-facts box)
  "Return the facts about this host that the plan of @var{box} depends on, an
alist."
  (case %platform
    ((linux) (linux-facts box))
    ((freebsd) (freebsd-facts box))))
