;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What the processes of this system use of a directory.
;;; Code:

(define-module (fruix mentions)
  #:use-module ((fruix octets) #:select (octets->bytevector))
  #:use-module (fruix primitives)
  #:export (list-processes
            process-mentions))

(define (list-processes)
  "Return the numbers of all processes, in no particular order.  Raise a
@code{system-error} if the system does not tell, as on Linux without
@file{/proc}."
  (%list-processes))

(define (process-mentions process directory)
  "Return the names, octet strings without duplicates, of entries of
@var{directory}, a file name without trailing slash, that the process with
number @var{process} seems to use: they occur after @var{directory} and a
slash in the names of its program, working directory, open files or mappings,
or in its environment, and have the characters of store items.  They need not
exist.  A process that is gone, or that this one may not look at, uses none.
Raise a @code{system-error} if this process has no memory or descriptors
left (proc(5), sysctl(3))."
  (%find-mentions process (octets->bytevector directory)))
