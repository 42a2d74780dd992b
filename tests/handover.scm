;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Taking over the store of a guix-daemon that was killed: its database, with
;;; the journal still beside it, and all the gaps that it may have.

(use-modules (fruix base16)
             (fruix database)
             (fruix descriptors)
             (fruix nar)
             (fruix store)
             (fruix store layout)
             (ice-9 match)
             (rnrs bytevectors)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests support))

(define %dump
  (string-append (getenv "abs_top_srcdir") "/tests/vectors/db.sql"))

(define (item name)
  (string-append "/gnu/store/" (string-pad name 32 #\0) "-" name))

(define (write-text file text)
  (call-with-output-file file
    (lambda (port) (display text port))))

(define (write-item layout path text)
  (let ((file (physical layout path)))
    (write-text file text)
    (chmod file #o444)
    (utime file 1 1)))

(define (disk-hash layout path)
  (call-with-directory (layout-physical-store layout)
    (lambda (fd)
      (bytevector->base16-string (file-nar-hash fd (basename path))))))

(define* (insert db layout path #:key deriver (size 120)
                 (hash (disk-hash layout path)))
  (execute db "insert into ValidPaths
                 (path, hash, registrationTime, deriver, narSize)
               values (?, ?, 1000000000, ?, ?)"
           path (string-append "sha256:" hash) deriver size))

(define (fill! layout)
  "Leave in LAYOUT, whose directories exist, what guix-daemon left behind when
it was killed."
  (define database (layout-database layout))
  (define (state name)
    (string-append (layout-state-directory layout) name))
  (for-each (lambda (name) (write-item layout (item name) name))
            '("plain" "sizeless" "hashless" "built"))
  (run-program "sqlite3" database
               (string-append ".read " %dump)
               "delete from Refs" "delete from DerivationOutputs"
               "delete from ValidPaths" "pragma journal_mode = wal")
  (write-text (layout-schema-file layout) "7")
  (write-text (state "/temproots/4000000") "/gnu/store/x\0")
  (write-text (state "/gc.lock") "")
  (write-text (string-append (physical layout (item "built")) ".lock") "")
  (write-item layout (string-append "/gnu/store/.tmp-link-4000000-1") "l")
  (let ((db (open-database database)))
    (insert db layout (item "plain"))
    (insert db layout (item "sizeless") #:size #f)
    (insert db layout (item "hashless") #:hash (make-string 64 #\0))
    (insert db layout (item "built")
            #:deriver "/gnu/store/00000000000000000000000000000000-gone.drv")
    (execute db "insert into Refs select a.id, b.id from ValidPaths a
                   join ValidPaths b where a.path = ? and b.path in (?, ?)"
             (item "built") (item "plain") (item "built"))
    db))

(define (call-with-filled-layout proc)
  "Call PROC with a layout whose database has its contents in the journal."
  (call-with-temporary-directory
   (lambda (root)
     (define layout (make-layout #:root root))
     (define database (layout-database layout))
     (close-store! (open-store layout))
     (delete-file database)
     (delete-file (layout-schema-file layout))
     (let ((db (fill! layout)))
       ;; What the files look like while somebody has them open, or had.
       (run-program "cp" "-a" (dirname database)
                    (string-append root "/database"))
       (close-database db)
       (delete-recursively (dirname database))
       (rename-file (string-append root "/database") (dirname database))
       (proc layout)))))

(test-begin "handover")

(call-with-filled-layout
 (lambda (layout)
   (define journal (string-append (layout-database layout) "-wal"))
   (define all (sort (map item '("plain" "sizeless" "hashless" "built"))
                     string<?))
   (test-assert "there is a journal"
     (positive? (stat:size (stat journal))))
   (call-with-store layout
     (lambda (store)
       (test-equal "what is only in the journal is valid" all
         (all-valid-paths store))
       (test-equal "references, also to itself"
         (sort (map item '("built" "plain")) string<?)
         (references store (item "built")))
       (test-equal "a deriver that is gone is still known"
         '("/gnu/store/00000000000000000000000000000000-gone.drv" ())
         (list (path-info-deriver (query-path-info store (item "built")))
               (valid-derivers store (item "built"))))
       (test-equal "a size that nobody knows" #f
         (path-info-nar-size (query-path-info store (item "sizeless"))))
       (test-equal "nothing is wrong" #f
         (verify-store! store #:check-contents? #t))
       (test-equal "gaps are filled" '(120 #t)
         (list (path-info-nar-size (query-path-info store (item "sizeless")))
               (string=? (disk-hash layout (item "hashless"))
                         (path-info-hash
                          (query-path-info store (item "hashless"))))))
       (test-equal "times of registration stay" '(1000000000)
         (delete-duplicates
          (map (lambda (path)
                 (path-info-registration-time (query-path-info store path)))
               all)))
       (test-assert "items can be added to it"
         (valid-path? store
                      (add-text! store "new" (string->utf8 "new")
                                 (list (item "plain")))))
       (optimise-store! store)
       (test-equal "and optimised" #f
         (verify-store! store #:check-contents? #t))))
   (test-equal "closed, it is as guix-daemon wants it" '(#f "ok" "wal")
     (let* ((db (open-database (layout-database layout)))
            (values (list (file-exists? journal)
                          (query db "pragma integrity_check")
                          (query db "pragma journal_mode"))))
       (close-database db)
       (match values
         ((journal? (#(check)) (#(mode))) (list journal? check mode)))))))

(test-end "handover")
