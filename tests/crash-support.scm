;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What must hold for a store after any crash, asked of its files alone.
;;; Code:

(define-module (tests crash-support)
  #:use-module (fruix base16)
  #:use-module (fruix database)
  #:use-module (fruix descriptors)
  #:use-module (fruix nar)
  #:use-module (fruix store layout)
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:use-module (tests support)
  #:export (store-faults
            valid-items
            store-strays
            pretend-reboot))

(define (call-with-database layout proc)
  (let ((db (open-database (layout-database layout))))
    (dynamic-wind
      (const #t)
      (lambda () (proc db))
      (lambda () (close-database db)))))

(define (hash-of directory path)
  "Return the hash of the item @var{path}, as in the database, or what keeps it
from having one."
  (guard (exception (#t (exception-kind exception)))
    (string-append "sha256:"
                   (bytevector->base16-string
                    (file-nar-hash directory (basename path))))))

(define (bad-items db layout)
  (call-with-directory (layout-physical-store layout)
    (lambda (directory)
      (filter-map (match-lambda
                    (#(path hash)
                     (let ((actual (hash-of directory path)))
                       (and (not (equal? hash actual))
                            (list path actual)))))
                  (query db "select path, hash from ValidPaths")))))

(define (store-faults layout)
  "Return a list of what is wrong with the store of @var{layout}, which nobody
has open: valid items without their hash, references to what is not valid,
damage to the database."
  (call-with-database layout
    (lambda (db)
      (append (bad-items db layout)
              (delete '#("ok") (query db "pragma integrity_check"))
              (query db "pragma foreign_key_check")))))

(define (valid-items layout)
  (call-with-database layout
    (lambda (db)
      (map (match-lambda (#(path) path))
           (query db "select path from ValidPaths order by path")))))

(define (store-strays layout)
  "Return the names in the store of @var{layout} that are not of valid items."
  (lset-difference string=? (directory-entries (layout-physical-store layout))
                   (cons ".links" (map basename (valid-items layout)))))

(define (pretend-reboot layout)
  "Make the store of @var{layout} believe that the system was started anew."
  (let* ((file (layout-durable-mark layout))
         (mark (call-with-input-file file read)))
    (call-with-output-file file
      (lambda (port) (write (cons "another start" (cdr mark)) port)))))
