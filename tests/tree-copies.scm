;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Copies of file trees, as they are or with other hash parts.

(use-modules (fruix descriptors)
             (fruix nar)
             (fruix tree)
             (fruix tree-error)
             (ice-9 textual-ports)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests support)
             (tests tree-support))

(test-begin "tree-copies")

(test-equal "a copy has the same archive, on other inodes"
  '(#t #f (directory #o555) (regular #o555))
  (call-with-scratch
   (lambda (fd directory)
     (make-tree (string-append directory "/a")
                '((directory "sub") (file "sub/program" "x" #o755)
                  (link "link" "sub")))
     (copy-tree! fd "a" fd "b")
     (list (equal? (file-nar-hash fd "a") (file-nar-hash fd "b"))
           (= (inode directory "a/sub/program")
              (inode directory "b/sub/program"))
           (take (facts (string-append directory "/b/sub")) 2)
           (take (facts (string-append directory "/b/sub/program")) 2)))))

(test-equal "a copy leaves the original alone" '(#o755 #o755)
  (call-with-scratch
   (lambda (fd directory)
     (make-tree (string-append directory "/a") '((file "program" "" #o755)))
     (chmod (string-append directory "/a") #o755)
     (copy-tree! fd "a" fd "b")
     (map (lambda (file)
            (stat:perms (stat (string-append directory file))))
          '("/a" "/a/program")))))

(define %hole (* 64 1024 1024))

(define (make-hole file before after)
  "Make FILE with the texts BEFORE and AFTER around a hole."
  (call-with-output-file file
    (lambda (port)
      (display before port)
      (force-output port)
      (truncate-file port (+ %hole (string-length before)))
      (seek port 0 SEEK_END)
      (display after port))))

(define (blocks file)
  "Return the size of what FILE has on the disk, at most."
  (* 512 (stat:blocks (stat file))))

(test-equal "holes stay holes" '((#t #t) (#t #t))
  (call-with-scratch
   (lambda (fd directory)
     (define (try before after)
       (make-hole (string-append directory "/a") before after)
       (copy-tree! fd "a" fd "b")
       (let ((result
              (list (equal? (file-nar-hash fd "a") (file-nar-hash fd "b"))
                    (< (blocks (string-append directory "/b"))
                       (quotient %hole 8)))))
         (delete-tree! fd "b")
         result))
     (list (try "before" "after") (try "" "")))))

(test-equal "who is not wanted any more gives up"
  (list ECANCELED ECANCELED 'done)
  (call-with-scratch
   (lambda (fd directory)
     (define (take-over stop)
       (ingest-tree! fd "a" #:owner (expected-owner (geteuid) #:stop stop))
       'done)
     (define (copy stop)
       (copy-tree! fd "a" fd "b"
                   #:owner (expected-owner (geteuid) #:stop stop)))
     (make-hole (string-append directory "/a") "" (make-string 100000 #\x))
     (call-with-values make-pipe
       (lambda (input output)
         (write-descriptor output #vu8(1))
         (let ((result (list (errno-of (lambda () (copy input)))
                             (errno-of (lambda () (take-over input)))
                             (take-over #f))))
           (for-each close-fdes (list input output))
           result))))))

(test-equal "a copy replaces nothing" EEXIST
  (call-with-scratch
   (lambda (fd directory)
     (make-file (string-append directory "/a") "a" #o644)
     (symlink "/etc/passwd" (string-append directory "/b"))
     (errno-of (lambda () (copy-tree! fd "a" fd "b"))))))

(test-equal "a copy refuses what is suspicious" 'suspicious-ownership
  (call-with-scratch
   (lambda (fd directory)
     (mkdir (string-append directory "/a"))
     (chmod (string-append directory "/a") #o777)
     (with-exception-handler tree-error-kind
       (lambda () (copy-tree! fd "a" fd "b" #:owner (geteuid)))
       #:unwind? #t))))

(define %hash-part (make-string 32 #\a))
(define %replacement (make-string 32 #\b))

(test-equal "hash parts are replaced in names, targets and contents, whose \
length stays"
  (list (list (string-append %replacement "-x") "file" "large" "link")
        (string-append "of " %replacement)
        (string-append "../" %replacement "-x")
        #t 100064)
  (call-with-scratch
   (lambda (fd directory)
     (define filling (make-string 50000 #\-))
     (define (large part)
       (string-append filling part part filling))
     (define (file name)
       (string-append directory "/b/" name))
     (make-tree (string-append directory "/a")
                `((file "file" ,(string-append "of " %hash-part) #o644)
                  (file "large" ,(large %hash-part) #o644)
                  (link "link" ,(string-append "../" %hash-part "-x"))
                  (directory ,(string-append %hash-part "-x"))))
     (copy-tree! fd "a" fd "b"
                 #:replacements `((,%hash-part . ,%replacement)))
     (list (directory-entries (string-append directory "/b"))
           (call-with-input-file (file "file") get-string-all)
           (readlink (file "link"))
           (string=? (large %replacement)
                     (call-with-input-file (file "large") get-string-all))
           (stat:size (stat (file "large")))))))

(test-assert "and what is no hash part is refused"
  (call-with-scratch
   (lambda (fd directory)
     (make-tree (string-append directory "/a") '())
     (and (string-contains
           (message-of
            (lambda ()
              (copy-tree! fd "a" fd "b"
                          #:replacements '(("short" . "other")))))
           "hash part short")
          (not (file-exists? (string-append directory "/b")))))))

(test-end "tree-copies")
