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
  #:use-module (ice-9 match)
  #:use-module (ice-9 threads)
  #:use-module (srfi srfi-9)
  #:export (start-writer
            call-in-writer
            stop-writer!))

(define-record-type <writer>
  (make-writer mutex changed queue stopping? thread)
  writer?
  (mutex writer-mutex)
  (changed writer-changed)                 ;condition variable
  (queue writer-queue set-writer-queue!)   ;list of <request>, latest first
  (stopping? writer-stopping? set-writer-stopping?!)
  (thread writer-thread set-writer-thread!))

(define-record-type <request>
  (make-request procedure answered answer)
  request?
  (procedure request-procedure)            ;connection -> value
  (answered request-answered)              ;condition variable
  (answer request-answer                   ;thunk that returns or raises
          set-request-answer!))


;;
;; Transactions.
;;

(define (call-catching proc)
  "Call @var{proc} and return a thunk that returns its value, or raises what it
raised."
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

(define (next-requests writer)
  "Wait for requests and return them in order; none when it is time to stop."
  (with-mutex (writer-mutex writer)
    (let loop ()
      (match (writer-queue writer)
        (()
         (cond ((writer-stopping? writer) '())
               (else
                (wait-condition-variable (writer-changed writer)
                                         (writer-mutex writer))
                (loop))))
        (requests
         (set-writer-queue! writer '())
         (reverse requests))))))

(define (answer! writer requests answers)
  (with-mutex (writer-mutex writer)
    (for-each (lambda (request answer)
                (set-request-answer! request answer)
                (signal-condition-variable (request-answered request)))
              requests answers)))

(define (work writer db)
  (match (next-requests writer)
    (() (close-database db))
    (requests
     (answer! writer requests (perform db requests))
     (work writer db))))

(define (start-writer db)
  "Start the thread that from now on owns @var{db}, the writing connection, and
return the writer."
  (let ((writer (make-writer (make-mutex) (make-condition-variable)
                             '() #f #f)))
    (set-writer-thread! writer
                        (call-with-new-thread (lambda () (work writer db))))
    writer))

(define (call-in-writer writer proc)
  "Have @var{writer} call @var{proc} with the writing connection, inside a
transaction, and wait.  Return its value once that is committed, or raise what
it raised, in which case nothing it did remains."
  (let* ((mutex (writer-mutex writer))
         (request (make-request proc (make-condition-variable) #f))
         (answer (with-mutex mutex
                   (when (writer-stopping? writer)
                     (fail "the store is closed"))
                   (set-writer-queue! writer
                                      (cons request (writer-queue writer)))
                   (signal-condition-variable (writer-changed writer))
                   (let loop ()
                     (or (request-answer request)
                         (begin
                           (wait-condition-variable
                            (request-answered request) mutex)
                           (loop)))))))
    (answer)))

(define (stop-writer! writer)
  "Stop @var{writer} after what it was told to do, and close its connection."
  (with-mutex (writer-mutex writer)
    (set-writer-stopping?! writer #t)
    (signal-condition-variable (writer-changed writer)))
  (join-thread (writer-thread writer)))
