;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The one thread that writes to the database.
;;;
;;; Others send it procedures and wait.  Those that queue up while it works
;;; share the next transaction, each inside a savepoint of its own: one that
;;; raises is undone alone, and nobody is told of success before the commit.
;;; Code:

(define-module (fruix store writer)
  #:use-module (fruix database)
  #:use-module (fruix errors)
  #:use-module (fruix mailbox)
  #:use-module (fruix thread)
  #:use-module (ice-9 match)
  #:use-module (ice-9 threads)
  #:use-module (srfi srfi-9)
  #:export (start-writer
            call-in-writer
            stop-writer!))

(define-record-type <writer>
  (make-writer mailbox thread)
  writer?
  (mailbox writer-mailbox)                 ;of <request>s
  (thread  writer-thread))

(define-record-type <request>
  (make-request procedure answer)
  request?
  (procedure request-procedure)            ;connection -> value
  (answer    request-answer))              ;mailbox for a thunk, which returns
                                           ;the value or raises


;;
;; Transactions.
;;

(define (call-catching proc)
  "Call @var{proc} and return a thunk that returns its value, or raises what
it raised."
  (with-exception-handler
      (lambda (exception)
        (lambda () (raise-exception exception)))
    (lambda ()
      (let ((value (proc)))
        (const value)))
    #:unwind? #t))

(define (call-with-savepoint db thunk)
  "Call @var{thunk} such that what it did is undone when it raises, while the
surrounding transaction goes on."
  (execute db "savepoint request")
  (with-exception-handler
      (lambda (exception)
        (execute db "rollback to request")
        (execute db "release request")
        (raise-exception exception))
    (lambda ()
      (let ((value (thunk)))
        (execute db "release request")
        value))
    #:unwind? #t))

(define (perform-alone db request)
  (call-catching
   (lambda ()
     (call-with-transaction db
       (lambda () ((request-procedure request) db))))))

(define (perform-together db requests)
  (define (perform request)
    (call-catching
     (lambda ()
       (call-with-savepoint db
         (lambda () ((request-procedure request) db))))))
  (with-exception-handler
      (lambda (exception)
        (map (const (lambda () (raise-exception exception))) requests))
    (lambda ()
      (call-with-transaction db (lambda () (map perform requests))))
    #:unwind? #t))

(define (perform db requests)
  "Carry out @var{requests} in one transaction; return their answers."
  (match requests
    ((request) (list (perform-alone db request)))
    (_ (perform-together db requests))))


;;
;; The thread.
;;

(define (next-requests mailbox)
  "Wait for requests in @var{mailbox} and return all there are, in order; none
when it is closed."
  (let loop ((timeout #f) (requests '()))
    (match (mailbox-get! mailbox #:timeout timeout)
      ((? request? request) (loop 0 (cons request requests)))
      (_ (reverse requests)))))

(define (work mailbox db)
  (match (next-requests mailbox)
    (() (close-database db))
    (requests
     (for-each (lambda (request answer)
                 (mailbox-put! (request-answer request) answer))
               requests (perform db requests))
     (work mailbox db))))

(define (start-writer db)
  "Start the thread that from now on owns @var{db}, the writing connection,
and return the writer."
  (let ((mailbox (make-mailbox)))
    (make-writer mailbox
                 (start-thread (lambda () (work mailbox db))))))

(define (call-in-writer writer proc)
  "Have @var{writer} call @var{proc} with the writing connection, inside a
transaction, and wait.  Return its value once that is committed, or raise what
it raised, in which case nothing it did remains."
  (let ((answer (make-mailbox)))
    (unless (mailbox-put! (writer-mailbox writer) (make-request proc answer))
      (fail "the store is closed"))
    ((mailbox-get! answer))))

(define (stop-writer! writer)
  "Stop @var{writer} after what it was told to do, and close its connection."
  (mailbox-close! (writer-mailbox writer))
  (join-thread (writer-thread writer)))
