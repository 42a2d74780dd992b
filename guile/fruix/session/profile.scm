;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The directory for a user's profiles, which every user finds there after
;;; having talked to the daemon once.
;;; Code:

(define-module (fruix session profile)
  #:use-module (fruix errors)
  #:use-module ((fruix store directories) #:select (make-profile-directory))
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 threads)
  #:export (ensure-profile-directory))

;; getpwuid(3) has one result for all threads.
(define %password-mutex (make-mutex))

(define (user-name uid)
  "Return the name of the user UID, or #f."
  (catch 'misc-error
    (lambda ()
      (with-mutex %password-mutex
        (passwd:name (getpwuid uid))))
    (const #f)))

(define (ensure-profile-directory layout uid)
  "Make sure that the user @var{uid} has a directory of profiles below that of
@var{layout}, and owns it.  Return @code{#f}, or a text that says why there is
none.  A user without a name has none, and needs none."
  (let ((name (user-name uid)))
    (and name
         (guard (exception (#t (exception->text exception)))
           (and (not (make-profile-directory layout name uid))
                (format #f "cannot give user ~a a directory for profiles"
                        name))))))
