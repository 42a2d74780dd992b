;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; A place for trials that need files: where builds take place, since it is
;;; the file system there that matters.
;;; Code:

(define-module (fruix doctor scratch)
  #:use-module (fruix descriptors)
  #:use-module (fruix errors)
  #:use-module (fruix tree)
  #:export (scratch-parent
            call-with-scratch))

(define (scratch-parent)
  "Return the name of the directory where scratch directories are made."
  (or (getenv "TMPDIR") "/tmp"))

(define (make-scratch parent)
  (catch 'system-error
    (lambda ()
      (mkdtemp (string-append (canonicalize-path parent)
                              "/fruix-doctor-XXXXXX")))
    (lambda arguments
      (fail "~a: ~a" parent (strerror (system-error-errno arguments))))))

(define (call-with-scratch proc)
  "Call @var{proc} with the absolute name of a new directory, which is deleted
afterwards with all that is in it, and return what @var{proc} returns.  Raise
a @code{&fruix-error} if it cannot be made."
  (let* ((parent (scratch-parent))
         (directory (make-scratch parent)))
    (dynamic-wind
      (const #t)
      (lambda () (proc directory))
      (lambda ()
        (call-with-directory parent
          (lambda (fd)
            (delete-tree! fd (basename directory))))))))
