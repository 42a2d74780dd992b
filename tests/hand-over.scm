;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; A kept build directory changes hands without what could hurt.

(use-modules (fruix descriptors)
             (fruix tree)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests support))

(define (make-tree directory)
  "Make a tree of root's in DIRECTORY, but for a link to the file 'foreign'."
  (let ((file (lambda (name) (string-append directory "/top/" name)))
        (foreign (string-append directory "/foreign")))
    (call-with-output-file foreign (const #t))
    (chown foreign 35997 35997)
    (chmod foreign #o666)
    (mkdir (file ""))
    (mkdir (file "sub"))
    (for-each (lambda (name)
                (call-with-output-file (file name) (const #t)))
              '("plain" "sub/setuid"))
    (chmod (file "sub/setuid") #o6777)
    (chmod (file "plain") #o644)
    (link foreign (file "sub/foreign"))
    (symlink "/etc/passwd" (file "sub/link"))
    (mknod (file "fifo") 'fifo #o666 0)))

(define (facts directory name)
  (let ((status (lstat (string-append directory "/top/" name))))
    (list (stat:uid status) (stat:gid status)
          (and (not (eq? 'symlink (stat:type status)))
               (logand #o7777 (stat:mode status))))))

(test-begin "hand-over")
(skip-unless (zero? (getuid)) "changing owners needs root")

(call-with-temporary-directory
 (lambda (directory)
   (define passwd (stat "/etc/passwd"))
   (make-tree directory)
   (call-with-directory directory
     (lambda (fd) (hand-over-tree! fd "top" 35999 35998 #o750)))
   (test-equal "an ordinary file keeps its mode" '(35999 35998 #o644)
     (facts directory "plain"))
   (test-equal "set-id bits and the world's right to write are gone"
     '(35999 35998 #o775)
     (facts directory "sub/setuid"))
   (test-equal "a symbolic link changes hands itself" '(35999 35998 #f)
     (facts directory "sub/link"))
   (test-equal "and its target does not" passwd (stat "/etc/passwd"))
   (test-equal "a fifo does not block" '(35999 35998)
     (list-head (facts directory "fifo") 2))
   (test-equal "somebody else's file stays what it is" '(35997 35997 #o666)
     (facts directory "sub/foreign"))
   (test-equal "the top changes hands, and gets the mode" '(35999 35998 #o750)
     (facts directory ""))
   (test-equal "a missing tree is an error" ENOENT
     (errno-of (lambda ()
                 (call-with-directory directory
                   (lambda (fd) (hand-over-tree! fd "none" 1 1 #o755))))))))

(call-with-scratch
 (lambda (fd directory)
   (define deep (string-append directory "/top/deep"))
   (define above (string-append directory "/top/above"))
   (make-tree directory)
   (mkdir deep)
   ;; From its bottom up: FreeBSD takes no name that is so long.
   (for-each (lambda (_)
               (mkdir above)
               (rename-file deep (string-append above "/d"))
               (rename-file above deep))
             (iota 599))
   (chmod deep #o750)
   (test-equal "a tree that is too deep is an error" ENAMETOOLONG
     (errno-of (lambda () (hand-over-tree! fd "top" 35999 35998 #o755))))
   (test-equal "nobody gets a directory before what is in it" '(0 0 0 0)
     (append-map (lambda (name)
                   (list-head (facts directory name) 2))
                 '("deep" "deep/d")))
   (test-equal "nor has any another mode than before" '(#o755 #o750 #o755)
     (map (lambda (name) (third (facts directory name)))
          '("" "deep" "deep/d")))))

(test-end "hand-over")
