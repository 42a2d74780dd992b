;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Deduplication of trees that are on disk already: their larger files become
;;; links to equal ones in a directory of shared files, which are named there
;;; by their contents.  As with all trees, a tree is named by the descriptor
;;; of a directory and the name of an entry in it.
;;; Code:

(define-module (fruix sharing)
  #:use-module (fruix primitives)
  #:use-module (ice-9 match)
  #:export (call-with-sharer
            share-tree!
            sharer-files
            sharer-bytes
            sharer-writable-files
            disown-damaged!))

;; How much is read at a stretch, in bytes.
(define %stretch (* 16 1024 1024))

(define (call-with-sharer links-fd proc)
  "Call @var{proc} with a sharer that makes files one with equal ones in the
directory with descriptor @var{links-fd}, and return its value.  The sharer
serves one thread at a time, for this call."
  (let ((sharer (%open-sharer links-fd)))
    (dynamic-wind
      (const #t)
      (lambda () (proc sharer))
      (lambda () (%sharer-close sharer)))))

(define* (share-tree! sharer directory name #:optional (pulse (const #t)))
  "Share the files of 8192 bytes or more in the tree @var{name}, in canonical
form, in the directory with descriptor @var{directory}; other processes may
read it.  Files that are shared already are not read, and those that their
owner may write to are left alone.  The directories of the tree are in
canonical form afterwards.  @var{pulse}, a thunk, is called now and then; what
it raises ends the work.  Raise a @code{system-error} if the tree cannot be
read or changed."
  (%sharer-start sharer directory name)
  (let loop ()
    (pulse)
    (when (%sharer-work sharer %stretch)
      (loop))))

(define (sharer-files sharer)
  "Return how many files have become others by @var{sharer}."
  (match (%sharer-result sharer)
    ((files _ _) files)))

(define (sharer-bytes sharer)
  "Return how many bytes of disk space @var{sharer} has given back."
  (match (%sharer-result sharer)
    ((_ bytes _) bytes)))

(define (sharer-writable-files sharer)
  "Return how many files @var{sharer} has left alone because their owner may
write to them."
  (match (%sharer-result sharer)
    ((_ _ writable) writable)))

(define (disown-damaged! links-fd directory name)
  "Remove from the directory of shared files with descriptor @var{links-fd}
those files of the tree @var{name} in the directory with descriptor
@var{directory} whose contents are not those for which they are named there.
Return how many there were.  The tree is only read."
  (%disown-damaged links-fd directory name))
