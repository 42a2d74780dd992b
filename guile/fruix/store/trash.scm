;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The trash: where dead items wait for their files to be deleted, which takes
;;; long.  Moving one there is quick, and makes its name free.
;;;
;;; Each collection has a directory of its own in it.  What is there when a
;;; process is killed, the next collection deletes.  On a disk that is full
;;; there is no such directory: items are deleted where they are.
;;; Code:

(define-module (fruix store trash)
  #:use-module (fruix bulk)
  #:use-module (fruix descriptors)
  #:use-module (fruix errors)
  #:use-module (fruix files)
  #:use-module (fruix octets)
  #:use-module (fruix store layout)
  #:use-module (fruix tree)
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 match)
  #:use-module ((srfi srfi-1) #:select (fold lset-difference))
  #:use-module (srfi srfi-9)
  #:export (call-with-trash
            discard!
            empty-trash!))

(define %name "trash")

(define-record-type <trash>
  (make-trash store heap name fresh)
  trash?
  (store trash-store)                      ;descriptor of the store
  (heap trash-heap)                        ;descriptor of the trash, or #f
  (name trash-name)                        ;of this collection's directory,
  (fresh trash-fresh))                     ;and descriptor; or #f

(define (own? descriptor)
  (= (geteuid) (stat:uid (stat descriptor))))

(define (open-own store name)
  "Return a descriptor of the directory @var{name} in @var{store}, or @code{#f}
if it is no directory of this process's user."
  (let ((descriptor (catch 'system-error
                      (lambda () (open-directory-at store name))
                      (const #f))))
    (cond ((not descriptor) #f)
          ((own? descriptor) descriptor)
          (else
           (close-fdes descriptor)
           #f))))

(define (delete-if-there! directory name)
  "Delete the tree @var{name} in @var{directory} and return the bytes given
back."
  (unless-errno (list ENOENT) 0
    (lambda () (delete-tree! directory name))))

(define (open-heap store directory)
  "Return a descriptor of the trash in @var{directory}, open as @var{store}.
Builders may be able to put something there under its name."
  (or (open-own store %name)
      (begin
        (delete-if-there! store %name)
        (mkdir (string-append directory "/" %name))
        (open-directory-at store %name))))

(define-syntax-rule (false-if-full body ...)
  (unless-errno (list ENOSPC EDQUOT) #f (lambda () body ...)))

(define (open-fresh store heap directory)
  "Return a @code{<trash>} with a new directory in @var{heap}."
  (let ((name (basename (mkdtemp (string-append directory "/" %name
                                                "/XXXXXX")))))
    (make-trash store heap name (open-directory-at heap name))))

(define (open-trash store directory)
  "Return a @code{<trash>} with as much of it as there is space for."
  (match (false-if-full (open-heap store directory))
    (#f (make-trash store #f #f #f))
    (heap
     (on-failure (lambda () (close-fdes heap))
       (lambda ()
         (or (false-if-full (open-fresh store heap directory))
             (make-trash store heap #f #f)))))))

(define (close-trash! trash)
  (for-each close-fdes
            (delq #f (list (trash-fresh trash) (trash-heap trash)))))

(define (call-with-trash layout proc)
  "Call @var{proc} with a @code{<trash>} for the store of @var{layout}, and
return its value.  One process does this at a time."
  (let ((directory (layout-physical-store layout)))
    (call-with-directory directory
      (lambda (store)
        (let ((trash (open-trash store directory)))
          (dynamic-wind
            (const #t)
            (lambda () (proc trash))
            (lambda () (close-trash! trash))))))))


;;
;; In and out.
;;

(define (delete-tree directory name trouble)
  "Delete the tree @var{name}, an octet string, in the directory with
descriptor @var{directory}; return the bytes given back.  If that is not
possible, call @var{trouble} with a text that says why, and return 0."
  (guard (exception ((or (fruix-error? exception)
                         (eq? (exception-kind exception) 'system-error))
                     (trouble (format #f "cannot delete '~a': ~a" name
                                      (exception->text exception)))
                     0))
    (delete-if-there! directory (octets->bytevector name))))

(define (delete-all directory names trouble)
  (fold (lambda (name freed)
          (+ freed (delete-tree directory name trouble)))
        0 names))

(define (discard! trash names trouble)
  "Remove @var{names}, a list of base names, from the store, into @var{trash}
or for good.  Return the bytes given back already.  What is not there does not
matter; @var{trouble} is called with a text for each that cannot be removed."
  (delete-all (trash-store trash)
              (if (trash-fresh trash)
                  (map car (move-entries! (trash-store trash) names
                                          (trash-fresh trash)))
                  names)
              trouble))

(define (empty-trash! trash trouble)
  "Delete all that is in @var{trash}, from now and from collections that were
broken off.  Return the bytes given back; @var{trouble} is called with a text
for each item that cannot be deleted."
  (define (delete-all-in directory . others)
    (if directory
        (delete-all directory
                    (lset-difference equal? (list-entries directory) others)
                    trouble)
        0))
  (let* ((now (delete-all-in (trash-fresh trash)))
         (before (delete-all-in (trash-heap trash) (trash-name trash))))
    ;; What could not be deleted keeps it there, too.
    (false-if-exception (delete-tree! (trash-store trash) %name))
    (+ now before)))
