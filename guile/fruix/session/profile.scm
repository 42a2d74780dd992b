;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The directory for a user's profiles, which every user finds there after
;;; having talked to the daemon once.
;;; Code:

(define-module (fruix session profile)
  #:use-module ((fruix store layout) #:select (layout-profiles-directory))
  #:use-module (ice-9 threads)
  #:export (ensure-profile-directory))

;; getpwuid(3) has one result for all threads; and two sessions of one user may
;; begin together.
(define %mutex (make-mutex))

(define (user-name uid)
  (catch 'misc-error
    (lambda () (passwd:name (getpwuid uid)))
    (const #f)))

(define (directory-name? name)
  (not (or (member name '("" "." ".."))
           (string-index name #\/))))

(define (make-owned-directory directory uid)
  (mkdir directory #o755)
  (catch 'system-error
    (lambda ()
      (chmod directory #o755)
      (chown directory uid -1))
    (lambda arguments
      (rmdir directory)
      (apply throw arguments))))

(define (ensure-profile-directory layout uid)
  "Make sure that the user @var{uid} has a directory of profiles below that of
@var{layout}, and owns it.  Return @code{#f}, or a text that says why there is
none.  A user without a name has none, and needs none."
  (with-mutex %mutex
    (let* ((name (user-name uid))
           (directory (string-append (layout-profiles-directory layout)
                                     "/per-user/" (or name ""))))
      (and name
           (directory-name? name)
           (not (file-exists? directory))
           (catch 'system-error
             (lambda ()
               (make-owned-directory directory uid)
               #f)
             (lambda arguments
               (format #f "cannot create `~a': ~a" directory
                       (strerror (system-error-errno arguments)))))))))
