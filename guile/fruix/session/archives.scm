;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Taking in the archive that comes next on a port, and no more.
;;; Code:

(define-module (fruix session archives)
  #:use-module (fruix errors)
  #:use-module (fruix nar)
  #:use-module (fruix session client)
  #:use-module (fruix store)
  #:use-module (fruix store layout)
  #:use-module ((ice-9 binary-ports) #:select (unget-bytevector))
  #:export (restore!
            receive!
            take-archive))

;; Have errors of BODY name the store of CLIENT.
(define-syntax-rule (naming-store client body)
  (let ((layout (store-layout (client-store client))))
    (call-naming (string-append "new item in " (layout-physical-store layout))
      (lambda () body))))

(define (restore! client restorer bytes size)
  "Give the first @var{size} bytes of the bytevector @var{bytes} to
@var{restorer}, which unpacks them in the store of @var{client}, and return how
many of them it took.  Errors are those of @code{nar-restore!}, with the name
of the store."
  (naming-store client (nar-restore! restorer bytes 0 size)))

(define (receive! client restorer descriptor)
  "Do what @code{nar-receive!} does with @var{restorer} and @var{descriptor}.
Errors are those of @code{nar-receive!}, with the name of the store of
@var{client}."
  (naming-store client (nar-receive! restorer descriptor)))

(define (take-archive port restorer read restore!)
  "Give @var{restorer} the archive that comes next on @var{port}.  The thunk
@var{read} returns two values: a bytevector, and how many of its bytes, at least
one, are what comes next.  @code{(@var{restore!} @var{bytes} @var{size})} gives
the first @var{size} of them to @var{restorer}, and returns how many belong to
the archive.  The others come next on @var{port} again."
  (call-with-values read
    (lambda (bytes size)
      (let ((used (restore! bytes size)))
        (when (< used size)
          (unget-bytevector port bytes used (- size used)))
        (unless (nar-restorer-done? restorer)
          (take-archive port restorer read restore!))))))
