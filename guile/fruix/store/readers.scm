;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; A pool of connections that read the database, for any thread.
;;; Code:

(define-module (fruix store readers)
  #:use-module (fruix database)
  #:use-module ((fruix store schema) #:select (open-reader))
  #:use-module (ice-9 atomic)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-9)
  #:export (make-readers
            call-with-reader
            close-readers!))

;; Connections kept for later; each has a cache of pages and statements.
(define %maximum-idle 4)

(define-record-type <readers>
  (%make-readers layout idle)
  readers?
  (layout readers-layout)                  ;<layout>
  (idle readers-idle))                     ;atomic box: list of connections

(define (make-readers layout)
  "Return an empty pool of connections to the database of @var{layout}."
  (%make-readers layout (make-atomic-box '())))

(define (take! readers)
  (define box (readers-idle readers))
  (let loop ((idle (atomic-box-ref box)))
    (match idle
      (() (open-reader (readers-layout readers)))
      ((db . rest)
       (let ((found (atomic-box-compare-and-swap! box idle rest)))
         (if (eq? found idle)
             db
             (loop found)))))))

(define (give-back! readers db)
  (define box (readers-idle readers))
  (let loop ((idle (atomic-box-ref box)))
    (if (= (length idle) %maximum-idle)
        (close-database db)
        (let ((found (atomic-box-compare-and-swap! box idle (cons db idle))))
          (unless (eq? found idle)
            (loop found))))))

(define (call-with-reader readers proc)
  "Call @var{proc} with a connection of the pool @var{readers}, which no other
thread has meanwhile, and return its value."
  (define db (take! readers))
  (define done? #f)
  (dynamic-wind
    (const #t)
    (lambda ()
      (let ((value (proc db)))
        (set! done? #t)
        value))
    (lambda ()
      ;; Left by an exception, it may be in the midst of a snapshot.
      (if done?
          (give-back! readers db)
          (close-database db)))))

(define (close-readers! readers)
  "Close the connections that are idle in the pool @var{readers}."
  (for-each close-database (atomic-box-swap! (readers-idle readers) '())))
