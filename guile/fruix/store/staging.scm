;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Where items are made: a directory inside the store, on the same file
;;; system, that only the daemon can enter.
;;;
;;; Nothing unverified ever bears a final name: an item gets it by a rename,
;;; the last step.  The directory's own name is random.
;;; Code:

(define-module (fruix store staging)
  #:use-module (fruix errors)
  #:use-module (fruix store layout)
  #:use-module (ice-9 threads)
  #:use-module (srfi srfi-9)
  #:export (open-staging
            close-staging!
            staging-descriptor
            staging-links-descriptor
            staging-directory
            staging-store-path
            fresh-name!))

(define-record-type <staging>
  (make-staging directory store-path descriptor links-descriptor
                mutex last-number)
  staging?
  (directory staging-directory)            ;its file name
  (store-path staging-store-path)          ;its logical name
  (descriptor staging-descriptor)          ;of the directory
  (links-descriptor staging-links-descriptor) ;of the store's '.links'
  (mutex staging-mutex)
  (last-number staging-last-number set-staging-last-number!))

(define %prefix ".fruix-")

(define (open-directory directory)
  (open-fdes directory
             (logior O_RDONLY O_DIRECTORY O_NOFOLLOW O_CLOEXEC)))

(define (create-directory layout)
  (catch 'system-error
    (lambda ()
      (mkdtemp (string-append (layout-physical-store layout) "/" %prefix
                              "XXXXXX")))
    (lambda arguments
      (if (= EROFS (system-error-errno arguments))
          (fail "the store `~a' is on a read-only file system"
                (layout-physical-store layout))
          (apply throw arguments)))))

(define (open-staging layout)
  "Create a staging directory in the store of @var{layout} and return it as a
@code{<staging>}.  Fail if the store is read-only."
  (let ((directory (create-directory layout)))
    (make-staging directory
                  (string-append (layout-store layout) "/"
                                 (basename directory))
                  (open-directory directory)
                  (open-directory (layout-links layout))
                  (make-mutex) 0)))

(define (close-staging! staging)
  "Close @var{staging}, which is empty again, and delete it."
  (close-fdes (staging-links-descriptor staging))
  (close-fdes (staging-descriptor staging))
  (rmdir (staging-directory staging)))

(define (fresh-name! staging)
  "Return a name that was not used in @var{staging} before."
  (with-mutex (staging-mutex staging)
    (let ((number (+ 1 (staging-last-number staging))))
      (set-staging-last-number! staging number)
      (number->string number))))
