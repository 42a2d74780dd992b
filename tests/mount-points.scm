;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Mount points that stay from build to build.
;;; Code:

(define-module (tests mount-points)
  #:use-module (fruix build mount-points)
  #:use-module (fruix descriptors)
  #:use-module (fruix tree)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-64)
  #:use-module (tests support))

(define (contents directory)
  "Return an alist from the names in DIRECTORY to types, sorted."
  (sort (call-with-directory directory
          (lambda (fd)
            (map (match-lambda ((name type . _) (cons name type)))
                 (list-directory fd))))
        (lambda (a b) (string<? (car a) (car b)))))

(define (inode directory name)
  (stat:ino (lstat (string-append directory "/" name))))

(define (make-directory directory name)
  (mkdir (string-append directory "/" name) #o755))

(define (write-file directory name text mode)
  (let ((file (string-append directory "/" name)))
    (call-with-output-file file (lambda (port) (display text port)))
    (chmod file mode)))

(test-begin "mount-points")

(test-equal "files are made, directories are left to the mounting"
  '(("a" . regular) ("b" . regular))
  (call-with-temporary-directory
   (lambda (directory)
     (fit-mount-points! directory '("a" "b") '("c"))
     (contents directory))))

(test-assert "all files are one"
  (call-with-temporary-directory
   (lambda (directory)
     (fit-mount-points! directory '("a" "b") '())
     (fit-mount-points! directory '("a" "b" "c") '())
     (= (inode directory "a") (inode directory "b")
        (inode directory "c")))))

(test-equal "what is wanted again stays, and what is not is renamed"
  '(#t #t (("a" . directory) ("d" . directory) ("x" . regular)))
  (call-with-temporary-directory
   (lambda (directory)
     (for-each (lambda (name) (make-directory directory name)) '("a" "b" "c"))
     (fit-mount-points! directory '("x") '("a" "b" "c"))
     (let ((a (inode directory "a"))
           (others (list (inode directory "b") (inode directory "c"))))
       (fit-mount-points! directory '("x") '("a" "d"))
       (list (= a (inode directory "a"))
             (->bool (memv (inode directory "d") others))
             (contents directory))))))

(test-equal "a name can change its type"
  '(("a" . regular))
  (call-with-temporary-directory
   (lambda (directory)
     (make-directory directory "a")
     (fit-mount-points! directory '("a") '())
     (contents directory))))

(test-equal "only mount points are kept"
  '(("directory" . directory) ("file" . regular))
  (call-with-temporary-directory
   (lambda (directory)
     (make-directory directory "directory")
     (write-file directory "file" "" #o600)
     (write-file directory "full" "text" #o600)
     (write-file directory "item" "" #o444)
     (mkdir (string-append directory "/tree") #o555)
     (symlink "file" (string-append directory "/link"))
     (keep-mount-points! directory)
     (contents directory))))

(unless (zero? (getuid))
  (test-skip 1))
(test-equal "what has another owner goes, whatever it is called"
  '()
  (call-with-temporary-directory
   (lambda (directory)
     (make-directory directory "directory")
     (write-file directory "\xe9" "" #o600)
     (for-each (lambda (name)
                 (chown (string-append directory "/" name) 35001 35001))
               '("directory" "\xe9"))
     (keep-mount-points! directory)
     (contents directory))))

(test-end "mount-points")
