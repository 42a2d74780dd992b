;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Mounts, made by this process where it is: on Linux that is its mount
;;; namespace, on FreeBSD there is but one.
;;;
;;; A <mount> is plain data; what it says was true when it was made or looked
;;; up.  It is unmounted by what cannot be mistaken: on FreeBSD its number, on
;;; Linux its ID at its target.  Names of targets lie where only trusted users
;;; write.
;;;
;;; What the system does not have raises a 'system-error' with ENOSYS or
;;; ENODEV that names the call.
;;; Code:

(define-module (fruix mount)
  #:use-module (fruix config)
  #:use-module (fruix mountinfo)
  #:use-module ((fruix primitives)
                #:select (%mount-filesystem
                          %unmount
                          define-system-primitives))
  #:use-module (srfi srfi-9)
  #:export (mount?
            mount-type
            mount-source
            mount-target
            mount-options
            mount-id
            mount-read-only?
            mounts
            mount-nullfs
            mount-devfs
            mount-fdescfs
            mount-bind
            mount-tmpfs
            unmount
            unmount-patiently
            call-with-mount
            unshare-mounts!
            allow-writing))

(define-system-primitives "open_tree" %mount-bind)
(define-system-primitives "unshare" %unshare-mounts)
(define-system-primitives "mount_setattr" %allow-writing)
(define-system-primitives "getfsstat" %list-mounts)
(define-system-primitives "devfs" %define-device-rules)
(define-system-primitives "unmount" %tear-down-mount)

(define-record-type <mount>
  (make-mount type source target options id)
  mount?
  (type    mount-type)                  ;string, such as "tmpfs"
  (source  mount-source)                ;string: a file name, or anything
  (target  mount-target)                ;string: a file name
  (options mount-options)               ;list of strings, such as "ro"
  (id      mount-id))                   ;integer

(define (mount-read-only? mount)
  "Return true if nothing can be written through @var{mount}."
  (and (member "ro" (mount-options mount)) #t))

(define (mounts)
  "Return the list of mounts that this process can see, in the order in which
they were made, as far as the system tells: @code{<mount>} records, whose
options are the flags that hold for each, in the words of mount(8).  Raise a
@code{system-error} on failure (getfsstat(2), proc_pid_mountinfo(5))."
  (map (lambda (fields) (apply make-mount fields))
       (if (eq? %platform 'linux)
           (call-with-input-file "/proc/self/mountinfo" read-mountinfo
                                 #:encoding "UTF-8")
           (%list-mounts))))

(define (mount type source target own-options options)
  "Mount a file system of @var{type} and return it.  @var{own-options} bring
in @var{source}, and are not told of again."
  (make-mount type source target options
              (%mount-filesystem type target (append own-options options))))

(define* (mount-nullfs source target #:key (options '("nosuid")))
  "Let the directory or file @var{source} appear at @var{target}, which exists
and is of the same type, both strings, and return the @code{<mount>}.
@var{options} is a list of strings as after @option{-o} in mount(8);
@code{\"ro\"} can not be had later.  On FreeBSD @var{target} is absolute and
has no symbolic link in it; @code{EXDEV} if it does.  Raise a
@code{system-error} on failure (nmount(2), nullfs(4), mount_nullfs(8))."
  (mount "nullfs" source target (list (string-append "from=" source))
         options))

(define* (mount-devfs target ruleset visible
                      #:key (options '("nosuid" "noexec")))
  "Mount FreeBSD's file system of devices on @var{target}, showing those only
that match one of the patterns in @var{visible}, a list of strings such as
@code{\"null\"} or @code{\"fd/*\"}, and return the @code{<mount>}.
@var{ruleset}, an integer, is the rule set that is made to say so, for all
mounts that use it.  @var{options} is as for @code{mount-nullfs}.  Raise a
@code{system-error} on failure (devfs(4), devfs(8), nmount(2))."
  (%define-device-rules ruleset visible)
  (mount "devfs" "devfs" target (list (format #f "ruleset=~a" ruleset))
         options))

(define* (mount-fdescfs target #:key (options '("nosuid" "noexec")))
  "Mount FreeBSD's file system of the descriptors of each process on
@var{target}, a string, and return the @code{<mount>}.  @var{options} is as
for @code{mount-nullfs}.  Raise a @code{system-error} on failure (fdescfs(4),
nmount(2))."
  (mount "fdescfs" "fdescfs" target '() options))

(define* (mount-tmpfs target #:key (options '("nosuid")))
  "Mount a new, empty file system in memory on the directory @var{target}, a
string, and return the @code{<mount>}.  @var{options} is a list of strings as
after @option{-o} in mount(8), such as @code{\"nosuid\"},
@code{\"size=1048576\"} in bytes, or @code{\"mode=0755\"}.  Raise a
@code{system-error} on failure (tmpfs(4) or tmpfs(5), nmount(2), fsmount(2))."
  (mount "tmpfs" "tmpfs" target '() options))

(define* (mount-bind source target #:key read-only?)
  "Let the directory or file @var{source}, with all that is mounted in it,
appear at @var{target}, which exists and is of the same type, both strings,
and return the @code{<mount>}.  If @var{read-only?} is true, nothing can be
written through it from the first moment on.  Only Linux has this.  Raise a
@code{system-error} on failure (open_tree(2), mount_setattr(2),
move_mount(2))."
  (make-mount "bind" source target (if read-only? '("ro") '())
              (%mount-bind source target read-only?)))

(define* (unmount mount #:key force?)
  "Undo @var{mount}, a @code{<mount>}.  If it is in use, raise a
@code{system-error} with @code{EBUSY}, unless @var{force?} is true: its users
then get errors on FreeBSD, and keep it to themselves on Linux.  Raise a
@code{system-error} on failure: @code{EINVAL} or @code{ENOENT} if it is not
there any more (unmount(2), umount2(2))."
  (%unmount (mount-id mount) (mount-target mount) force?))

(define (unmount-patiently mount)
  "Undo @var{mount}, a @code{<mount>}, unless it is gone already: when nothing
uses it any more, or after a second in spite of that.  Only FreeBSD has this,
where a mount does not vanish with the processes that used it.  Raise a
@code{system-error} on failure (unmount(2))."
  (%tear-down-mount (mount-id mount)))

(define (call-with-mount mount proc)
  "Call @var{proc} with @var{mount}, a @code{<mount>}, and return what it
returned.  However @var{proc} is left, @var{mount} is then undone, by force if
need be."
  (dynamic-wind
    (const #t)
    (lambda () (proc mount))
    (lambda () (unmount mount #:force? #t))))

(define (unshare-mounts!)
  "Give this process a mount namespace of its own, for good: what it mounts is
its and its children's affair, while what is mounted outside appears here,
too.  It holds for the calling thread and those that it starts later, so call
it before there are others.  Only Linux has this, for root.  Raise a
@code{system-error} on failure (unshare(2))."
  (%unshare-mounts))

(define (allow-writing target)
  "Let the mount on @var{target}, a file name, be written through, in the
mount namespace of this process, if its file system can be.  Only Linux has
this.  Raise a @code{system-error} on failure: @code{EINVAL} if nothing is
mounted just there (mount_setattr(2))."
  (%allow-writing target))
