;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Lowering a sandbox to the steps of FreeBSD.  The host mounts its tree,
;;; makes a jail of it and gives that its network and limits; each process
;;; attaches itself to the jail and gives up its privileges.
;;;
;;; Orders that matter:
;;;
;;; 1. Mounts come before the jail, so that nothing runs in a jail that is
;;;    not whole, and the jail is gone before they are undone.
;;; 2. A process attaches without any open directory, and drops its user
;;;    last: only root may attach.
;;; Code:

(define-module (fruix sandbox freebsd)
  #:use-module (fruix sandbox check)
  #:use-module (fruix sandbox limits)
  #:use-module (fruix sandbox spec)
  #:use-module (fruix sandbox tree)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:export (freebsd-plan
            freebsd-shortcomings))

;; A ruleset of our own: that of another program might change, or be empty,
;; which hides nothing.
(define %devfs-ruleset 4711)

(define %devices
  '("null" "zero" "full" "random" "urandom" "fd" "fd/*" "stdin" "stdout"
    "stderr"))

;; Files up to this size, in bytes, are copied: a mount costs more.
(define %copied-file-size 1048576)

;; No fdescfs, by which jails could be left (FreeBSD-SA-26:66): /dev/fd has the
;; three standard descriptors.
(define (filesystems box)
  "Return the new file systems of @var{box}: lists of a name and a step."
  (if (and (sandbox-devices? box) (not (mounted? box "/dev")))
      `(("/dev" ("filesystem" "devfs" "/dev"
                 ,(format #f "ruleset=~a" %devfs-ruleset))))
      '()))

(define (bind->copying step)
  "Return @var{step} with the size up to which files are copied, if it is a
bind."
  (match step
    (("bind" source target access)
     `("bind" ,source ,target ,access ,%copied-file-size))
    (_ step)))

(define (passwd-steps box)
  "Return the step that makes the database of users which the C library reads,
if @var{box} has users."
  (if (any (match-lambda ((name . _) (string=? name "/etc/passwd")))
           (sandbox-files box))
      '(("user-database" "/etc/passwd" "/etc/pwd.db"))
      '()))

(define (network-parameters box facts)
  "Return parameters of the jail of @var{box}: without any of these it can make
no socket of the Internet."
  (case (sandbox-network box)
    ((none) '())
    ((host) '("ip4" 2 "ip6" 2))                   ;inherit
    ((loopback)
     (unless (assq-ref facts 'vnet)
       (refuse-field 'network "a loopback interface needs a kernel with VIMAGE"))
     '("vnet" 1))))                               ;new

(define (root box facts)
  "Return the name of the root of @var{box} as the kernel has it."
  (or (assq-ref facts 'root) (sandbox-root box)))

(define (name box facts)
  "Return the name of the jail of @var{box}."
  (root->name (root box facts)))

(define (jail-step box facts)
  `("jail" ,(name box facts)
    "path" ,(root box facts)
    "host.hostname" ,(sandbox-host-name box)
    "children.max" 0
    "enforce_statfs" 2
    "sysvmsg" 1 "sysvsem" 1 "sysvshm" 1           ;new
    "allow.noset_hostname" ""
    "allow.noraw_sockets" ""
    "allow.nochflags" ""
    "allow.nomount" ""
    ,@(if (eq? (sandbox-network box) 'loopback)
          '()
          '("allow.noreserved_ports" ""))
    ,@(network-parameters box facts)))

(define (jail-limits box facts)
  "Return the steps that limit the jail of @var{box}."
  (define (rule resource action value)
    `("resource-rule" ,(name box facts)
      ,(format #f "~a:~a=~a" resource action value)))
  (append-map (match-lambda
                (('memory . bytes)
                 (if (assq-ref facts 'rctl)
                     (list (rule "memoryuse" "sigkill" bytes))
                     '()))
                (('processes . count)
                 (if (assq-ref facts 'rctl)
                     (list (rule "maxproc" "deny" count))
                     '()))
                (('cpus . count)
                 `(("cpus" ,(name box facts) ,count)))
                (_ '()))
              (sandbox-limits box)))

(define (limit-steps box facts)
  "Return the steps that limit a process of @var{box}."
  (append (process-limit-steps box 0)
          (if (assq-ref facts 'rctl)
              '()
              (substitute-limit-steps box 'address-space))))

(define (freebsd-shortcomings box facts)
  "Return what @var{box}, a sandbox, lacks on FreeBSD, as
@code{sandbox-shortcomings} does; @var{facts} tell about the host."
  (if (assq-ref facts 'rctl)
      '()
      (limit-shortcomings box 'address-space "the kernel has no rctl")))

(define (check box)
  (when (sandbox-mapping box)
    (refuse-field 'mapping "FreeBSD has no user namespaces")))

(define (freebsd-plan box facts)
  "Return the plan of @var{box}, a sandbox, on FreeBSD, as @code{sandbox-plan}
does; @var{facts} tell about the host."
  (check box)
  `((host
     ("root" ,(root box facts) "mode=0755" ,@(storage-options box))
     ,@(if (sandbox-devices? box)
           `(("devfs-ruleset" ,%devfs-ruleset ,@%devices))
           '())
     ,@(map bind->copying
            (tree-steps box
                        #:filesystems (filesystems box)))
     ,@(passwd-steps box)
     ,(jail-step box facts)
     ,@(if (eq? (sandbox-network box) 'loopback)
           `(("loopback-up" ,(name box facts)))
           '())
     ,@(jail-limits box facts))
    (birth ("namespaces"))
    (create)
    (enter
     ("attach" ,(name box facts))
     ("chdir" ,(sandbox-directory box))
     ,@(if (memq 'fixed-addresses (sandbox-personality box))
           '(("fixed-addresses"))
           '())
     ,@(limit-steps box facts)
     ("umask" #o022))
    (program
     ,@(match (sandbox-program-directory box)
         (#f '())
         (directory `(("program-within" ,directory)))))
    (drop
     ("no-new-privileges")
     ("credentials" ,(sandbox-user box) ,(sandbox-group box)
      ,@(sandbox-supplementary-groups box)))))
