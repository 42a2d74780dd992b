;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Garbage on a full disk, and garbage that resists.

(use-modules (srfi srfi-64)
             (tests mount-support)
             (tests support))

;; The body is evaluated with the store on a file system of its own, which has
;; room for 64 files.
(define-syntax-rule (store-trial body ...)
  (trial
   (define layout (make-layout #:root (getcwd)))
   (define (text store name)
     (add-text! store name (string->utf8 name) '()))
   (define (in-store name)
     (string-append (layout-physical-store layout) "/" name))
   (define (left)
     (filter (lambda (name) (not (string-prefix? "." name)))
             (directory-entries (layout-physical-store layout))))
   (define complaints '())
   (define (complain level lines)
     (set! complaints
           (append complaints
                   (filter (lambda (line)
                             (string-prefix? "cannot delete" line))
                           lines))))
   (define (collect store)
     (call-with-values
         (lambda () (collect-garbage! store #:report complain))
       (lambda (paths freed) paths)))
   (mkdir "gnu")
   (mkdir "gnu/store")
   (call-with-mount (mount-tmpfs (file "gnu/store")
                                 #:options '("nr_inodes=64"))
     (lambda (mount) body ...))))

(test-begin "trash")

(skip-unless (and %linux? (can-mount?)) "needs to mount a tmpfs")

(test-equal "on a full disk, items are deleted where they are, and old trash"
  '((12 #t) () () ())
  (store-trial
   (call-with-store layout
     (lambda (store)
       (let ((paths (map (lambda (n) (text store (number->string n)))
                         (iota 10))))
         (for-each (lambda (name) (mkdir (in-store name)))
                   '("stray" "trash" "trash/x" "trash/x/killed"))
         (call-with-output-file (in-store "stray/file") (const #t))
         (let fill ((n 0))
           (when (catch 'system-error
                   (lambda ()
                     (close-port (open-output-file
                                  (in-store (format #f "stray/~a" n))))
                     #t)
                   (const #f))
             (fill (+ n 1))))
         ;; Missing already.
         (delete-file (physical layout (car paths)))
         (call-with-output-file (in-store "last") (const #t))
         (let ((deleted (collect store)))
           (list (list (length deleted)
                       (and (member (car paths) deleted) #t))
                 (left) (all-valid-paths store) complaints)))))))

(test-equal "what cannot be deleted is told, and left to the next collection"
  '(("/gnu/store/other" "/gnu/store/stray") 1 ("trash") () () ())
  (store-trial
   (call-with-store layout
     (lambda (store)
       (define mounted (in-store "stray/mounted"))
       (for-each mkdir (list (in-store "other") (in-store "stray") mounted))
       (begin
         (mount-tmpfs mounted)
         (call-with-output-file (string-append mounted "/file") (const #t))
         (let* ((deleted (collect store))
                (told (length complaints))
                (left-then (left)))
           ;; It has another name by now.
           (unmount (find (lambda (mount)
                            (string-suffix? "/mounted" (mount-target mount)))
                          (mounts)))
           (set! complaints '())
           (list deleted told left-then
                 (collect store) (left) complaints)))))))

(test-end "trash")
