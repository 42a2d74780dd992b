;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Symbolic links whose names and targets are octet strings: users' files are
;;; named as users like, whatever the locale of the daemon.
;;; Code:

(define-module (fruix links)
  #:use-module ((fruix octets) #:select (octets->bytevector))
  #:use-module (fruix primitives)
  #:export (list-links
            read-link
            make-link))

(define (list-links directory)
  "Return the symbolic links and regular files below @var{directory}, a file
name: an association list of their names, relative to @var{directory}, and the
targets, @code{#f} for a regular file.  No link is followed, and what this
process may not see is left out.  Other errors raise a @code{system-error}."
  (%list-links (octets->bytevector directory)))

(define (read-link file)
  "Return the target of the symbolic link @var{file}; @code{#f} if @var{file}
is something else.  Raise a @code{system-error} if it cannot be seen."
  (%readlink (octets->bytevector file)))

(define (make-link target file)
  "Make @var{file}, which must not exist, a symbolic link to @var{target}."
  (%symlink (octets->bytevector target) (octets->bytevector file)))
