;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Optimising the store: which files share an inode afterwards, and that
;;; nothing else about them has changed.

(use-modules (fruix protocol wire)
             (fruix store)
             (fruix store layout)
             (fruix thread)
             (ice-9 match)
             (ice-9 textual-ports)
             (ice-9 threads)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests store-support)
             (tests support)
             (tests worker-client))

(define (write-text file text)
  (call-with-output-file file
    (lambda (port) (display text port))))

(define (add-files store name . files)
  "Add a directory with FILES, pairs of name and contents, in a directory of
its own; return the item's directory on disk."
  (call-with-temporary-directory
   (lambda (directory)
     (mkdir (string-append directory "/tree"))
     (mkdir (string-append directory "/tree/below"))
     (for-each (match-lambda
                 ((name . contents)
                  (write-text (string-append directory "/tree/below/" name)
                              contents)))
               files)
     (string-append
      (physical (store-layout store)
                (add-tree! store name directory "tree"))
      "/below"))))

(define (optimise store . options)
  "Return what was reported."
  (let ((lines '()))
    (apply optimise-store! store
           #:report (lambda (line) (set! lines (cons line lines)))
           options)
    (reverse lines)))

(define (same-inode? . files)
  (apply = (map (lambda (file) (stat:ino (stat file))) files)))

(define (root-sets store)
  "Return the temporary roots that the files of STORE name, a list each."
  (let ((directory (layout-temporary-roots-directory (store-layout store))))
    (map (lambda (name)
           (string-tokenize (call-with-input-file
                                (string-append directory "/" name)
                              get-string-all)
                            (char-set-complement (char-set #\nul))))
         (directory-entries directory))))

(define (links store)
  (directory-entries (layout-links (store-layout store))))

(define (canonical? file)
  (let ((status (stat file)))
    (and (= 1 (stat:mtime status))
         (zero? (stat:mtimensec status))
         (memv (stat:perms status) '(#o444 #o555))
         #t)))

(define-syntax-rule (with-plain-store store body ...)
  ;; Items that are added share nothing.
  (call-with-temporary-directory
   (lambda (directory)
     (call-with-store (make-layout #:root directory)
       (lambda (store) body ...)
       #:deduplicate? #f))))

(define %large (make-string 8192 #\l))
(define %small (make-string 8191 #\s))

(test-begin "optimising")

(with-plain-store store
  (let* ((one (add-files store "one" `("a" . ,%large) `("b" . ,%large)
                         `("s" . ,%small)))
         (two (add-files store "two" `("a" . ,%large) `("s" . ,%small)))
         (a (string-append one "/a"))
         (files (list a (string-append one "/b") (string-append two "/a"))))
    (test-equal "a store that does not deduplicate shares nothing" '(1 ())
      (list (stat:nlink (stat a)) (links store)))
    (test-equal "what was saved is told"
      '("0 MiB freed by hard-linking 2 files")
      (optimise store))
    (test-assert "equal large files are one" (apply same-inode? files))
    (test-equal "with a link of its own" '(4 1)
      (list (stat:nlink (stat a)) (length (links store))))
    (test-equal "small files are not" 1
      (stat:nlink (stat (string-append one "/s"))))
    (test-equal "directories and files are as before" '(#t #t #t #t)
      (map canonical? (list one two a (string-append one "/s"))))
    (test-equal "all items are what they were" #f
      (verify-store! store #:check-contents? #t))
    (test-equal "one item at a time is a root for that" '(1 1)
      (let* ((count-roots (lambda () (length (concatenate (root-sets store)))))
             (before (count-roots))
             (counts '()))
        (optimise-store! store
                         #:pulse (lambda ()
                                   (set! counts
                                         (cons (- (count-roots) before)
                                               counts))))
        (list (apply min counts) (apply max counts))))
    (test-equal "a second time, nothing is left to do"
      '("0 MiB freed by hard-linking 0 files")
      (optimise store))
    (test-equal "what is added later shares them, too"
      '("0 MiB freed by hard-linking 1 files")
      (begin
        (add-files store "three" `("z" . ,%large))
        (optimise store)))))

(with-plain-store store
  (define file (physical (store-layout store)
                         (add-text! store "text"
                                    ((@ (rnrs bytevectors) string->utf8)
                                     %large)
                                    '())))
  (define below (add-files store "tree" `("a" . ,%large) `("x" . ,%large)))
  (chmod (string-append below "/x") #o555)
  (optimise store)
  (test-assert "an item can be a file"
    (same-inode? file (string-append below "/a")))
  (test-equal "executable files are others" 2
    (stat:nlink (stat (string-append below "/x")))))

(with-plain-store store
  (let* ((one (add-files store "one" `("a" . ,%large)))
         (two (add-files store "two" `("a" . ,%large)))
         (a (string-append one "/a")))
    (chmod a #o644)
    (test-equal "files that can be written to are left alone, with a warning"
      (list (string-append "path `/gnu/store/" (basename (dirname one))
                           "': writable files left alone: 1")
            "0 MiB freed by hard-linking 0 files")
      (optimise store))
    (chmod a #o444)
    (test-equal "a link of another size is replaced" '(3 #t)
      (let ((link (string-append (layout-links (store-layout store)) "/"
                                 (first (links store)))))
        (delete-file link)
        (write-text link "damaged")
        (chmod link #o444)
        (optimise store)
        (list (stat:nlink (stat a))
              (same-inode? a (string-append two "/a") link))))))

(with-plain-store store
  (let* ((one (add-files store "one" `("a" . ,%large)))
         (item (dirname one))
         (away (string-append (layout-root (store-layout store)) "/away")))
    ;; Only who may write to a directory may give it another parent.
    (chmod item #o755)
    (rename-file item away)
    (test-equal "an item that cannot be read is passed over" 2
      (length (optimise store)))
    (rename-file away item)
    (test-equal "what the pulse raises ends the work" 'stop
      (key-of (lambda ()
                (optimise-store! store #:pulse (lambda () (throw 'stop))))))
    (test-equal "its roots are given up" 1
      (length (filter pair? (root-sets store))))))

(with-plain-store store
  (test-equal "others may add, and optimise, meanwhile" '(#f (1) 20)
    (let* ((add (lambda (prefix)
                  (map (lambda (n)
                         (add-files store (format #f "~a-~a" prefix n)
                                    `("a" . ,%large)))
                       (iota 10))))
           (first (add "first"))
           (done #f)
           (optimisers (map (lambda (_)
                              (start-thread
                               (lambda ()
                                 (let loop ()
                                   (unless done
                                     (optimise-store! store)
                                     (loop))))))
                            (iota 2)))
           (second (add "second")))
      (set! done #t)
      (for-each join-thread optimisers)
      (optimise-store! store)
      (list (verify-store! store #:check-contents? #t)
            (list (length (links store)))
            (count (lambda (directory)
                     (= 21 (stat:nlink
                            (stat (string-append directory "/a")))))
                   (append first second))))))

(with-plain-store store
  (add-files store "one" `("a" . ,%large) `("b" . ,%large))
  (test-equal "a client may ask for it"
    '(1 ("0 MiB freed by hard-linking 1 files\n"))
    (call-with-session store
      (lambda (port)
        (call-with-values (lambda () (request port read-int 34))
          (lambda (result log data) (list result log))))
      #:trusted? #f)))

(test-end "optimising")
