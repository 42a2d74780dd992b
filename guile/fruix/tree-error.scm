;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Why a file tree is not fit for the store, or cannot be read as one.
;;; Code:

(define-module (fruix tree-error)
  #:use-module (fruix errors)
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 match)
  #:export (&tree-error
            tree-error?
            tree-error-kind
            tree-error-place
            call-with-tree-errors))

;; A tree is not fit for the store.  KIND is one of: file-type (something else
;; than a regular file, directory or symbolic link), ownership (a file of
;; somebody else's), suspicious-ownership (the same of the top level, or it
;; can be written by others), depth (too many directories inside each other),
;; entries (their names need too much memory),
;; file-system (something is mounted in it), changed (it changed meanwhile).
(define-exception-type &tree-error &fruix-error
  make-tree-error
  tree-error?
  (kind tree-error-kind)                ;symbol
  (place tree-error-place))             ;string: file name from the top on

(define %verdicts
  '((file-type . "unsupported type of file")
    (ownership . "unexpected owner of file")
    (suspicious-ownership . "suspicious ownership or permission on")
    (depth . "directories are nested too deeply at")
    (entries . "there are too many entries in")
    (file-system . "another file system is mounted at")
    (changed . "file changed while it was read:")))

(define (call-with-tree-errors thunk)
  "Call @var{thunk} and return what it returned; raise a @code{&tree-error} for
each verdict, which the primitives report as a @code{system-error} from its
name."
  (catch 'system-error
    thunk
    (lambda (key who template arguments errno)
      (match (assq (string->symbol who) %verdicts)
        ((kind . text)
         (raise-exception
          (make-tree-error (string-append text " '" (car arguments) "'")
                           kind (car arguments))))
        (#f (throw key who template arguments errno))))))
