;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Equal files of file trees are one file, whatever became of that.

(use-modules (fruix nar)
             (fruix tree)
             (ice-9 match)
             (rnrs bytevectors)
             (srfi srfi-64)
             (tests support)
             (tests tree-support))

(define %large (make-string 9000 #\x))

(define (call-with-links proc)
  "Call PROC with descriptors of a scratch directory and of one for shared
files in it, and the name of the former."
  (call-with-scratch
   (lambda (fd directory)
     (mkdir (string-append directory "/.links"))
     (let ((links-fd (open-fdes (string-append directory "/.links")
                                O_RDONLY)))
       (dynamic-wind
         (const #t)
         (lambda () (proc fd links-fd directory))
         (lambda () (close-fdes links-fd)))))))

(define (links directory)
  (directory-entries (string-append directory "/.links")))

(test-begin "tree-sharing")

(test-equal "equal files share an inode; small and executable ones do not"
  '(#t #f #f 2)
  (call-with-links
   (lambda (fd links-fd directory)
     (make-tree (string-append directory "/item")
                `((file "a" ,%large #o644)
                  (directory "sub")
                  (file "sub/b" ,%large #o640)
                  (file "program" ,%large #o755)
                  (file "c" "small" #o644)
                  (file "d" "small" #o644)))
     (ingest-tree! fd "item" #:links-fd links-fd)
     (list (= (inode directory "item/a") (inode directory "item/sub/b"))
           (= (inode directory "item/a") (inode directory "item/program"))
           (= (inode directory "item/c") (inode directory "item/d"))
           (length (links directory))))))

(test-equal "directories are canonical after sharing in them"
  '(directory #o555 0 1 0)
  (call-with-links
   (lambda (fd links-fd directory)
     (make-tree (string-append directory "/item")
                `((file "a" ,%large #o644) (file "b" ,%large #o644)))
     (ingest-tree! fd "item" #:links-fd links-fd)
     (match (facts (string-append directory "/item"))
       ((type mode owner . time)
        (cons* type mode (- owner (geteuid)) time))))))

(test-equal "a single file, restored or ingested, has one key"
  '(#t 1)
  (call-with-links
   (lambda (fd links-fd directory)
     (make-file (string-append directory "/a") %large #o644)
     (ingest-tree! fd "a" #:links-fd links-fd)
     (let ((source (open-nar-source fd "a"))
           (restorer (open-nar-restorer fd "b" #:links-fd links-fd))
           (buffer (make-bytevector 10000)))
       (nar-restore! restorer buffer 0 (nar-source-read! source buffer))
       (nar-restorer-finish! restorer)
       (nar-source-close! source))
     (list (= (inode directory "a") (inode directory "b"))
           (length (links directory))))))

(test-equal "the key is the hash of the file's archive"
  '("0sl217ydy2lcrfr2h8hmcmi0zbsjysw9zsg0hxdzwslbmcq52qy3")
  (call-with-links
   (lambda (fd links-fd directory)
     (make-tree (string-append directory "/item")
                `((file "a" ,%large #o644)))
     (ingest-tree! fd "item" #:links-fd links-fd)
     (links directory))))

(define (damage-and-ingest damage)
  "Ingest a file, DAMAGE the shared one, ingest the file again; return whether
they then are one, and its size."
  (call-with-links
   (lambda (fd links-fd directory)
     (make-file (string-append directory "/a") %large #o644)
     (ingest-tree! fd "a" #:links-fd links-fd)
     (damage (string-append directory "/.links/" (car (links directory))))
     (make-file (string-append directory "/b") %large #o644)
     (ingest-tree! fd "b" #:links-fd links-fd)
     (list (= (inode directory "b")
              (inode directory
                     (string-append ".links/" (car (links directory)))))
           (stat:size (stat (string-append directory "/b")))))))

(test-equal "a shared file of the wrong size is replaced" '(#t 9000)
  (damage-and-ingest (lambda (file)
                       (chmod file #o644)
                       (truncate-file file 10)
                       (chmod file #o444))))

(test-equal "a shared file that can be written is replaced" '(#t 9000)
  (damage-and-ingest (lambda (file) (chmod file #o644))))

(test-equal "a symbolic link in the place of a shared file is replaced"
  '(#t 9000)
  (damage-and-ingest (lambda (file)
                       (delete-file file)
                       (symlink "/etc/passwd" file))))

(test-end "tree-sharing")
