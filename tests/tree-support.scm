;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; File trees of a test's own, and what the system says of a file.
;;; Code:

(define-module (tests tree-support)
  #:use-module (ice-9 match)
  #:export (make-file
            make-tree
            facts
            inode))

(define (make-file name contents mode)
  "Make the file @var{name} with @var{contents}, a string, and @var{mode}."
  (call-with-output-file name
    (lambda (port) (display contents port)))
  (chmod name mode))

(define (make-tree name items)
  "Make a directory @var{name} with @var{items}: lists of a type, a name and
facts."
  (mkdir name)
  (for-each
   (match-lambda
     (('file file contents mode)
      (make-file (string-append name "/" file) contents mode))
     (('directory file) (mkdir (string-append name "/" file)))
     (('link file target) (symlink target (string-append name "/" file))))
   items))

(define (facts name)
  "Return type, mode, owner, time and its fraction of the file @var{name}."
  (let ((status (lstat name)))
    (list (stat:type status)
          (if (eq? 'symlink (stat:type status)) #f (stat:perms status))
          (stat:uid status)
          (stat:mtime status)
          (stat:mtimensec status))))

(define (inode directory file)
  "Return the number of the inode of @var{file} in @var{directory}."
  (stat:ino (lstat (string-append directory "/" file))))
