;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Guile's procedures that change files, with errors that name the file: who
;;; reads 'chown: Operation not permitted' in a log has learnt nothing.  They
;;; take the places of Guile's own in modules that use this one.
;;; Code:

(define-module (fruix files)
  #:use-module ((fruix errors) #:select (call-naming))
  #:replace (chmod
             chown
             delete-file
             link
             mkdir
             mkdtemp
             open
             open-fdes
             readlink
             rename-file
             rmdir
             symlink
             utime))

(define-syntax-rule (define-naming name ...)
  (begin
    (define (name file . arguments)
      "Do what Guile's procedure of this name does with the file name @var{file}
and @var{arguments}.  A @code{system-error} that it raises names @var{file}."
      (call-naming file
                   (lambda ()
                     (apply (@ (guile) name) file arguments))))
    ...))

(define-syntax-rule (define-naming-both name ...)
  (begin
    (define (name from to)
      "Do what Guile's procedure of this name does with the file names @var{from}
and @var{to}.  A @code{system-error} that it raises names both."
      (call-naming (string-append from " -> " to)
                   (lambda ()
                     ((@ (guile) name) from to))))
    ...))

(define-naming chmod chown delete-file mkdir mkdtemp open open-fdes readlink
  rmdir utime)

(define-naming-both link rename-file symlink)
