;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; A pool of connections that read the database, for any thread.
;;; Code:

(define-module (fruix store readers)
  #:use-module (fruix database)
  #:use-module ((fruix store schema) #:select (open-reader))
  #:use-module (ice-9 match)
  #:use-module (ice-9 threads)
  #:use-module (srfi srfi-9)
  #:export (make-readers
            call-with-reader
            close-readers!))

;; Connections kept for later; each has a cache of pages and statements.
(define %maximum-idle 4)

(define-record-type <readers>
  (%make-readers layout mutex idle)
  readers?
  (layout readers-layout)                  ;<layout>
  (mutex readers-mutex)
  (idle readers-idle set-readers-idle!))   ;list of connections

(define (make-readers layout)
  "Return an empty pool of connections to the database of @var{layout}."
  (%make-readers layout (make-mutex) '()))

(define (take! readers)
  (or (with-mutex (readers-mutex readers)
        (match (readers-idle readers)
          (() #f)
          ((db . rest)
           (set-readers-idle! readers rest)
           db)))
      (open-reader (readers-layout readers))))

(define (give-back! readers db)
  (unless (with-mutex (readers-mutex readers)
            (let ((idle (readers-idle readers)))
              (and (< (length idle) %maximum-idle)
                   (begin
                     (set-readers-idle! readers (cons db idle))
                     #t))))
    (close-database db)))

(define (call-with-reader readers proc)
  "Call @var{proc} with a connection of the pool @var{readers}, which no other
thread has meanwhile, and return its value."
  (let ((db (take! readers)))
    (dynamic-wind
      (const #t)
      (lambda () (proc db))
      (lambda () (give-back! readers db)))))

(define (close-readers! readers)
  "Close the connections that are idle in the pool @var{readers}."
  (with-mutex (readers-mutex readers)
    (for-each close-database (readers-idle readers))
    (set-readers-idle! readers '())))
