;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Putting what was staged in the place of an item.

(use-modules (fruix store)
             (fruix store layout)
             (fruix store staging)
             (ice-9 textual-ports)
             (srfi srfi-64)
             (tests adding-support)
             (tests support))

(define %path
  (string-append "/gnu/store/" (make-string 32 #\0) "-item"))

(define (make-tree directory contents)
  "Make DIRECTORY a tree in canonical form with a file of CONTENTS."
  (define file (string-append directory "/file"))
  (mkdir directory)
  (call-with-output-file file
    (lambda (port) (display contents port)))
  (chmod file #o444)
  (chmod directory #o555)
  (utime directory 1 1))

(define (state layout)
  "Return what the item has in it, and its mode and time."
  (let* ((item (physical layout %path))
         (status (stat item)))
    (list (call-with-input-file (string-append item "/file") get-string-all)
          (stat:perms status)
          (stat:mtime status))))

(define (replace-with proc store layout)
  "Call PROC to put a new tree in the place of an old one; return the state of
the item, and the names that are left in the staging directory."
  (define staging (store-staging store))
  (make-tree (physical layout %path) "old")
  (call-with-staged staging
    (lambda (name)
      (make-tree (staged-file staging name) "new")
      (proc staging name %path)))
  (let ((result (state layout)))
    (remove-from-store! staging %path)
    (list result (directory-entries (staged-file staging ".")))))

;; What systems do that cannot exchange two files.
(define put-in-place-of!
  (@@ (fruix store staging) put-in-place-of!))

(test-begin "staging")

(with-store store layout
  (test-equal "what is staged takes the place of an item" '(("new" #o555 1) ())
    (replace-with replace-in-store! store layout))
  (test-equal "also in two steps" '(("new" #o555 1) ())
    (replace-with put-in-place-of! store layout))
  (test-equal "of which the first is undone if the second fails"
    `(,ENOENT ("old" #o555 1) ())
    (let ((staging (store-staging store)))
      (make-tree (physical layout %path) "old")
      (let ((errno (errno-of
                    (lambda () (put-in-place-of! staging "none" %path)))))
        (list errno (state layout)
              (directory-entries (staged-file staging ".")))))))

(test-end "staging")
