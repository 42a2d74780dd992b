;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Opening a store, and asking a database that a real guix-daemon filled.

(use-modules (fruix database)
             (fruix store)
             ((fruix store handle) #:select (call-for-query))
             (fruix store layout)
             ((fruix store query) #:select (path-id))
             (ice-9 binary-ports)
             (ice-9 match)
             (ice-9 textual-ports)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests support))

(define %dump
  (string-append (getenv "abs_top_srcdir") "/tests/vectors/db.sql"))

(define (shell file sql)
  "Return what the sqlite3 command prints for @var{sql} on the database
@var{file}."
  (program-output "sqlite3" file sql))

(define (perms file)
  (stat:perms (stat file)))

(define (call-with-test-layout proc)
  (call-with-temporary-directory
   (lambda (directory)
     (proc (make-layout #:root directory)))))

(define (file-text file)
  (call-with-input-file file get-string-all))

(define (write-text file text)
  (call-with-output-file file
    (lambda (port) (display text port))))

(define (item name)
  (string-append "/gnu/store/" name))

(define (description db)
  "Return what SQLite says about the tables of the database @var{db}, apart
from the text that declared them."
  (define (rows pragma name)
    (query db (format #f "select * from pragma_~a (?)" pragma) name))
  (define (indexes name)
    (map (lambda (row)
           (list (vector-ref row 2) (vector-ref row 3)
                 (rows "index_info" (vector-ref row 1))))
         (rows "index_list" name)))
  (map (match-lambda
         (#(type name table)
          (list type name table (rows "table_info" name)
                (rows "foreign_key_list" name) (indexes name))))
       (query db "select type, name, tbl_name from sqlite_master
                  order by type, name")))

(define (database-description file)
  (let* ((db (open-database file))
         (result (description db)))
    (close-database db)
    result))

(test-begin "store")


;;
;; Layout.
;;

(let ((layout (make-layout #:root "/r/" #:store-directory "/gnu/store")))
  (test-equal "a root lies under everything but the logical store"
    '("/gnu/store" "/r/gnu/store" "/r/var/guix" "/r/var/log/guix"
      "/r/var/guix/db" "/r/etc/guix" "/r/var/guix/builds"
      "/r/var/guix/daemon-socket/socket" "/r/gnu/store/x/y")
    (list (layout-store layout) (layout-physical-store layout)
          (layout-state-directory layout) (layout-log-directory layout)
          (layout-database-directory layout)
          (layout-configuration-directory layout)
          (layout-temporary-directory layout) (layout-socket layout)
          (physical layout "/gnu/store/x/y")))
  (test-equal "log file of a derivation"
    "/r/var/log/guix/drvs/ab/c-x.drv.gz"
    (log-file-name layout "/gnu/store/abc-x.drv")))

(test-equal "the environment of guix-daemon"
  '("/s" "/s" "/state" "/state/db" "/tmp/builds")
  (let ((names '("NIX_STORE_DIR" "GUIX_STATE_DIRECTORY" "TMPDIR")))
    (define saved (map getenv names))
    (for-each setenv names '("/s" "/state" "/tmp/builds"))
    (let ((layout (layout-from-environment)))
      (for-each setenv names saved)
      (list (layout-store layout) (layout-physical-store layout)
            (layout-state-directory layout)
            (layout-database-directory layout)
            (layout-temporary-directory layout)))))
(test-equal "the older name of the variable, and names that are not canonical"
  '("/" "/a/c" "")
  (let ((names '("NIX_STORE" "GUIX_STATE_DIRECTORY")))
    (define saved (map getenv names))
    (for-each setenv names '("//" "//a/./b/../c/"))
    (let ((layout (layout-from-environment)))
      (for-each setenv names saved)
      (list (string-append (layout-store layout) "/")
            (layout-state-directory layout)
            (layout-root (make-layout #:root "/../."))))))
(test-assert "relative names are refused"
  (string-contains (message-of
                    (lambda () (make-layout #:store-directory "gnu/store")))
                   "absolute"))


;;
;; Opening.
;;

(call-with-test-layout
 (lambda (layout)
   (define store (open-store layout))
   (define state (layout-state-directory layout))

   (test-equal "directories and files have guix-daemon's modes"
     '(#o755 #o755 #o755 #o755 #o644 #o644 #o600 #o600)
     (cons* (perms (layout-physical-store layout))
            (perms (layout-links layout))
            (perms (string-append state "/profiles/per-user"))
            (perms (string-append state "/temproots"))
            (map (lambda (name)
                   (perms (string-append state "/db/" name)))
                 '("db.sqlite" "schema" "reserved" "big-lock"))))
   (test-equal "the schema file has no newline" "7"
     (file-text (layout-schema-file layout)))
   (test-equal "8 MiB are reserved" 8388608
     (stat:size (stat (string-append state "/db/reserved"))))
   (test-assert "in a form that no file system can make smaller"
     (call-with-input-file (string-append state "/db/reserved")
       (lambda (port)
         (let ((pieces (map (lambda (_) (get-bytevector-n port 65536))
                            (iota 128))))
           (= 128 (length (delete-duplicates pieces)))))
       #:binary #t))
   (test-equal "profiles are roots" (string-append state "/profiles")
     (readlink (string-append state "/gcroots/profiles")))
   (test-equal "the journal is a write-ahead log" "wal\n"
     (shell (layout-database layout) "pragma journal_mode"))

   (test-equal "the tables are those of guix-daemon" '(#t #t)
     (call-with-temporary-directory
      (lambda (directory)
        (let ((file (string-append directory "/db")))
          (shell file (string-append ".read " %dump))
          (let ((theirs (database-description file))
                (ours (database-description (layout-database layout))))
            (list (equal? theirs ours) (< 8 (length ours))))))))

   (test-equal "a new store is empty" '() (all-valid-paths store))

   (let ((staging (find (lambda (name) (string-prefix? ".fruix-" name))
                        (directory-entries (layout-physical-store layout)))))
     (test-equal "nobody else can enter where items are made" #o700
       (perms (string-append (layout-physical-store layout) "/" staging)))
     (test-equal "and no collector deletes it"
       (string-append "/gnu/store/" staging "\0")
       (file-text (string-append
                   state "/temproots/"
                   (first (directory-entries
                           (string-append state "/temproots")))))))

   (close-store! store)
   (test-equal "closing leaves nothing behind" '((".links") ())
     (list (directory-entries (layout-physical-store layout))
           (directory-entries (string-append state "/temproots"))))
   (test-assert "nor is it kept from closing by who deleted its files"
     (let ((store (open-store layout))
           (roots (layout-temporary-roots-directory layout)))
       (for-each (lambda (name)
                   (delete-file (string-append roots "/" name)))
                 (directory-entries roots))
       (close-store! store)
       #t))
   (test-equal "nor a journal beside the database"
     '("big-lock" "db.sqlite" "durable" "durable.lock" "reserved" "schema")
     (directory-entries (layout-database-directory layout)))
   (test-assert "a closed store says so"
     (string-contains (message-of
                       (lambda () (record-failed-paths! store '("/x"))))
                      "closed"))

   (test-equal "opened again, twice at once" '(() ())
     (let* ((one (open-store layout))
            (two (open-store layout)))
       (close-store! one)
       (let ((answer (list (all-valid-paths two) (failed-paths two))))
         (close-store! two)
         answer)))))

(define (opening-error prepare)
  "Return what opening a store says after @var{prepare} changed its layout."
  (call-with-test-layout
   (lambda (layout)
     (close-store! (open-store layout))
     (prepare layout)
     (message-of (lambda () (open-store layout))))))

(test-assert "a newer schema is refused"
  (string-contains (opening-error
                    (lambda (layout)
                      (write-text (layout-schema-file layout) "8")))
                   "version 8"))
(test-assert "an older schema is refused"
  (string-contains (opening-error
                    (lambda (layout)
                      (write-text (layout-schema-file layout) "6")))
                   "db.sqlite' has schema version 6, which is too old"))
(test-assert "what is no database is refused"
  (string-contains (opening-error
                    (lambda (layout)
                      (write-text (layout-database layout)
                                  (make-string 8192 #\x))))
                   "db.sqlite: file is not a database"))
(test-assert "a schema file with a newline is corrupt"
  (string-contains (opening-error
                    (lambda (layout)
                      (write-text (layout-schema-file layout) "7\n")))
                   "corrupt"))
(test-assert "a lost database is not replaced by an empty one"
  (string-contains (opening-error
                    (lambda (layout)
                      (delete-file (layout-database layout))))
                   "missing"))
(test-assert "a store that is a symbolic link is refused"
  (string-contains (opening-error
                    (lambda (layout)
                      (let ((gnu (string-append (layout-root layout)
                                                "/gnu")))
                        (rename-file gnu (string-append gnu ".real"))
                        (symlink "gnu.real" gnu))))
                   "symbolic link"))
(test-equal "after a failure the store is not in use" #t
  (call-with-test-layout
   (lambda (layout)
     (close-store! (open-store layout))
     (write-text (layout-schema-file layout) "8")
     (message-of (lambda () (open-store layout)))
     (write-text (layout-schema-file layout) "7")
     (close-store! (open-store layout))
     (equal? '(".links")
             (directory-entries (layout-physical-store layout))))))

(define (try-to-open layout descriptors)
  "Return whether the store of LAYOUT can be opened with so many DESCRIPTORS;
close it."
  (let ((store (call-with-descriptors descriptors
                 (lambda ()
                   (false-if-exception (open-store layout))))))
    (when store (close-store! store))
    (->bool store)))

(call-with-test-layout
 (lambda (layout)
   (close-store! (open-store layout))
   (gc)
   (let* ((before (count-descriptors (getpid)))
          (opened (map (lambda (more) (try-to-open layout (+ before more)))
                       (iota 60))))
     (test-equal "it is opened if there are descriptors enough" '(#f #t)
       (list (first opened) (last opened)))
     (test-assert "what opening has begun is undone wherever it fails"
       (wait-until
        (lambda ()
          (>= before (count-descriptors (getpid))))))
     (test-equal "nothing of it is in the store" '(".links")
       (directory-entries (layout-physical-store layout))))))


;;
;; Queries.
;;

(call-with-test-layout
 (lambda (layout)
   (close-store! (open-store layout))
   (delete-file (layout-database layout))
   (shell (layout-database layout) (string-append ".read " %dump))
   (call-with-store layout
     (lambda (store)
       (define refs (item "s41b1zva5cd51d49pkar5qw3xayy03dx-refs"))
       (define hello (item "k9pad896kygyvpxli7f20bkl9813p9y4-hello.txt"))
       (define empty (item "10vvmw4rs15w4nw32yd0555fblakzj6j-empty"))
       (define depends (item "jmaxr2vx0g8bf356crqrzliszzi87a4v-depends"))
       (define multi-drv (item "b1aq1bnvsvql4y7pmv13pr75gy6a9qxl-multi.drv"))
       (define none (item "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz-none"))

       (test-equal "valid-path?" '(#t #f #f)
         (map (lambda (path) (valid-path? store path))
              (list hello none "' or 1 --")))
       (test-equal "valid-paths" (list hello refs)
         (valid-paths store (list hello none refs)))
       (test-equal "all valid paths, sorted"
         (shell (layout-database layout)
                "select path from ValidPaths order by path")
         (string-concatenate
          (map (lambda (path) (string-append path "\n"))
               (all-valid-paths store))))
       (test-equal "path info"
         (list depends "d826945c1c7adf839226a5f0b718f52f7d6c4a83b6edaef9c3449\
7447d158a56"
               272 (item "xdhh23jg6b6qxf7m1pzpl6gvb5l8cz76-depends.drv")
               1795316485
               (map item
                    '("nac7fzni3hjdaca84jr946mc1qkf42sc-fixed-flat"
                      "pk193n1h4r69hvcd45zhbqydaf98laa3-multi-doc"
                      "zjkfnhg49xg3alml3p3krsp988wkihyh-simple")))
         (let ((info (query-path-info store depends)))
           (list (path-info-path info) (path-info-hash info)
                 (path-info-nar-size info) (path-info-deriver info)
                 (path-info-registration-time info)
                 (path-info-references info))))
       (test-equal "path info without references and deriver" '(() #f)
         (let ((info (query-path-info store hello)))
           (list (path-info-references info) (path-info-deriver info))))
       (test-equal "no path info" #f (query-path-info store none))
       (test-equal "references" (list (list empty hello) '())
         (list (references store refs) (references store hello)))
       (test-equal "references of an invalid path"
         (string-append "path `" none "' is not valid")
         (message-of (lambda () (references store none))))
       (test-equal "no later query sees the snapshot of one that raised"
         (list 'stop (list none))
         (let ((key (key-of
                     (lambda ()
                       (call-for-query store
                         (lambda (db)
                           (call-with-snapshot db
                             (lambda ()
                               (path-id db hello)
                               (throw 'stop)))))))))
           (record-failed-paths! store (list none))
           (let ((failed (failed-paths store)))
             (clear-failed-paths! store (list none))
             (list key failed))))
       (test-equal "referrers" (list (list refs) '())
         (list (referrers store empty) (referrers store none)))
       (test-equal "derivers"
         (list (list multi-drv) '())
         (list (valid-derivers store (item "qvn8l862wqpbypwyj7vww0v3kc63i03j\
-multi-lib"))
               (valid-derivers store hello)))
       (test-equal "outputs of a derivation"
         (map (match-lambda ((name . base) (cons name (item base))))
              '(("doc" . "pk193n1h4r69hvcd45zhbqydaf98laa3-multi-doc")
                ("lib" . "qvn8l862wqpbypwyj7vww0v3kc63i03j-multi-lib")
                ("out" . "81fhgzapf2pvx8lgjjv276k4ab56vdpi-multi")))
         (query-derivation-outputs store multi-drv))
       (test-equal "outputs of an invalid derivation"
         (string-append "path `" none "' is not valid")
         (message-of (lambda () (query-derivation-outputs store none))))
       (test-equal "hash parts"
         (list hello #f #f)
         (map (lambda (part) (path-from-hash-part store part))
              '("k9pad896kygyvpxli7f20bkl9813p9y4"
                "k9pad896kygyvpxli7f20bkl9813p9y0"
                "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz")))
       (test-equal "a hash part of 31 characters" "invalid hash part"
         (message-of (lambda ()
                       (path-from-hash-part
                        store "k9pad896kygyvpxli7f20bkl9813p9y"))))
       (test-equal "closure" (sort (list refs empty hello) string<?)
         (closure store (list refs)))
       (test-equal "closure of two, one in the other's, and of none"
         (list (sort (list refs empty hello) string<?) '())
         (list (closure store (list refs hello)) (closure store '())))
       (test-equal "closure of an invalid path"
         (string-append "path `" none "' is not valid")
         (message-of (lambda () (closure store (list refs none)))))

       (test-equal "failed paths are recorded once and cleared one by one"
         (list (sort (list none depends) string<?) (list depends) '())
         (begin
           (record-failed-paths! store (list none depends))
           (record-failed-paths! store (list none))
           (let ((both (failed-paths store)))
             (clear-failed-paths! store (list none))
             (let ((one (failed-paths store)))
               (clear-failed-paths! store '("*"))
               (list both one (failed-paths store))))))
       (test-equal "a derivation clears its outputs" '()
         (begin
           (record-failed-paths! store (list depends))
           (clear-failed-paths!
            store (list (path-info-deriver (query-path-info store depends))))
           (failed-paths store)))))))

(test-end "store")
