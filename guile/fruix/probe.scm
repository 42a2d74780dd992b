;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Finding out what this system can do, by doing it.  A version number tells
;;; little: a kernel may be built without what it could have, and a container
;;; may refuse what its kernel can do.
;;; Code:

(define-module (fruix probe)
  #:use-module (fruix primitives)
  #:export (probe))

(define* (probe name #:optional (subject ""))
  "Try @var{name}, a string, on @var{subject}, a string; what changes the
process, such as @code{chroot}, is done by a child that ends then.  Return an
integer, 0 where there is nothing to measure.

On every system there are @code{fork}, @code{close_range}, @code{posix_spawn}
with an action that closes descriptors, and @code{chroot},
@code{posix_fallocate}, @code{lutimes}, @code{lchown} and @code{statvfs} of a
file; the others are those of @file{src/linux/probe.cc} and
@file{src/freebsd/probe.cc}.

Raise a @code{system-error} that names the call which failed; @code{ENOSYS} if
the system does not have it, or there is no such probe for it."
  (%probe name subject))
