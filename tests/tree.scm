;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; What becomes of a builder's output: canonical form, refusals, references;
;;; removal, lists.

(use-modules (fruix config)
             (fruix hash)
             (fruix nar)
             (fruix primitives)
             (fruix tree)
             (fruix tree-error)
             (ice-9 ftw)
             (ice-9 match)
             (rnrs bytevectors)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests support)
             (tests tree-support))

;; Numbers of users that have no account.
(define %builder 61001)
(define %stranger 61002)
(define root? (zero? (geteuid)))

(define (own name uid)
  "Make the tree NAME belong to UID."
  (run-program "chown" "-hR" (number->string uid) name))

(define* (ingest items #:key (prepare (const #t)) (check (const #t))
                 (owner (geteuid)) (candidates '()))
  "Ingest a tree of ITEMS after (PREPARE NAME); return the result of (CHECK
NAME RESULT)."
  (call-with-scratch
   (lambda (fd directory)
     (let ((name (string-append directory "/item")))
       (make-tree name items)
       (when root? (own name owner))
       (prepare name)
       (check name (ingest-tree! fd "item" #:owner owner
                                 #:candidates candidates))))))

(define* (refusal items #:key (prepare (const #t)) (owner (geteuid)))
  "Return the kind of error and the place for which a tree is refused."
  (with-exception-handler
      (lambda (exception)
        (if (tree-error? exception)
            (list (tree-error-kind exception) (tree-error-place exception))
            exception))
    (lambda () (ingest items #:prepare prepare #:owner owner) 'accepted)
    #:unwind? #t))

(define %part "0123456789abcdfghijklmnpqrsvwxyz")
(define %other "zyxwvsrqpnmlkjihgfdcba9876543210")

(test-begin "tree")

;; Canonical form.

(test-equal "modes and times"
  `((directory #o555 ,(geteuid) 1 0)
    (directory #o555 ,(geteuid) 1 0)
    (regular #o444 ,(geteuid) 1 0)
    (regular #o555 ,(geteuid) 1 0)
    (regular #o444 ,(geteuid) 1 0)
    (symlink #f ,(geteuid) 1 0))
  (ingest '((directory "sub")
            (file "sub/plain" "x" #o640)
            (file "program" "x" #o755)
            (file "group-only" "x" #o474)
            (link "link" "/nowhere"))
          #:check (lambda (name result)
                    (map (lambda (file)
                           (facts (string-append name "/" file)))
                         '("." "sub" "sub/plain" "program" "group-only"
                           "link")))))

(test-equal "set-id and sticky bits do not survive"
  '(#o555 #o555 #o444 #o555)
  (ingest '((file "suid" "x" #o4755)
            (file "sgid" "x" #o2755)
            (file "sticky" "x" #o1644)
            (directory "sub"))
          #:prepare (lambda (name)
                      (chmod (string-append name "/sub") #o3700))
          #:check (lambda (name result)
                    (map (lambda (file)
                           (stat:perms
                            (lstat (string-append name "/" file))))
                         '("suid" "sgid" "sticky" "sub")))))

(test-equal "what denies access is read all the same"
  '((directory #o555) (regular #o444) (regular #o555))
  (ingest '((directory "sub")
            (file "sub/secret" "x" #o000)
            (file "sub/program" "x" #o111))
          #:prepare (lambda (name)
                      (chmod (string-append name "/sub") #o000))
          #:check (lambda (name result)
                    (map (lambda (file)
                           (take (facts (string-append name "/" file)) 2))
                         '("sub" "sub/secret" "sub/program")))))

(test-assert "hash and size are those of the archive on disk"
  (call-with-scratch
   (lambda (fd directory)
     (make-tree (string-append directory "/item")
                '((directory "sub") (file "sub/a" "hello" #o755)
                  (link "b" "sub")))
     (let ((result (ingest-tree! fd "item" #:hash-algorithm 'sha512))
           (again (file-nar-result fd "item" #:hash-algorithm 'sha512)))
       (and (equal? (nar-result-hash result) (nar-result-hash again))
            (equal? (nar-result-digest result) (nar-result-digest again))
            (= (nar-result-size result) (nar-result-size again)))))))

(test-equal "flat: digest of the contents"
  (list 'regular (bytevector-hash 'sha1 (string->utf8 "hello")))
  (call-with-scratch
   (lambda (fd directory)
     (make-file (string-append directory "/item") "hello" #o644)
     (let ((result (ingest-tree! fd "item" #:flat? #t
                                 #:hash-algorithm 'sha1)))
       (list (nar-result-type result) (nar-result-digest result))))))

(test-equal "flat: a directory has no digest"
  '(directory #f)
  (call-with-scratch
   (lambda (fd directory)
     (mkdir (string-append directory "/item"))
     (let ((result (ingest-tree! fd "item" #:flat? #t
                                 #:hash-algorithm 'sha1)))
       (list (nar-result-type result) (nar-result-digest result))))))

;; Refusals.

(test-equal "a fifo is refused and does not block"
  '(file-type "item/sub/fifo")
  (refusal '((directory "sub"))
           #:prepare (lambda (name)
                       (mknod (string-append name "/sub/fifo") 'fifo #o600
                              0))))

(test-equal "a socket is refused" '(file-type "item/socket")
  (let ((socket (socket PF_UNIX SOCK_STREAM 0)))
    (refusal '()
             #:prepare (lambda (name)
                         (bind socket AF_UNIX
                               (string-append name "/socket"))))))

(test-equal "a fifo at the top is refused" '(file-type "fifo")
  (call-with-scratch
   (lambda (fd directory)
     (mknod (string-append directory "/fifo") 'fifo #o600 0)
     (with-exception-handler
         (lambda (exception)
           (list (tree-error-kind exception) (tree-error-place exception)))
       (lambda () (ingest-tree! fd "fifo"))
       #:unwind? #t))))

(test-equal "a top level that the group can write"
  '(suspicious-ownership "item")
  (refusal '() #:prepare (lambda (name) (chmod name #o770))))

(test-equal "a top level that all can write"
  '(suspicious-ownership "item")
  (refusal '() #:prepare (lambda (name) (chmod name #o707))))

(test-equal "a message for people"
  "suspicious ownership or permission on 'item'"
  (message-of
   (lambda ()
     (ingest '() #:prepare (lambda (name) (chmod name #o777))))))

(test-equal "control characters do not reach messages"
  '(file-type "item/a?b")
  (refusal '()
           #:prepare (lambda (name)
                       (mknod (string-append name "/a\nb") 'fifo #o600 0))))

(define (nest name depth)
  (unless (zero? depth)
    (mkdir name)
    (nest (string-append name "/d") (- depth 1))))

(test-equal "directories nested to the limit, and beyond"
  '(accepted depth)
  (map (lambda (depth)
         (match (refusal '()
                         #:prepare (lambda (name)
                                     (nest (string-append name "/d")
                                           (- depth 1))))
           ((kind place) kind)
           (verdict verdict)))
       '(256 257)))

(test-equal "what does not exist" ENOENT
  (call-with-scratch
   (lambda (fd directory)
     (errno-of (lambda () (ingest-tree! fd "nothing"))))))

;; Owners; only root can take a file from somebody.

(test-skip (if root? 0 7))

(test-equal "a builder's files become ours"
  '((directory #o555 0 1 0) (regular #o444 0 1 0) (symlink #f 0 1 0))
  (ingest '((file "file" "x" #o644) (link "link" "x"))
          #:owner %builder
          #:check (lambda (name result)
                    (map (lambda (file)
                           (facts (string-append name "/" file)))
                         '("." "file" "link")))))

(test-equal "a group that ours were given to does not stay"
  (make-list 3 (getegid))
  (ingest '((file "file" "x" #o644) (link "link" "x"))
          #:prepare (lambda (name)
                      (run-program "chgrp" "-hR" (number->string %stranger)
                                   name))
          #:check (lambda (name result)
                    (map (lambda (file)
                           (stat:gid (lstat (string-append name "/" file))))
                         '("." "file" "link")))))

(test-equal "a stranger's file" '(ownership "item/file")
  (refusal '((file "file" "x" #o644))
           #:owner %builder
           #:prepare (lambda (name)
                       (chown (string-append name "/file") %stranger 0))))

(test-equal "root's file, linked into the output" '(ownership "item/secret")
  (call-with-scratch
   (lambda (fd directory)
     (make-file (string-append directory "/secret") "x" #o600)
     (let ((verdict
            (refusal '()
                     #:owner %builder
                     #:prepare (lambda (name)
                                 (link (string-append directory "/secret")
                                       (string-append name "/secret"))))))
       (and (= #o600 (stat:perms (stat (string-append directory "/secret"))))
            verdict)))))

(test-equal "a stranger's top level" '(suspicious-ownership "item")
  (refusal '()
           #:owner %builder
           #:prepare (lambda (name) (chown name %stranger 0))))

(test-equal "hard links inside an output" '(2 0 #o444)
  (ingest '((file "a" "x" #o666))
          #:owner %builder
          #:prepare (lambda (name)
                      (link (string-append name "/a")
                            (string-append name "/b")))
          #:check (lambda (name result)
                    (let ((status (stat (string-append name "/b"))))
                      (list (stat:nlink status) (stat:uid status)
                            (stat:perms status))))))

(test-equal "hard links between outputs of one build" '(#t ownership)
  (call-with-scratch
   (lambda (fd directory)
     (define (make-linked-pair a b)
       (let ((a (string-append directory "/" a))
             (b (string-append directory "/" b)))
         (make-tree a '((file "file" "x" #o644)))
         (make-tree b '())
         (own a %builder)
         (own b %builder)
         (link (string-append a "/file") (string-append b "/file"))))
     (make-linked-pair "a" "b")
     (make-linked-pair "c" "d")
     (let ((owner (expected-owner %builder)))
       (ingest-tree! fd "a" #:owner owner)
       (ingest-tree! fd "c" #:owner %builder)
       (list (nar-result? (ingest-tree! fd "b" #:owner owner))
             (with-exception-handler tree-error-kind
               (lambda () (ingest-tree! fd "d" #:owner %builder))
               #:unwind? #t))))))

;; References.

(test-equal "in contents, names and targets"
  (list (list %part) (list %part) (list %part) (list %other %part) '())
  (map (lambda (items)
         (ingest items
                 #:candidates (list %other %part)
                 #:check (lambda (name result)
                           (nar-result-references result))))
       `(((file "file" ,(string-append "see /gnu/store/" %part "-a") #o644))
         ((file ,(string-append %part "-a") "" #o644))
         ((link "link" ,(string-append "/gnu/store/" %part "-a/bin")))
         ((file "a" ,(string-append (make-string 262130 #\/) %part) #o644)
          (file "b" ,(string-append %part %other) #o644))
         ((file "a" ,(string-take %part 31) #o644)))))

(test-equal "a candidate that is no hash part" 'system-error
  (key-of (lambda () (ingest '() #:candidates '("eeee")))))

;; Removal: tests/remove-test.cc has the hard cases.

(test-equal "removal tells what is free" '(#t ())
  (call-with-scratch
   (lambda (fd directory)
     (make-tree (string-append directory "/a")
                `((file "file" ,(make-string 9000 #\x) #o644)
                  (directory "sub")))
     (list (>= (delete-tree! fd "a") 9000)
           (scandir directory
                    (lambda (name) (not (member name '("." "..")))))))))

(test-equal "nothing alive after all that" 0 (%live-requests))

(test-equal "a directory is listed with what its entries are"
  `(("a" regular #o640 ,(getuid) 5)
    ("b" directory #o700 ,(getuid))
    ("c" symlink))
  (call-with-scratch
   (lambda (fd directory)
     (define (file name) (string-append directory "/" name))
     (call-with-output-file (file "a")
       (lambda (port) (display "12345" port)))
     (chmod (file "a") #o640)
     (mkdir (file "b") #o700)
     (symlink "a" (file "c"))
     (map (lambda (entry)
            (take entry (case (second entry)
                          ((regular) 5)
                          ((directory) 4)
                          (else 2))))
          (sort (list-directory fd)
                (lambda (a b) (string<? (first a) (first b))))))))

(test-error "what is no directory cannot be listed"
  'system-error
  (call-with-scratch
   (lambda (fd directory)
     (let ((file (open-fdes (string-append directory "/file")
                            (logior O_WRONLY O_CREAT))))
       (dynamic-wind
         (const #t)
         (lambda () (list-directory file))
         (lambda () (close-fdes file)))))))

(test-equal "trees change places, where the system can do that"
  (if (eq? %platform 'linux)
      (list #t '(directory regular) ENOENT)
      (list #f '(regular directory) #f))
  (call-with-scratch
   (lambda (fd directory)
     (define (file name) (string-append directory "/" name))
     (mkdir (file "a"))
     (mkdir (file "a/there"))
     (call-with-output-file (file "b") (const #t))
     (let ((exchanged? (exchange-trees! fd "a/there" fd "b")))
       (list exchanged?
             (map (lambda (name) (stat:type (lstat (file name))))
                  '("b" "a/there"))
             (errno-of (lambda ()
                         (exchange-trees! fd "nothing" fd "b"))))))))

(test-end "tree")
