;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What processes that were killed have left in a store and its state, which
;;; is in use by nobody: staging directories, locks on items, temporary roots.
;;; Kernel locks are gone with their process; here go the files.
;;; Code:

(define-module (fruix store leftovers)
  #:use-module ((fruix bulk) #:select (list-entries))
  #:use-module (fruix descriptors)
  #:use-module (fruix errors)
  #:use-module (fruix record-lock)
  #:use-module ((fruix store directories) #:select (directory-names))
  #:use-module (fruix store layout)
  #:use-module (fruix store staging)
  #:use-module (ice-9 exceptions)
  #:export (sweep-leftovers))

(define (lock-file? file)
  "Return true if @var{file} can be the lock of an item: what is an item by that
name looks different."
  (let ((status (unless-errno (list ENOENT) #f (lambda () (lstat file)))))
    (and status
         (eq? 'regular (stat:type status))
         (zero? (stat:size status))
         (= #o600 (stat:perms status))
         (= (geteuid) (stat:uid status)))))

(define (delete-unless-locked file)
  "Delete @var{file} unless another process has it locked, though none should
that has not opened the store."
  (let ((lock (acquire-file-lock file 'exclusive #:wait? #f)))
    (when lock
      (release-file-lock! lock #:delete? #t))))

(define (call-or-warn file thunk)
  "Call @var{thunk}, which deletes @var{file}.  Something that resists must not
keep everybody from the store."
  (guard (exception ((or (fruix-error? exception)
                         (eq? (exception-kind exception) 'system-error))
                     (write-warning "cannot delete `~a': ~a" file
                                    (exception->text exception))))
    (thunk)))

(define (sweep-entry store file release)
  "Delete FILE, in the store with descriptor STORE, if it is a leftover."
  (cond ((staging-name? (basename file))
         (call-or-warn file
           (lambda ()
             (release file)
             (delete-stale-staging store file))))
        ((string-suffix? ".lock" file)
         (call-or-warn file
           (lambda ()
             (when (lock-file? file)
               (delete-unless-locked file)))))))

(define (sweep-store layout release)
  (define directory (layout-physical-store layout))
  (define (ours? name)
    ;; Builders without a sandbox can make entries of any name.
    (string-every char-set:ascii name))
  (call-with-directory directory
    (lambda (store)
      (for-each (lambda (name)
                  (sweep-entry store (string-append directory "/" name)
                               release))
                (filter ours? (list-entries store))))))

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
