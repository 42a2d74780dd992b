;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Lowering a sandbox to the steps of Linux.  It belongs to its first process,
;;; which makes its namespaces fit and fills its root; others join these.  All
;;; the host does is to make a cgroup, where there are limits for one.
;;;
;;; Orders that matter:
;;;
;;; 1. The program is looked at inside the new root and before privileges are
;;;    dropped; mounts are locked before capabilities are dropped.
;;; 2. System calls are filtered when none of those that are refused is
;;;    needed any more.
;;; Code:

(define-module (fruix sandbox linux)
  #:use-module (fruix sandbox cgroup)
  #:use-module (fruix sandbox check)
  #:use-module (fruix sandbox limits)
  #:use-module (fruix sandbox spec)
  #:use-module (fruix sandbox tree)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:export (linux-plan
            linux-shortcomings
            personality-flags))

(define %no-cgroup "no cgroup is delegated")

(define %devices
  '("full" "null" "random" "tty" "urandom" "zero"))

(define %device-links
  '(("/dev/fd" "/proc/self/fd")
    ("/dev/stdin" "/proc/self/fd/0")
    ("/dev/stdout" "/proc/self/fd/1")
    ("/dev/stderr" "/proc/self/fd/2")))

(define (device-mounts box facts)
  "Return the mounts of device nodes of @var{box}."
  (if (and (sandbox-devices? box) (not (mounted? box "/dev")))
      (filter-map (lambda (device)
                    (let ((name (string-append "/dev/" device)))
                      (and (not (mounted? box name))
                           ;; That is about the node, not the device.
                           (list name name 'read-only))))
                  (if (assq-ref facts 'kvm)
                      (cons "kvm" %devices)
                      %devices))
      '()))

(define (device-symlinks box facts)
  "Return the symbolic links in the @file{/dev} of @var{box}."
  (cond ((or (not (sandbox-devices? box)) (mounted? box "/dev")) '())
        ((assq-ref facts 'pts)
         (cons '("/dev/ptmx" "/dev/pts/ptmx") %device-links))
        (else %device-links)))

(define (filesystems box facts)
  "Return the new file systems of @var{box}: lists of a name and a step."
  `(,@(if (sandbox-proc? box)
          '(("/proc" ("filesystem" "proc" "/proc")))
          '())
    ,@(if (sandbox-devices? box)
          `(("/dev/shm" ("filesystem" "tmpfs" "/dev/shm" "mode=1777"
                         ,@(storage-options box))))
          '())
    ,@(if (and (sandbox-devices? box) (assq-ref facts 'pts))
          '(("/dev/pts" ("filesystem" "devpts" "/dev/pts" "newinstance"
                         "mode=0620" "ptmxmode=0666")))
          '())))

(define (namespaces box facts)
  `("namespaces" "mount" "pid" "ipc" "uts"
    ,@(if (or (eq? (sandbox-network box) 'host) (assq-ref facts 'network))
          '()
          '("net"))
    ,@(if (sandbox-mapping box) '("user") '())))

(define (root-outside? box)
  "Return true if the user of @var{box} is the host's root, who has no
capabilities there, but owns files."
  (match (sandbox-mapping box)
    ((('uid _ . 0) . _) #t)
    (_ #f)))

(define (map-line ids which)
  "Return a line of uid_map or gid_map for @var{ids}, an entry of a mapping,
@var{which} of its two IDs, @code{car} or @code{cdr}, being the one outside."
  (match ids
    ((_ . (and ids (inside . _)))
     (format #f "~a ~a 1" inside (which ids)))))

(define (own-maps mapping which)
  "Return the lines for one's own user and group, the first of @var{mapping}."
  (match mapping
    ((user group . _)
     (list (map-line user which) (map-line group which)))))

(define (group-mapper mapping facts)
  "Return the command that maps all groups of @var{mapping}, or the empty list
if there is just one, or no such command."
  (match mapping
    ((user group) '())
    ((user . groups)
     (match (assq-ref facts 'newgidmap)
       (#f '())
       (program
        (cons program
              (append-map (lambda (ids)
                            (string-tokenize (map-line ids cdr)))
                          groups)))))))

(define (birth-maps mapping facts)
  "Return the maps of the user namespace in which a process is born."
  (append (own-maps mapping cdr) (group-mapper mapping facts)))

(define (inner-maps mapping facts)
  "Return those of the user namespace in that one where mounts are locked."
  (append (own-maps mapping car)
          (match (group-mapper mapping facts)
            (() '())
            (_ (list (string-join (map (lambda (ids) (map-line ids car))
                                       (cdr mapping))
                                  "\n"))))))

(define (personality-flags names)
  "Return the argument of personality(2) for the symbols @var{names}."
  (fold (lambda (name flags)
          (logior flags
                  (match name
                    ('32-bit #x8)                 ;PER_LINUX32
                    ('fixed-addresses #x40000)    ;ADDR_NO_RANDOMIZE
                    ('linux-2.6 #x20000))))       ;UNAME26
        0
        names))

(define (cgroup-controls box facts)
  "Return the files of a cgroup and what to write there for the limits of
@var{box}."
  (append-map (match-lambda
                (('memory . bytes)
                 `(("memory.max" ,(number->string bytes))
                   ,@(if (assq-ref facts 'swap)
                         '(("memory.swap.max" "0"))
                         '())))
                (('processes . count)
                 `(("pids.max" ,(number->string count))))
                (('cpus . count)
                 `(("cpu.max" ,(format #f "~a 100000" (* count 100000)))))
                (_ '()))
              (sandbox-limits box)))

(define (cgroup box facts)
  "Return the name of the cgroup of @var{box}, or @code{#f} if it has none."
  (let ((parent (assq-ref facts 'cgroup)))
    (and parent
         (pair? (cgroup-controls box facts))
         (string-append parent "/" (cgroup-name (sandbox-root box))))))

(define (host-steps box facts)
  (match (cgroup box facts)
    (#f '())
    (directory
     `(("cgroup" ,directory)
       ,@(map (lambda (control) `("cgroup-limit" ,directory ,@control))
              (cgroup-controls box facts))))))

(define (substitutes box)
  "Return the steps that limit processes of @var{box} where there is no cgroup
for them.  Refuse what has no substitute."
  (when (sandbox-limit box 'cpus)
    (refuse-field 'limits "cpus: ~a" %no-cgroup))
  ;; The kernel does not count the processes of root.
  (when (and (sandbox-limit box 'processes)
             (root-outside? box))
    (refuse-field 'limits "processes: as root, and ~a" %no-cgroup))
  (substitute-limit-steps box 'data))

;; Where cores go to a program, that is run as root and outside, whatever the
;; limit; but for this one, by which the kernel knows that program itself.
(define %no-core 1)

(define (limit-steps box facts)
  "Return the steps that limit a process of @var{box}."
  (append (process-limit-steps box %no-core)
          (if (cgroup box facts) '() (substitutes box))))

(define (linux-shortcomings box facts)
  "Return what @var{box}, a sandbox, lacks on Linux, as
@code{sandbox-shortcomings} does; @var{facts} tell about the host."
  `(,@(if (cgroup box facts)
          '()
          (limit-shortcomings box 'data %no-cgroup))
    ,@(if (and (memq 'abstract-sockets (sandbox-hardening box))
               (eq? (sandbox-network box) 'host)
               (not (assq-ref facts 'landlock)))
          '("abstract sockets of the host can be reached: no Landlock")
          '())))

(define (identity-steps box)
  "Return the steps by which a process of @var{box} gives up what it may do."
  (match (sandbox-mapping box)
    (#f `(("drop-capabilities")
          ("credentials" ,(sandbox-user box) ,(sandbox-group box)
           ,@(sandbox-supplementary-groups box))))
    (_ `(;; In /proc are the settings of the kernel.
         ,@(if (root-outside? box)
               '(("read-only" "/proc"))
               '())
         ("drop-capabilities")))))

(define (hardening-steps box facts)
  (define (when-asked name . steps)
    (if (memq name (sandbox-hardening box)) steps '()))
  `(("no-new-privileges")
    ,@(when-asked 'keyring '("new-keyring"))
    ,@(if (assq-ref facts 'landlock)
          (when-asked 'abstract-sockets '("abstract-sockets"))
          '())
    ,@(when-asked 'system-calls
                  `("system-calls"
                    ,@(if (and (memq '32-bit (sandbox-personality box))
                               (not (memq 'sockets
                                          (sandbox-hardening box))))
                          '("socketcall")
                          '())
                    ,@(if (memq 'set-id-bits (sandbox-hardening box))
                          '()
                          '("set-id-bits"))))))

(define (linux-plan box facts)
  "Return the plan of @var{box}, a sandbox, on Linux, as @code{sandbox-plan}
does; @var{facts} tell about the host."
  (define mapping (sandbox-mapping box))
  (define network (assq-ref facts 'network))
  `((host ,@(host-steps box facts))
    (birth ,(namespaces box facts)
           ,@(match (cgroup box facts)
               (#f '())
               (directory `(("cgroup" ,directory))))
           ,@(if mapping `(("user-map" ,@(birth-maps mapping facts))) '())
           ;; Before descriptors are closed.
           ,@(if network `(("network" ,network)) '()))
    (create
     ,@(if (and (eq? (sandbox-network box) 'loopback) (not network))
           '(("loopback-up"))
           '())
     ("host-name" ,(sandbox-host-name box))
     ("domain-name" ,(sandbox-domain-name box))
     ("root" ,(sandbox-root box) "mode=0755" ,@(storage-options box))
     ,@(tree-steps box
                   #:devices (device-mounts box facts)
                   #:links (device-symlinks box facts)
                   #:filesystems (filesystems box facts))
     ("pivot-root" #o555)
     ,@(if mapping `(("lock-mounts" ,@(inner-maps mapping facts))) '()))
    (enter
     ("umask" #o022)
     ("chdir" ,(sandbox-directory box))
     ("personality" ,(personality-flags (sandbox-personality box)))
     ("oom-score" 1000)
     ,@(limit-steps box facts))
    (program
     ,@(match (sandbox-program-directory box)
         (#f '())
         (directory `(("program-within" ,directory))))
     ("interpreters"))
    (drop
     ,@(identity-steps box)
     ,@(hardening-steps box facts))))
