;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The one connection that writes to the database, for any thread.
;;;
;;; Who wants something written queues up.  If nobody is writing, he writes
;;; himself: a single writer waits for no other thread.  Those that queue up
;;; meanwhile share the next transaction, which one of them carries out, each
;;; inside a savepoint of its own: a request that raises is undone alone, and
;;; nobody is told of success before the commit.  If the transaction fails as a
;;; whole, as SQLite ends it when the disk is full, each gets one of its own.
;;; Code:

(define-module (fruix store writer)
  #:use-module (fruix database)
  #:use-module (fruix errors)
  #:use-module ((fruix thread) #:select (notify! with-lock))
  #:use-module (ice-9 match)
  #:use-module (ice-9 threads)
  #:use-module (srfi srfi-9)
  #:export (make-writer
            call-in-writer
            close-writer!))

(define-record-type <writer>
  (%make-writer db mutex changed requests writing? closed?)
  writer?
  (db       writer-db)                     ;connection
  (mutex    writer-mutex)                  ;of all that follows
  (changed  writer-changed)                ;condition variable
  (requests writer-requests set-writer-requests!) ;that wait, last first
  (writing? writer-writing? set-writer-writing?!) ;Boolean: a thread is
  (closed?  writer-closed? set-writer-closed?!))  ;Boolean

(define-record-type <request>
  (make-request procedure answer)
  request?
  (procedure request-procedure)            ;connection -> value
  (answer    request-answer                ;thunk, which returns the value or
             set-request-answer!))         ;raises; #f before

(define (make-writer db)
  "Return a writer for @var{db}, a connection that nobody else uses from now
on."
  (%make-writer db (make-mutex) (make-condition-variable) '() #f #f))


;;
;; Transactions.
;;

(define (perform-alone db request)
  "Carry out @var{request}; return its answer."
  (call-catching
   (lambda ()
     (call-with-transaction db
       (lambda () ((request-procedure request) db))))))

(define (perform-inside db request)
  "Carry out @var{request} in a transaction that goes on; return its answer.
Raise an exception if what it did cannot be undone alone."
  (execute db "savepoint request")
  (with-exception-handler
      (lambda (exception)
        (execute db "rollback to request")
        (execute db "release request")
        (lambda () (raise-exception exception)))
    (lambda ()
      (let ((value ((request-procedure request) db)))
        (execute db "release request")
        (const value)))
    #:unwind? #t))

(define (perform-together db requests)
  (with-exception-handler
      (lambda (exception)
        (map (lambda (request) (perform-alone db request)) requests))
    (lambda ()
      (call-with-transaction db
        (lambda ()
          (map (lambda (request) (perform-inside db request)) requests))))
    #:unwind? #t))

(define (perform db requests)
  "Carry out @var{requests} in one transaction; return their answers."
  (match requests
    ((request) (list (perform-alone db request)))
    (_ (perform-together db requests))))


;;
;; Taking turns.
;;

(define (take-turn! writer request)
  "Wait until @var{request} is answered, and return the empty list; or until
it is this thread's turn to write, and return the requests that wait."
  (with-lock (writer-mutex writer)
    (let loop ()
      (cond ((request-answer request) '())
            ((writer-writing? writer)
             (wait-condition-variable (writer-changed writer)
                                      (writer-mutex writer))
             (loop))
            (else
             (let ((requests (reverse (writer-requests writer))))
               (set-writer-requests! writer '())
               (set-writer-writing?! writer #t)
               requests))))))

(define (answer! writer requests answers)
  (with-lock (writer-mutex writer)
    (for-each set-request-answer! requests answers)
    (set-writer-writing?! writer #f)
    (notify! (writer-changed writer) (writer-mutex writer))))

(define (enqueue! writer request)
  (with-lock (writer-mutex writer)
    (when (writer-closed? writer)
      (fail "the store is closed"))
    (set-writer-requests! writer (cons request (writer-requests writer)))))

(define (call-in-writer writer proc)
  "Call @var{proc} with the writing connection of @var{writer}, inside a
transaction, in this thread or another that is writing.  Return its value once
that is committed, or raise what it raised, in which case nothing it did
remains.  @var{proc} must do nothing else than use the connection: it may be
called again."
  (let ((request (make-request proc #f)))
    (enqueue! writer request)
    (match (take-turn! writer request)
      (() #t)
      (requests
       (answer! writer requests (perform (writer-db writer) requests))))
    ((request-answer request))))

(define (close-writer! writer)
  "Close the connection of @var{writer} after what it was told to do."
  (with-lock (writer-mutex writer)
    (set-writer-closed?! writer #t)
    (let loop ()
      (when (or (writer-writing? writer) (pair? (writer-requests writer)))
        (wait-condition-variable (writer-changed writer)
                                 (writer-mutex writer))
        (loop))))
  (close-database (writer-db writer)))
