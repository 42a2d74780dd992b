;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; The SQLite binding, on real files; sqlite3's shell is the second opinion.

(use-modules (fruix database)
             (fruix primitives)
             (fruix thread)
             (ice-9 textual-ports)
             (ice-9 threads)
             (srfi srfi-64)
             (tests support))

(define (run-tests directory)
  (define (file name)
    (string-append directory "/" name))

  (define (shell-output sql)
    "Return what the sqlite3 command prints for @var{sql}."
    (program-output "sqlite3" (file "db") sql))

  (define db (open-database (file "db") #:create? #t))

  (execute db "create table t (name text unique, size integer)")
  (execute db "insert into t values (?, ?)" "a" 1)
  (execute db "insert into t values (?, ?)" "\xff\x00;'\xe9" (ash 1 62))
  (execute db "insert into t values (?, ?)" #f -1)

  (test-equal "rows are vectors of octet strings, integers and #f"
    (list (vector "a" 1) (vector "\xff\x00;'\xe9" (ash 1 62)) (vector #f -1))
    (query db "select name, size from t order by rowid"))
  (test-equal "sorted by bytes, after NULL" '(#f "" "a" "ab" "\xff")
    (query-sorted db "select 'ab' union all select ? union all select ''
                      union all select 'a' union all select ?"
                  "\xff" #f))
  (test-equal "no rows" '()
    (query db "select name from t where name = ?" "'; drop table t; --"))
  (test-equal "sqlite3's shell reads the same bytes"
    "61|1\nFF003B27E9|4611686018427387904\n|-1\n"
    (shell-output "select hex(name), size from t order by rowid"))

  (test-equal "a constraint is EINVAL" EINVAL
    (errno-of (lambda () (execute db "insert into t values ('a', 2)"))))
  (test-assert "an error quotes the statement and the cause"
    (let ((message (message-of
                    (lambda ()
                      (execute db "insert into t values ('a', 2)")))))
      (and (string-contains message "insert into t")
           (string-contains message "UNIQUE constraint failed"))))
  (test-equal "the statement works again after its error" '(#(3))
    (query db "select count(*) from t"))
  (test-equal "bad SQL is EINVAL" EINVAL
    (errno-of (lambda () (query db "selekt"))))
  (test-equal "too few arguments are EINVAL" EINVAL
    (errno-of (lambda () (query db "select ?, ?" 1))))
  (test-equal "an integer above 64 bits" 'out-of-range
    (key-of (lambda () (query db "select ?" (ash 1 64)))))
  (test-equal "a character that is no octet" 'encoding-error
    (key-of (lambda () (query db "select ?" "λ"))))
  (test-equal "nothing alive after the errors" 0 (%live-requests))

  (test-equal "a transaction's value" 'done
    (call-with-transaction db
      (lambda ()
        (execute db "insert into t values ('b', 2)")
        'done)))
  (test-equal "a transaction that raises leaves nothing, raises the same"
    '((stop) (#(4)))
    (list (catch 'stop
            (lambda ()
              (call-with-transaction db
                (lambda ()
                  (execute db "insert into t values ('c', 3)")
                  (throw 'stop))))
            list)
          (query db "select count(*) from t")))

  (test-equal "read-only" EROFS
    (let ((reader (open-database (file "db") #:read-only? #t)))
      (errno-of (lambda () (execute reader "delete from t")))))
  (test-equal "a missing file" ENOENT
    (errno-of (lambda () (open-database (file "none")))))
  (test-equal "a file that is no database" EIO
    (begin
      (call-with-output-file (file "junk")
        (lambda (port) (display (make-string 4096 #\x) port)))
      (errno-of (lambda ()
                  (query (open-database (file "junk"))
                         "select * from sqlite_master")))))
  (test-equal "busy is EAGAIN" EAGAIN
    (let ((other (open-database (file "db"))))
      (call-with-transaction db
        (lambda ()
          (errno-of (lambda () (execute other "begin immediate")))))))

  (test-equal "a writer waits for the other one, in either thread" '(#(200))
    (begin
      ;; Without a log, who waits to write may be in the way of a commit.
      (query db "pragma journal_mode = wal")
      (execute db "delete from t")
      (for-each
       join-thread
       (map (lambda (i)
              (start-thread
               (lambda ()
                 (let ((db (open-database (file "db"))))
                   (query db "pragma busy_timeout = 1")
                   (do ((j 0 (+ j 1)))
                       ((= j 100))
                     (call-with-transaction db
                       (lambda ()
                         (execute db "insert into t values (?, ?)" #f j))))
                   (close-database db)))))
            '(1 2)))
      (query db "select count(*) from t")))

  (test-equal "a closed database is EBADF" EBADF
    (let ((other (open-database (file "db"))))
      (close-database other)
      (errno-of (lambda () (query other "select 1")))))
  (test-equal "not a database" 'wrong-type-arg
  (key-of (lambda () (query 12 "select 1"))))

  (close-database db))

(test-begin "database")
(call-with-temporary-directory run-tests)
(test-end "database")
