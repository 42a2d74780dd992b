;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Who is who: the user behind a connection, and all processes of a user.
;;;
;;; What the kernel says about a peer was true when it connected: its user is
;;; good for decisions, its process ID for display only, as it may have been
;;; reused since.
;;; Code:

(define-module (fruix credentials)
  #:use-module (fruix primitives)
  #:export (peer-credentials
            kill-user))

(define (peer-credentials socket)
  "Return three values: the process ID, user ID and group ID of who connected
to the other end of @var{socket}, a local stream socket (a port, or its
descriptor), when it did; SO_PEERCRED in unix(7), LOCAL_PEERCRED in unix(4).
Raise a @code{system-error} for anything else."
  (apply values (%peer-credentials (if (port? socket)
                                       (fileno socket)
                                       socket))))

(define (kill-user uid)
  "Kill every process of the user ID @var{uid}, which must be one of the
builders', as nothing of it survives.  None can escape by forking; outside a
PID namespace, which ends as one, they may still take a moment to go.  Needs
root unless @var{uid} is one's own, which kills the caller.  Raise a
@code{system-error}: @code{EINVAL} for user 0, @code{EPERM} without the
privilege (kill(2), process ID -1)."
  (%kill-user uid))
