;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Lowering a sandbox to the steps of Linux: a list that says in which order
;;; the new process makes its namespaces fit, fills its root, and gives up
;;; what it may do.
;;;
;;; Orders that matter:
;;;
;;; 1. Mounts and symbolic links come in the byte order of their names, so
;;;    that one inside a mount comes after it; a missing parent is made just
;;;    before.  Directories and files come first: a mount may cover them, but
;;;    nothing is written to what is mounted.
;;; 2. The program is looked at inside the new root and before privileges
;;;    are dropped; mounts are locked before capabilities are.
;;; 3. The death signal is armed last: changing credentials disarms it.
;;; Code:

(define-module (fruix sandbox linux)
  #:use-module (fruix sandbox spec)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:export (linux-plan))

(define %devices
  '("full" "null" "random" "tty" "urandom" "zero"))

(define %device-links
  '(("/dev/fd" "/proc/self/fd")
    ("/dev/stdin" "/proc/self/fd/0")
    ("/dev/stdout" "/proc/self/fd/1")
    ("/dev/stderr" "/proc/self/fd/2")))

(define (mounted? box target)
  (any (match-lambda ((_ name _) (string=? name target)))
       (sandbox-mounts box)))

(define (device-mounts box present?)
  "Return the mounts of device nodes of @var{box}."
  (if (and (sandbox-devices? box) (not (mounted? box "/dev")))
      (filter-map (lambda (device)
                    (let ((name (string-append "/dev/" device)))
                      (and (not (mounted? box name))
                           (list name name 'read-write))))
                  (if (present? "/dev/kvm")
                      (cons "kvm" %devices)
                      %devices))
      '()))

(define (device-symlinks box present?)
  "Return the symbolic links in the @file{/dev} of @var{box}."
  (cond ((or (not (sandbox-devices? box)) (mounted? box "/dev")) '())
        ((present? "/dev/pts/ptmx")
         (cons '("/dev/ptmx" "/dev/pts/ptmx") %device-links))
        (else %device-links)))

(define (filesystems box present?)
  "Return the new file systems of @var{box}: lists of a name and a step."
  `(,@(if (sandbox-proc? box)
          '(("/proc" ("filesystem" "proc" "/proc")))
          '())
    ,@(if (sandbox-devices? box)
          '(("/dev/shm" ("filesystem" "tmpfs" "/dev/shm" "mode=1777")))
          '())
    ,@(if (and (sandbox-devices? box) (present? "/dev/pts/ptmx"))
          '(("/dev/pts" ("filesystem" "devpts" "/dev/pts" "newinstance"
                         "mode=0620" "ptmxmode=0666")))
          '())))

(define mount->entry
  (match-lambda
    ((source target access)
     `(,target ("bind" ,source ,target ,(symbol->string access))))))

(define symlink->entry
  (match-lambda
    ((name target)
     `(,name ("symlink" ,target ,name)))))

(define (tree-entries box present?)
  "Return what fills the root of @var{box}, in order: lists of a name and the
step that makes it."
  `(,@(map (match-lambda
             ((name mode) `(,name ("directory" ,name ,mode))))
           (sandbox-directories box))
    ,@(map (match-lambda
             ((name contents mode) `(,name ("file" ,name ,contents ,mode))))
           (sandbox-files box))
    ,@(map symlink->entry (device-symlinks box present?))
    ,@(sort (append (map symlink->entry (sandbox-symlinks box))
                    (map mount->entry (sandbox-mounts box))
                    (map mount->entry (device-mounts box present?)))
            (lambda (a b)
              (string<? (first a) (first b))))
    ,@(filesystems box present?)))

(define (parent name)
  "Return the name of the directory that @var{name} is in, \"\" for the
root."
  (string-take name (string-rindex name #\/)))

(define (add-parents entries)
  "Return the steps of @var{entries}, each after those that make the
directories above it which no entry before it made."
  (define made (make-hash-table))
  (define (steps-for name steps)
    ;; Cons the steps that make directory NAME on STEPS, latest first.
    (if (or (string-null? name) (hash-ref made name))
        steps
        (begin
          (hash-set! made name #t)
          (cons `("directory" ,name #o755)
                (steps-for (parent name) steps)))))
  (reverse
   (fold (lambda (entry steps)
           (match entry
             ((name step)
              (let ((above (steps-for (parent name) steps)))
                (hash-set! made name #t)
                (cons step above)))))
         '()
         entries)))

(define (namespaces box)
  `("namespaces" "mount" "pid" "ipc" "uts"
    ,@(if (eq? (sandbox-network box) 'host) '() '("net"))
    ,@(if (sandbox-mapping box) '("user") '())))

(define (id-maps mapping which)
  "Return the lines of uid_map and gid_map for @var{mapping}, @var{which} of
its two IDs, @code{car} or @code{cdr}, being the one outside."
  (map (lambda (id)
         (match (assq-ref mapping id)
           ((and ids (inside . _))
            (format #f "~a ~a 1" inside (which ids)))))
       '(uid gid)))

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

(define (identity-steps box)
  "Return the steps by which the process of @var{box} gives up what it may
do."
  (match (sandbox-mapping box)
    (#f `(("drop-capabilities")
          ("credentials" ,(sandbox-user box) ,(sandbox-group box)
           ,@(sandbox-supplementary-groups box))))
    (mapping `(("lock-mounts" ,@(id-maps mapping car))
               ("drop-capabilities")))))

(define* (linux-plan box #:key (present? file-exists?))
  "Return the plan of @var{box}, a sandbox, on Linux: a list of steps, each a
list of a name, strings and integers, in order, the first of which lists the
namespaces.  @var{present?} tells whether the host has a file: device nodes
that it may lack are left out."
  `(,(namespaces box)
    ,@(match (sandbox-mapping box)
        (#f '())
        (mapping `(("user-map" ,@(id-maps mapping cdr)))))
    ("session")
    ("umask" #o022)
    ,@(if (eq? (sandbox-network box) 'loopback) '(("loopback-up")) '())
    ("host-name" ,(sandbox-host-name box))
    ("domain-name" ,(sandbox-domain-name box))
    ("root" ,(sandbox-root box) "mode=0755")
    ,@(add-parents (tree-entries box present?))
    ("pivot-root" #o555)
    ("chdir" ,(sandbox-directory box))
    ("personality" ,(personality-flags (sandbox-personality box)))
    ("oom-score" 1000)
    ,@(map (match-lambda
             ((resource soft hard)
              `("limit" ,(symbol->string resource) ,soft ,hard)))
           (sandbox-limits box))
    ,@(match (sandbox-program-directory box)
        (#f '())
        (directory `(("program-within" ,directory))))
    ,@(identity-steps box)
    ("no-new-privileges")
    ("death-signal" 9)))
