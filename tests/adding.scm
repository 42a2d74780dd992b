;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Adding texts and archives: what guix-daemon would have in store and
;;; database, and nothing when something is wrong.

(use-modules (fruix base16)
             (fruix database)
             (fruix descriptors)
             (fruix hash)
             (fruix nar)
             (fruix store)
             (fruix store layout)
             (fruix store path)
             (ice-9 match)
             (ice-9 regex)
             (ice-9 textual-ports)
             (rnrs bytevectors)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests adding-support)
             (tests support))

(define (read-all file)
  (call-with-input-file (vectors-file file)
    (lambda (port)
      (unfold eof-object? identity (lambda _ (read port)) (read port)))
    #:encoding "UTF-8"))

(define-syntax-rule (message expression)
  (message-of (lambda () expression)))

(define (file-archive make)
  "Return the archive of the file that MAKE creates under the name it is
given."
  (call-with-temporary-directory
   (lambda (directory)
     (make (string-append directory "/file"))
     (call-with-directory directory
       (lambda (descriptor)
         (let* ((source (open-nar-source descriptor "file"))
                (bytes (make-bytevector 100000))
                (size (nar-source-read! source bytes)))
           (nar-source-close! source)
           (let ((result (make-bytevector size)))
             (bytevector-copy! bytes 0 result 0 size)
             result)))))))

(define* (plain-archive contents #:optional (mode #o644))
  (file-archive (lambda (file)
                  (call-with-output-file file
                    (lambda (port) (display contents port)))
                  (chmod file mode))))

(define (stat-summary file)
  (let ((status (lstat file)))
    (list (stat:type status) (stat:perms status) (stat:mtime status))))

(define (disk-hash layout path)
  "Return the hash, in base 16, of the archive of what is under PATH."
  (call-with-directory (layout-physical-store layout)
    (lambda (descriptor)
      (bytevector->base16-string (file-nar-hash descriptor
                                                (basename path))))))

(define (recorded db path)
  "Return hash, size, deriver and references of PATH in the database DB."
  (list (query db "select hash, narSize, deriver from ValidPaths
                   where path = ?" path)
        (query db "select r.path from ValidPaths v
                     join Refs on Refs.referrer = v.id
                     join ValidPaths r on r.id = Refs.reference
                   where v.path = ? order by r.path" path)))

(test-begin "adding")


;;
;; Against guix-daemon's answers.
;;

(with-store store layout
  (define theirs
    (let ((file (string-append (layout-root layout) "/theirs")))
      (run-program "sqlite3" file
                   (string-append ".read " (vectors-file "db.sql")))
      (open-database file #:read-only? #t)))
  (define ours
    (open-database (layout-database layout) #:read-only? #t))
  (define plain (plain-archive "plain file\n"))
  (define (add vector)
    (match vector
      (('text name contents references path)
       (apply text store name contents references))
      (('content "tree" recursive? algorithm _ path)
       (archive store "tree" tree-archive
                #:recursive? recursive?
                #:algorithm (string->symbol algorithm)))
      (('content "plain" recursive? algorithm _ path)
       (archive store "plain" plain
                #:recursive? recursive?
                #:algorithm (string->symbol algorithm)))))
  (define vectors
    (filter (match-lambda
              (('text . _) #t)
              (('content name . _) (member name '("tree" "plain")))
              (_ #f))
            (read-all "store-path.scm")))

  (test-equal "guix-daemon's store paths"
    (map last vectors)
    (map add vectors))
  (test-assert "guix-daemon's records in the database"
    (and (pair? vectors)
         (every (lambda (vector)
                  (equal? (recorded theirs (last vector))
                          (recorded ours (last vector))))
                vectors)))
  (test-assert "what is on disk has the hash that is recorded"
    (every (lambda (path)
             (string=? (disk-hash layout path)
                       (path-info-hash (query-path-info store path))))
           (all-valid-paths store)))
  (test-equal "an executable and a symbolic link"
    '("/gnu/store/n3fgf18dq3xy3gvd9vayfy5pl8vzma0w-script"
      "/gnu/store/lrxrmvh1dxvx04swmvnllz6czrpi5xmf-link")
    (list (archive store "script"
                   (plain-archive "#!/bin/sh\nexit 0\n" #o755))
          (archive store "link"
                   (file-archive (lambda (file) (symlink "../plain" file))))))
  (test-equal "metadata is canonical"
    '((directory #o555 1) (regular #o444 1) (regular #o555 1))
    (map (lambda (file)
           (stat-summary (physical layout file)))
         '("/gnu/store/0f3p5pdv7iwnh3kjimk6nmv38rk7508s-tree"
           "/gnu/store/k9pad896kygyvpxli7f20bkl9813p9y4-hello.txt"
           "/gnu/store/n3fgf18dq3xy3gvd9vayfy5pl8vzma0w-script")))
  (test-equal "no lock file and nothing staged is left" '()
    (filter (lambda (name) (string-suffix? ".lock" name))
            (directory-entries (layout-physical-store layout))))
  (test-equal "the one file of 8 KiB or more is shared by the 7 trees" '(8)
    (map (lambda (name)
           (stat:nlink (stat (string-append (layout-links layout) "/"
                                            name))))
         (directory-entries (layout-links layout))))

  (let ((sh "/gnu/store/7rn2da2dnrdg09mla5zbsrg7jvz54hmr-sh"))
    (register-items! store (list (path-info sh (make-string 64 #\0) 1)))
    (test-equal "derivations, with their outputs recorded"
      (map (match-lambda
             ((path contents)
              (cons path
                    (query theirs "select d.id, d.path
                                   from DerivationOutputs d, ValidPaths v
                                   where v.path = ? and d.drv = v.id
                                   order by d.id"
                           path))))
           (read-all "derivations.scm"))
      (map (match-lambda
             ((path contents)
              (let ((path (apply text store (string-drop (basename path) 33)
                                 contents
                                 (map (match-lambda (#(path) path))
                                      (second (recorded theirs path))))))
                (cons path
                      (map (match-lambda ((name . output)
                                          (vector name output)))
                           (query-derivation-outputs store path))))))
           (read-all "derivations.scm")))))


;;
;; Once more, and leftovers.
;;

(with-store store layout
  (test-equal "the same text again is the same file" #t
    (let* ((path (text store "a" "text"))
           (inode (stat:ino (stat (physical layout path)))))
      (and (string=? path (text store "a" "text"))
           (= inode (stat:ino (stat (physical layout path)))))))
  (test-equal "the same archive again is the same tree" #t
    (let* ((path (archive store "tree" tree-archive))
           (inode (stat:ino (stat (physical layout path)))))
      (and (string=? path (archive store "tree" tree-archive))
           (= inode (stat:ino (stat (physical layout path)))))))
  (test-equal "references in any order, twice, are the same"
    (let* ((a (text store "a" "text"))
           (b (text store "b" "text")))
      (text store "c" "text" a b))
    (let* ((a (text store "a" "text"))
           (b (text store "b" "text")))
      (text store "c" "text" b a b)))
  (test-equal "what bears the name without being valid is replaced"
    "text"
    (let* ((path (text-path "/gnu/store" "leftover"
                            (bytevector-hash 'sha256 (string->utf8 "text"))
                            '()))
           (file (physical layout path)))
      (mkdir file)
      (mkdir (string-append file "/sub"))
      (chmod file 0)
      (text store "leftover" "text")
      (call-with-input-file file get-string-all)))
  (test-equal "temporary roots tell collectors of all of them"
    #t
    (let* ((path (text store "rooted" "text"))
           (directory (layout-temporary-roots-directory layout))
           (file (string-append directory "/"
                                (first (directory-entries directory)))))
      (->bool (string-contains (call-with-input-file file get-string-all)
                               (string-append path "\0")))))
  (test-equal "a session's roots end with it" '(#t #f)
    (let* ((directory (layout-temporary-roots-directory layout))
           (rooted?
            (lambda ()
              (->bool
               (any (lambda (name)
                      (string-contains
                       (call-with-input-file (string-append directory "/"
                                                            name)
                         get-string-all)
                       "-in-session"))
                    (directory-entries directory)))))
           (during (call-with-temporary-roots store
                     (lambda ()
                       (text store "in-session" "text")
                       (rooted?)))))
      (list during (rooted?)))))


;;
;; Refused.
;;

(with-store store layout
  (define missing (string-append "/gnu/store/" (make-string 32 #\0) "-none"))

  (test-assert "invalid names"
    (every (lambda (name) (message (text store name "")))
           '("" "." ".a" "a/b" "a b" "a\nb" "é")))
  (test-assert "an invalid name of an archive"
    (message (archive store "../x" tree-archive)))
  (test-equal "a reference that is not valid"
    (string-append "path `" missing "' is not valid")
    (message (text store "a" "" missing)))
  (test-equal "a reference outside the store"
    "path `/etc/passwd' is not valid"
    (message (text store "a" "" "/etc/passwd")))
  (test-assert "a truncated archive"
    (message (archive store "tree"
                      (let ((half (make-bytevector 5000)))
                        (bytevector-copy! tree-archive 0 half 0 5000)
                        half))))
  (test-assert "a directory where a file is wanted"
    (message (archive store "tree" tree-archive #:recursive? #f)))
  (test-equal "what the supplier raises comes through" '(gone away)
    (catch 'gone
      (lambda ()
        (call-with-store-restorer store "tree"
          (lambda (restorer)
            (nar-restore! restorer tree-archive 0 6000)
            (throw 'gone 'away))))
      list))
  (test-assert "derivations that are none"
    (every (lambda (contents) (message (text store "a.drv" contents)))
           '("" "Derive(" "hello" "Derive([],[],[],\"\",\"\",[],[])")))
  (test-assert "nothing of all that is in the store"
    (clean? layout))

  (match (assoc "/gnu/store/i9zf5yfx3gnm8srj4krid0b239h6fmdg-simple.drv"
                (read-all "derivations.scm"))
    ((path contents)
     (let ((sh "/gnu/store/7rn2da2dnrdg09mla5zbsrg7jvz54hmr-sh"))
       (register-items! store (list (path-info sh (make-string 64 #\0) 1)))
       (test-assert "a derivation that lies about its output"
         (string-contains
          (message (text store "simple.drv"
                         (regexp-substitute/global
                          #f "zjkfnhg49xg3alml3p3krsp988wkihyh" contents
                          'pre "00000000000000000000000000000000" 'post)
                         sh))
          "incorrect output"))
       (test-assert "under another name its output is another"
         (string-contains (message (text store "other.drv" contents sh))
                          "incorrect output"))
       (test-assert "is refused before anything is written"
         (clean? layout))))))

(test-end "adding")
