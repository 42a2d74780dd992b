;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; A store that is read-only for everybody else: a mount of its own, as Guix
;;; System and the service files of Guix have it.  Root writes through a view
;;; of its own, which the system unmounts with the last process that has it.
;;; Code:

(define-module (fruix store writable)
  #:use-module (fruix errors)
  #:use-module (fruix mount)
  #:use-module (ice-9 exceptions)
  #:export (ensure-writable))

(define (writable? directory)
  (access? directory W_OK))

(define (take-view directory)
  "Make DIRECTORY, where a file system is mounted read-only, writable for this
process."
  (guard (exception ((eq? (exception-kind exception) 'system-error)
                     (fail "the store `~a' is read-only, and stays so: ~a"
                           directory (exception->text exception))))
    (unshare-mounts!)
    (allow-writing directory)))

(define (ensure-writable directory)
  "See to it that this process can write to @var{directory}, a store.  If it is
mounted read-only, root gets a view of its own in which it is not: call this
before there are other threads.  Raise a @code{&fruix-error} if that does not
help."
  (unless (writable? directory)
    (when (zero? (getuid))
      (take-view directory))
    (unless (writable? directory)
      (fail "the store `~a' cannot be written to" directory))))
