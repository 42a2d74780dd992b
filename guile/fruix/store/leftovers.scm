;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What processes that were killed have left in a store and its state, which
;;; is in use by nobody: staging directories, locks on items, temporary roots.
;;; Kernel locks are gone with their process; here go the files.
;;; Code:

(define-module (fruix store leftovers)
  #:use-module (fruix descriptors)
  #:use-module (fruix errors)
  #:use-module (fruix record-lock)
  #:use-module ((fruix store directories) #:select (directory-names))
  #:use-module (fruix store layout)
  #:use-module (fruix store staging)
  #:use-module (ice-9 exceptions)
  #:export (sweep-leftovers))

(define (unlocked-file? file)
  "Return true if @var{file} can be the lock of an item that nobody holds, or
that a collector would find: an item of that name looks different."
  (let ((status (lstat file)))
    (and (eq? 'regular (stat:type status))
         (zero? (stat:size status))
         (= #o600 (stat:perms status)))))

(define (delete-unless-locked file)
  "Delete @var{file} unless another process has it locked; some that add items
lock those alone, not the store."
  (let ((lock (acquire-file-lock file 'exclusive #:wait? #f)))
    (when lock
      (release-file-lock! lock #:delete? #t))))

(define (delete-or-tell store directory release)
  "Delete the staging @var{directory} in the directory with descriptor
@var{store}, after @var{release} was called with it.  Something that resists
must not keep everybody from the store."
  (guard (exception ((or (fruix-error? exception)
                         (eq? (exception-kind exception) 'system-error))
                     (write-warning "cannot delete `~a': ~a" directory
                                    (exception->text exception))))
    (release directory)
    (delete-stale-staging store directory)))

(define (sweep-store layout release)
  (define directory (layout-physical-store layout))
  (define (file name)
    (string-append directory "/" name))
  (define (leftover? name)
    (or (staging-name? name)
        (and (string-suffix? ".lock" name)
             (unlocked-file? (file name)))))
  (call-with-directory directory
    (lambda (store)
      (for-each (lambda (name)
                  (if (staging-name? name)
                      (delete-or-tell store (file name) release)
                      (delete-unless-locked (file name))))
                (directory-names directory leftover?)))))

(define (sweep-temporary-roots layout)
  (define directory (layout-temporary-roots-directory layout))
  (for-each (lambda (name)
              (delete-unless-locked (string-append directory "/" name)))
            (directory-names directory (const #t))))

(define (sweep-leftovers layout release)
  "Delete what processes that were killed have left in the store of
@var{layout}, which no other process has open.  @var{release} is called with
the file name of each directory before it is deleted.  What cannot be deleted
is told as a warning."
  (sweep-store layout release)
  (sweep-temporary-roots layout))
