;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What outlives a power cut: waiting until it is on the disk, and telling
;;; that there may have been one.
;;; Code:

(define-module (fruix durable)
  #:use-module (fruix descriptors)
  #:use-module ((fruix errors) #:select (call-naming))
  #:use-module (fruix files)
  #:use-module (fruix primitives)
  #:export (make-durable
            boot-id
            write-file-durably))

(define (make-durable directory names)
  "Wait until the files and trees @var{names}, a list of strings, in the
directory with descriptor @var{directory} are on the disk as they are now, and
under these names; it does not matter if one does not exist.  Systems that
have syncfs(2) are asked for the whole file system.  Raise a
@code{system-error} if something could not be written; then it never will be,
even if a second call succeeds."
  (%make-durable directory names))

(define (boot-id)
  "Return a string that tells this start of the system from all others.  On
FreeBSD it may also change when the clock is set."
  (%identify-boot))

(define (write-file-durably file text)
  "Make @var{text}, a string, the contents of @var{file} such that a power cut
leaves the old contents or the new ones, and the new ones once this returns."
  (let ((temporary (string-append file ".new")))
    (call-with-output-file temporary
      (lambda (port)
        (call-naming temporary
          (lambda ()
            (display text port)
            (fsync port)))))
    (rename-file temporary file)
    (call-with-directory (dirname file) fsync)))
