;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Requests to write to a database that share a transaction.

(use-modules (fruix database)
             (fruix errors)
             (fruix mailbox)
             (fruix store writer)
             (fruix thread)
             (ice-9 exceptions)
             (ice-9 match)
             (ice-9 threads)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests support))

(define (call-with-test-writer proc)
  "Call PROC with a writer for a database in which there is room for little
more than a table with numbers, and a second connection to that."
  (call-with-temporary-directory
   (lambda (directory)
     (let* ((file (string-append directory "/db"))
            (db (open-database file #:create? #t)))
       (query db "pragma journal_mode = wal")
       (execute db "create table Items (id integer primary key, data text)")
       (query db "pragma max_page_count = 8")
       (let ((writer (make-writer db))
             (reader (open-database file #:read-only? #t)))
         (dynamic-wind
           (const #t)
           (lambda () (proc writer reader))
           (lambda ()
             (close-database reader)
             (close-writer! writer))))))))

(define (insert id . size)
  "Return a procedure that inserts a row, which takes SIZE bytes."
  (lambda (db)
    (execute db "insert into Items values (?, ?)" id
             (make-string (apply + size) #\x))
    id))

(define (outcome writer proc)
  "Return the value of PROC, called in WRITER, or what its failure has to tell."
  (guard (exception (#t (exception->text exception)))
    (call-in-writer writer proc)))

(define (waiting writer)
  (length ((@@ (fruix store writer) writer-requests) writer)))

(define (outcomes-together writer procedures)
  "Return what comes of PROCEDURES, which share a transaction of WRITER."
  (define go (make-mailbox))
  (define busy
    (start-thread
     (lambda ()
       (call-in-writer writer (lambda (db) (mailbox-get! go))))))
  (wait-until (lambda () ((@@ (fruix store writer) writer-writing?) writer)))
  (let ((threads
         (map (lambda (proc number)
                (let ((thread (start-thread
                               (lambda () (outcome writer proc)))))
                  (wait-until (lambda () (= number (waiting writer))))
                  thread))
              procedures
              (iota (length procedures) 1))))
    (mailbox-put! go #t)
    (join-thread busy)
    (map join-thread threads)))

(define (rows reader)
  (map (match-lambda (#(id) id))
       (query reader "select id from Items order by id")))

(test-begin "writer")

(call-with-test-writer
 (lambda (writer reader)
   (test-equal "a request that raises is undone alone"
     '((1 "no" 3) (1 3))
     (let ((outcomes (outcomes-together
                      writer
                      (list (insert 1)
                            (lambda (db)
                              ((insert 2) db)
                              (fail "no"))
                            (insert 3)))))
       (list outcomes (rows reader))))
   (test-equal "also if the disk is full, when SQLite undoes everything"
     '((4 "sqlite3_step: database or disk is full: \
insert into Items values (?, ?): No space left on device"
          6)
       (1 3 4 6))
     (let ((outcomes (outcomes-together
                      writer
                      (list (insert 4) (insert 5 100000) (insert 6)))))
       (list outcomes (rows reader))))
   (test-equal "the next request finds all in order"
     '(7 (1 3 4 6 7))
     (let ((outcome (outcome writer (insert 7))))
       (list outcome (rows reader))))))

(test-end "writer")
