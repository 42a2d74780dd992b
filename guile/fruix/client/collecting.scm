;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Asking the daemon what nobody needs, and to delete it.
;;; Code:

(define-module (fruix client collecting)
  #:use-module (fruix client connection)
  #:use-module ((fruix errors) #:select (fail))
  #:use-module (fruix protocol wire)
  #:export (live-paths
            dead-paths
            collect-garbage
            delete-paths))

;; What stands for no limit.
(define %everything (- (expt 2 64) 1))

(define %actions
  '((return-live . 0) (return-dead . 1) (delete-dead . 2)
    (delete-specific . 3)))

(define (collect connection action paths min-freed)
  "Have ACTION, one of %ACTIONS, done with PATHS, a list of store paths, until
MIN-FREED bytes are freed.  Return two values: a list of paths, and the bytes
that were freed."
  (define (write-arguments port)
    (write-int port (assq-ref %actions action))
    (write-text-list port paths)
    (write-boolean port #f)                       ;do not ignore liveness
    (write-long port min-freed)
    (for-each (lambda (obsolete) (write-int port obsolete)) '(0 0 0)))
  (define (read-result port)
    (let* ((paths (read-text-list port))
           (freed (read-long port)))
      (read-long port)                            ;obsolete
      (cons paths freed)))
  (let ((result (call-operation connection 20 write-arguments read-result)))
    (values (car result) (cdr result))))

(define (only-paths connection action)
  (call-with-values
      (lambda () (collect connection action '() %everything))
    (lambda (paths freed) paths)))

(define (live-paths connection)
  "Return the list of the store items that are alive: the roots, and what they
keep.  What was added or named on @var{connection} itself does not count as a
root, here and below; what other clients hold does.  A daemon on another
machine refuses this, and all else here, with a @code{&protocol-error}."
  (only-paths connection 'return-live))

(define (dead-paths connection)
  "Return the list of what is in the store and not alive: what
@code{collect-garbage} would delete."
  (only-paths connection 'return-dead))

(define* (collect-garbage connection #:key (min-freed %everything))
  "Delete what is dead, all of it or until at least @var{min-freed} bytes, a
natural number, have been freed.  Return two values: the list of the paths
that were deleted, and the number of bytes that the file system got back.  That
may be less than @var{min-freed}: the daemon counts the sizes of archives, and
files may be shared.  What is no natural number raises a @code{&fruix-error}."
  ;; Before anything is sent: a wrong number does not cost the connection.
  (unless (and (exact-integer? min-freed) (>= min-freed 0))
    (fail "~s is not a number of bytes" min-freed))
  (collect connection 'delete-dead '() (min min-freed %everything)))

(define (delete-paths connection paths)
  "Delete @var{paths}, a list of store paths, and what refers to them.  Return
two values as @code{collect-garbage} does.  The first path that is alive
raises a @code{&protocol-error} that names it, and those before it are deleted.
Paths that do not exist do not matter."
  (collect connection 'delete-specific paths %everything))
