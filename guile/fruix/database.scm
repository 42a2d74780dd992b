;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; SQLite databases.
;;;
;;; A connection serves one thread at a time; another that uses it meanwhile
;;; gets a 'system-error' (EBUSY).  Text goes in and comes out as octet
;;; strings, NULL as #f.  SQL texts are compiled once a connection and kept:
;;; they are constants of the program, the same objects each time; whatever
;;; varies is an argument.
;;; Code:

(define-module (fruix database)
  #:use-module ((fruix descriptors) #:select (wait-milliseconds))
  #:use-module ((fruix errors) #:select (on-failure unless-errno))
  #:use-module (fruix primitives)
  #:use-module (srfi srfi-9)
  #:export (open-database
            close-database
            query
            query-sorted
            execute
            numbers->json
            call-with-snapshot
            call-with-transaction))

(define-record-type <database>
  (make-database handle statements)
  database?
  (handle database-handle)              ;of the primitives
  (statements database-statements))     ;hash table: SQL -> its number there

(define* (open-database file #:key read-only? create?)
  "Open the SQLite database @var{file} and return a connection to it.  With
@var{read-only?}, no statement can change it; with @var{create?}, the file is
created when it is missing.  Raise a @code{system-error} when it cannot be
opened; that it is no database may only be found by the first query."
  (make-database (%sqlite3-open file (cond (read-only? "ro")
                                           (create? "rwc")
                                           (else "rw")))
                 (make-hash-table)))

(define (close-database database)
  "Close the connection @var{database}.  Using it afterwards is an error."
  (%sqlite3-close (database-handle database)))

(define (statement database sql)
  "Return the number that SQL has for DATABASE's handle."
  (define statements (database-statements database))
  ;; By identity: to hash an SQL text takes longer than to find an item.
  (or (hashq-ref statements sql)
      (let ((number (%sqlite3-prepare (database-handle database) sql)))
        (hashq-set! statements sql number)
        number)))

(define (query database sql . arguments)
  "Run @var{sql}, one statement, on the connection @var{database} and return
its result: a list of rows, each a vector of integers, octet strings and
@code{#f}.  @var{arguments}, values of the same kinds, take the places of its
question marks.  Raise a @code{system-error} that tells SQLite's message;
its errno is @code{EAGAIN} when the database stayed busy, @code{EINVAL} for a
violated constraint, @code{EIO} for a file that is corrupt."
  (%sqlite3-query (database-handle database) (statement database sql)
                  arguments))

(define (query-sorted database sql . arguments)
  "Run @var{sql}, which has one column of text, as @code{query} does, and
return the texts as a list in the order of their bytes, after @code{#f} for
each NULL.  SQLite takes much longer to sort few of them."
  (%sqlite3-query-sorted (database-handle database) (statement database sql)
                         arguments))

(define (execute database sql . arguments)
  "Run @var{sql} on @var{database} as @code{query} does, for effect."
  (apply query database sql arguments)
  *unspecified*)

(define (numbers->json numbers)
  "Return the list @var{numbers} of integers as one argument, for SQLite's
@code{json_each}."
  (string-append "[" (string-join (map number->string numbers) ",") "]"))

(define (begin-immediate database)
  "Begin a write transaction on @var{database}, however long others hold it."
  (unless (unless-errno (list EAGAIN) #f
            (lambda ()
              (execute database "begin immediate")
              #t))
    (wait-milliseconds (random 100))
    (begin-immediate database)))

(define (call-with-transaction database thunk)
  "Call @var{thunk} in a write transaction on @var{database} and return its
value once that is committed.  When it raises, nothing it did remains."
  (begin-immediate database)
  (on-failure (lambda ()
                ;; SQLite has rolled back by itself after some errors.
                (false-if-exception (execute database "rollback")))
    (lambda ()
      (let ((value (thunk)))
        (execute database "commit")
        value))))

(define (call-with-snapshot database thunk)
  "Call @var{thunk}, whose queries to @var{database} all see the same state of
it, and return its value.  When it raises, nothing can be done with
@var{database} but to close it."
  ;; Rolling back would need a handler, which takes longer than a query.
  (execute database "begin")
  (let ((value (thunk)))
    (execute database "commit")
    value))
