;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Who is who: the user behind a connection, this process when it becomes
;;; another user, and all processes of a user.
;;;
;;; What the kernel says about a peer was true when it connected: its user is
;;; good for decisions, its process ID for display only, as it may have been
;;; reused since.
;;;
;;; A process that gives up its identity does so for good and as a whole.  For
;;; a program to be started under another user, 'spawn-process' is the way:
;;; then the change happens in the new process alone.
;;; Code:

(define-module (fruix credentials)
  #:use-module (fruix primitives)
  #:export (peer-credentials
            drop-credentials
            no-new-privileges!
            no-new-privileges?
            withhold-privileges!
            has-processes?
            kill-user))

(define (peer-credentials socket)
  "Return three values: the process ID, user ID and group ID of who connected
to the other end of @var{socket}, a local stream socket (a port, or its
descriptor), when it did; SO_PEERCRED in unix(7), LOCAL_PEERCRED in unix(4).
Raise a @code{system-error} for anything else."
  (apply values (%peer-credentials (if (port? socket)
                                       (fileno socket)
                                       socket))))

(define* (drop-credentials user group #:optional (groups '()))
  "Let this process, with all its threads, become the user ID @var{user} and
the group ID @var{group}, real, effective and saved, with the list of group
IDs @var{groups} as its only supplementary groups (setresuid(2), setresgid(2),
setgroups(2)).  On FreeBSD, @var{group} is one of these, too.

There is no way back: that all is as it should be, and that an attempt to
become user 0 fails, has been verified when this returns.  Raise a
@code{system-error} that names the call otherwise: @code{EPERM} without the
privilege, or if it is not so; @code{EINVAL} for user 0, for what is no ID,
and for more than 63 groups.  A part of the identity may be gone by then: end
the process, unless it was @code{EINVAL}."
  (%set-credentials user group groups))

(define (no-new-privileges!)
  "From now on let no program that is executed gain privileges by set-user-ID
bits and the like; neither this nor its children can undo it.  On Linux it
holds for the calling thread and those that it starts later, so call it before
there are others (PR_SET_NO_NEW_PRIVS in prctl(2)); on FreeBSD for the
process (PROC_NO_NEW_PRIVS_CTL in procctl(2)).  Raise a @code{system-error} on
failure, such as @code{EINVAL} on a kernel that cannot."
  (%set-no-new-privileges))

(define (no-new-privileges?)
  "Return true if @code{no-new-privileges!} is in effect: for the calling
thread on Linux, for the process on FreeBSD; inherited from a parent, too.
Raise a @code{system-error} on failure."
  (%no-new-privileges?))

(define (withhold-privileges!)
  "From now on let programs that are executed inherit no privileges of this
process but those of its user; it keeps them itself.  Such are the ambient
capabilities that a service manager gives to one that is not root's
(capabilities(7)); on FreeBSD there are none.  On Linux it holds for the calling
thread and those that it starts later, so call it before there are others.
Raise a @code{system-error} on failure."
  (%withhold-privileges))

(define (has-processes? uid)
  "Return true if the user ID @var{uid} has started processes that have not
ended (getpriority(2)).  That is far cheaper than @code{kill-user}, but
overlooks those that others have started, from a set-user-ID file of
@var{uid}."
  (%has-processes? uid))

(define (kill-user uid)
  "Kill every process whose real or saved user ID is @var{uid}, which must be
one of the builders', as nothing of it survives.  None can escape by forking;
outside a PID namespace, which ends as one, they may still take a moment to go
on Linux.  Needs root unless @var{uid} is one's own, which kills the caller.
Raise a @code{system-error}: @code{EINVAL} for user 0, @code{EPERM} without the
privilege (kill(2), process ID -1); on FreeBSD @code{ETIMEDOUT} if some of them
do not go for 10 seconds."
  (%kill-user uid))
