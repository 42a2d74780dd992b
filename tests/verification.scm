;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Verifying the store: what vanished, what was modified, what the database
;;; did not know, and repair.

(use-modules (fruix database)
             (fruix descriptors)
             (fruix errors)
             (fruix flag)
             (fruix protocol wire)
             (fruix record-lock)
             (fruix store)
             (fruix store layout)
             (fruix thread)
             (ice-9 match)
             (ice-9 textual-ports)
             (ice-9 threads)
             (rnrs bytevectors)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests store-support)
             (tests support)
             (tests worker-client))

(define %nowhere "/gnu/store/00000000000000000000000000000000-nowhere")

(define good? (@@ (fruix store verification) good?))
(define hash-or-trouble (@@ (fruix store verification) hash-or-trouble))

(define (file store path)
  (physical (store-layout store) path))

(define (text store name . references)
  (add-text! store name (string->utf8 name) references))

(define (write-text file text)
  (when (file-exists? file)
    (chmod file #o644))
  (call-with-output-file file
    (lambda (port) (display text port))))

(define (vanish! store path)
  "Remove the file of PATH and return a thunk that brings it back."
  (let ((away (string-append (layout-root (store-layout store)) "/"
                             (basename path))))
    (rename-file (file store path) away)
    (lambda () (rename-file away (file store path)))))

(define (update store sql . arguments)
  "Change the database behind the back of STORE."
  (let ((db (open-database (layout-database (store-layout store)))))
    (apply execute db sql arguments)
    (close-database db)))

(define* (verify store #:rest options)
  "Return whether problems remain, and what was reported, sorted."
  (let ((lines '()))
    (let ((problems? (apply verify-store! store
                            #:report (lambda (line)
                                       (set! lines (cons line lines)))
                            options)))
      (list problems? (sort lines string<?)))))

(define %fine '(#f ()))

(define-syntax-rule (with-store store body ...)
  (call-with-temporary-store (lambda (store) body ...)))

(define (removed path)
  (string-append "path `" path
                 "' disappeared, removing it from the database"))

(define (needed path)
  (string-append "path `" path "' disappeared, but it still has valid "
                 "referrers"))

(define (collector-lock-free? layout)
  (let ((lock (acquire-file-lock (layout-gc-lock layout) 'exclusive
                                 #:wait? #f)))
    (and lock
         (begin
           (release-file-lock! lock)
           #t))))

(test-begin "verification")


;;
;; What vanished.
;;

(with-store store
  (test-equal "an empty store is fine" %fine
    (verify store #:check-contents? #t))
  (let* ((a (text store "a"))
         (b (text store "b" a))
         (c (text store "c" b)))
    (test-equal "so is one where everything is there" %fine
      (verify store #:check-contents? #t))

    (let ((bring-back (vanish! store a)))
      (test-equal "what others refer to stays, and is a problem"
        (list #t (list (needed a)) #t)
        (append (verify store) (list (valid-path? store a))))
      (test-equal "with contents, it is one problem"
        (list #t (list (needed a)))
        (verify store #:check-contents? #t))
      (test-equal "a repairer is asked" (list (list #f (list (needed a))) a)
        (let ((asked #f))
          (list (verify store #:repair (lambda (path)
                                         (set! asked path)
                                         #t))
                asked)))
      (bring-back)
      (test-equal "brought back, it is none" %fine (verify store)))

    (vanish! store c)
    (test-equal "what nobody refers to becomes invalid"
      (list #f (list (removed c)) #f)
      (append (verify store) (list (valid-path? store c))))
    (test-equal "which is said once" %fine (verify store))

    (vanish! store a)
    (vanish! store b)
    (test-equal "referrers that vanished do not count"
      (list #f (sort (list (removed a) (removed b)) string<?) '())
      (append (verify store) (list (all-valid-paths store))))))

(with-store store
  (let ((self (text store "self"))
        (drv (string-append %nowhere ".drv")))
    (update store "insert into Refs select id, id from ValidPaths")
    (vanish! store self)
    (test-equal "an item may refer to itself" (list #f (list (removed self)))
      (verify store))
    (test-equal "and leaves no references behind" '()
      (let* ((db (open-database (layout-database (store-layout store))))
             (rows (query db "select * from Refs")))
        (close-database db)
        rows))))

(with-store store
  (let* ((a (text store "a"))
         (b (text store "b" a))
         (c (text store "c"))
         (d (text store "d" c))
         (user (text store "user" d)))
    ;; From a to b, and from c to d.
    (update store "insert into Refs
                     select r.reference, r.referrer from Refs r
                       join ValidPaths v on v.id = r.referrer
                       where v.path not like '%-user'")
    (for-each (lambda (path) (vanish! store path)) (list a b c d))
    (test-equal "items may refer to each other in a circle"
      (list #t (sort (list c d user) string<?))
      (list (verify-store! store)
            (sort (all-valid-paths store) string<?)))))

(with-store store
  (update store "insert into ValidPaths (path, hash, registrationTime)
                 values ('/etc/passwd', 'sha256:', 1)")
  (test-equal "what is not in the store becomes invalid"
    (list #f (list "path `/etc/passwd' is not in the store, removing it from \
the database")
          '())
    (append (verify store) (list (all-valid-paths store)))))

(with-store store
  (let* ((layout (store-layout store))
         (lock (acquire-file-lock (layout-gc-lock layout) 'shared))
         (looked 0)
         (verifier (start-thread
                    (lambda ()
                      (verify-store! store
                                     #:pulse (lambda ()
                                               (set! looked
                                                     (+ looked 1))))))))
    (test-assert "while somebody works with a collector's lock, it waits"
      (wait-until (lambda () (> looked 2))))
    (release-file-lock! lock)
    (test-equal "and then goes on" #f (join-thread verifier))
    (test-assert "after which the lock is free"
      (collector-lock-free? layout))))

(with-store store
  (vanish! store (text store "vanished"))
  (test-equal "who is told keeps no collector waiting" '(#t)
    (let ((free '()))
      (verify-store! store
                     #:report (lambda (line)
                                (set! free
                                      (cons (collector-lock-free?
                                             (store-layout store))
                                            free))))
      free)))


;;
;; Contents.
;;

(define (modified store path got)
  (format #f "path `~a' was modified! expected hash `~a', got `~a'" path
          (path-info-hash (query-path-info store path)) got))

;; Of the archive of a file with the text "bad".
(define %bad-hash
  (with-store store
    (path-info-hash (query-path-info
                     store (add-text! store "x" (string->utf8 "bad") '())))))

(with-store store
  (let ((path (text store "a")))
    (test-equal "what cannot be read for want of descriptors is not bad" EMFILE
      (call-with-directory (dirname (file store path))
        (lambda (directory)
          (call-with-descriptors 3
            (lambda ()
              (errno-of
               (lambda ()
                 (good? store path
                        (hash-or-trouble directory path (make-bytevector 9)
                                         (make-flag))
                        (const #t)))))))))))

(with-store store
  (let ((a (text store "a"))
        (b (text store "b")))
    (write-text (file store a) "bad")
    (test-equal "without contents, nobody notices" %fine (verify store))
    (test-equal "a modified file is a problem"
      (list #t (list (modified store a %bad-hash)))
      (verify store #:check-contents? #t))
    (test-equal "unless somebody repairs it" #f
      (verify-store! store #:check-contents? #t
                     #:repair (lambda (path) (string=? path a))))
    (test-equal "a repairer that fails says why"
      (list #t (list "no way" (modified store a %bad-hash)))
      (verify store #:check-contents? #t
              #:repair (lambda (path) (fail "no way"))))
    (write-text (file store a) "a")
    (test-equal "the right contents are enough" %fine
      (verify store #:check-contents? #t))

    (delete-file (file store b))
    (mknod (file store b) 'fifo #o644 0)
    (test-assert "what cannot be read is a problem"
      (match (verify store #:check-contents? #t)
        ((#t (line)) (string-prefix? (format #f "cannot read path `~a'" b)
                                     line))))
    (vanish! store b)
    (verify store)

    (let ((before (query-path-info store a)))
      (define (corrected)
        (let ((info (query-path-info store a)))
          (and (equal? (path-info-hash info) (path-info-hash before))
               (equal? (path-info-nar-size info)
                       (path-info-nar-size before)))))
      (define corrections
        (list #f (list (format #f "updating hash and size of `~a'" a)) #t))
      (test-equal "a size that nobody knows is filled in" corrections
        (begin
          (update store "update ValidPaths set narSize = null")
          (append (verify store #:check-contents? #t) (list (corrected)))))
      (test-equal "and so is a hash" corrections
        (begin
          (update store "update ValidPaths set hash = ?, narSize = 0"
                  (string-append "sha256:" (make-string 64 #\0)))
          (append (verify store #:check-contents? #t) (list (corrected)))))
      (test-equal "a hash that is none is a problem"
        (list #t (list (string-append "hash `md5:1' of the valid path `" a
                                      "' is corrupt")))
        (begin
          (update store "update ValidPaths set hash = 'md5:1'")
          (verify store #:check-contents? #t))))))

(with-store store
  (let ((paths (map (lambda (n) (text store (number->string n))) (iota 100)))
        (threads (length (all-threads))))
    (write-text (file store (first paths)) "bad")
    (write-text (file store (last paths)) "bad")
    (test-equal "of many items, the modified ones are found"
      (list #t (sort (map (lambda (path) (modified store path %bad-hash))
                          (list (first paths) (last paths)))
                     string<?))
      (verify store #:check-contents? #t))
    (test-equal "what the pulse raises ends it" '(stop #t)
      (let ((pulses 0))
        (list (key-of (lambda ()
                        (verify-store! store #:check-contents? #t
                                       #:pulse (lambda ()
                                                 (set! pulses (+ pulses 1))
                                                 (when (= pulses 2)
                                                   (throw 'stop))))))
              (wait-until (lambda ()
                            (<= (length (all-threads)) threads))))))))


;;
;; Damaged files that are shared.
;;

(define (add-file store name contents)
  "Add a directory with a file of CONTENTS; return the item."
  (call-with-temporary-directory
   (lambda (directory)
     (mkdir (string-append directory "/tree"))
     (write-text (string-append directory "/tree/file") contents)
     (add-tree! store name directory "tree"))))

(with-store store
  (define large (make-string 9000 #\l))
  (define (file-of path)
    (file store (string-append path "/file")))
  (define (shared)
    (directory-entries (layout-links (store-layout store))))
  (let ((one (add-file store "one" large))
        (two (add-file store "two" large))
        (good (add-file store "good" (make-string 9000 #\g))))
    (write-text (file-of one) (make-string 9000 #\x))
    (test-equal "both items that share a damaged file are modified" #t
      (verify-store! store #:check-contents? #t))
    (test-equal "nobody gets that file any more" 1 (length (shared)))
    (test-equal "so that the same contents are added whole" large
      (call-with-input-file (file-of (add-file store "three" large))
        get-string-all))
    (test-equal "good files are still shared" 2 (length (shared)))))


;;
;; The operation.
;;

(with-store store
  (let* ((a (text store "a"))
         (b (text store "b" a))
         (bring-back (vanish! store a)))
    (define (ask port contents repair)
      (call-with-values
          (lambda () (request port read-boolean 35 contents repair))
        (lambda (result log data) (list result log))))
    (call-with-session store
      (lambda (port)
        (test-equal "a client hears of problems"
          (list #t (list (string-append (needed a) "\n")))
          (ask port 0 0))
        (test-equal "that cannot be repaired"
          (list #t (list (string-append (needed a) "\n")
                         (string-append "cannot repair path `" a "': \
neither a substitute nor its derivation is there\n")
                         (string-append "build of `" a "' failed\n")))
          (ask port 0 1))
        (bring-back)
        (test-equal "or that there are none" '(#f ()) (ask port 1 1))))
    (call-with-session store
      (lambda (port)
        (test-equal "repairing needs trust, and the session goes on"
          '((("you are not privileged to repair paths" 1) ())
            (#f ()))
          (let ((refused (ask port 0 1)))
            (list refused (ask port 1 0)))))
      #:trusted? #f)))

(with-store store
  ;; Hashing so many zeros takes several times as long as is granted.
  (define size (expt 2 33))
  (register-items! store (list (path-info %nowhere (make-string 64 #\1) 1)))
  (call-with-output-file (file store %nowhere)
    (lambda (port) (truncate-file port size)))
  (test-assert "a client that leaves ends it soon"
    (let ((start (current-time)))
      (call-with-session store
        (lambda (port)
          (say port 35 1 0)
          (usleep 300000)))
      (< (- (current-time) start) 5))))

(test-end "verification")
