;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The gate between those who want to keep names and the one who deletes them.
;;;
;;; The deleting thread chooses names in small lots.  While a lot is being
;;; deleted its names are doomed: whoever wants to keep one of them waits until
;;; it is gone.  Everybody else passes at once, and what he keeps is in no
;;; later lot.
;;; Code:

(define-module (fruix store gate)
  #:use-module ((fruix thread) #:select (notify! with-lock))
  #:use-module (ice-9 threads)
  #:use-module ((srfi srfi-1) #:select (any))
  #:use-module (srfi srfi-9)
  #:export (make-gate
            call-at-gate
            call-with-doomed))

(define-record-type <gate>
  (%make-gate mutex changed doomed)
  gate?
  (mutex gate-mutex)
  (changed gate-changed)                   ;condition variable
  (doomed gate-doomed set-gate-doomed!))   ;hash table: name -> #t

(define (make-gate)
  "Return a gate at which no name is doomed."
  (%make-gate (make-mutex) (make-condition-variable) (make-hash-table)))

(define (call-at-gate gate names thunk)
  "Wait until none of @var{names}, a list of strings, is doomed; then call
@var{thunk}, while nobody else is called at @var{gate} and no name is chosen,
and return its value."
  (define (doomed? name)
    (hash-ref (gate-doomed gate) name))
  (with-lock (gate-mutex gate)
    (let loop ()
      (when (any doomed? names)
        (wait-condition-variable (gate-changed gate) (gate-mutex gate))
        (loop)))
    (thunk)))

(define (names->table names)
  (let ((table (make-hash-table)))
    (for-each (lambda (name) (hash-set! table name #t)) names)
    table))

(define (doom! gate choose name-of)
  (with-lock (gate-mutex gate)
    (let ((chosen (choose)))
      (set-gate-doomed! gate (names->table (map name-of chosen)))
      chosen)))

(define (spare! gate)
  (with-lock (gate-mutex gate)
    (set-gate-doomed! gate (make-hash-table))
    (notify! (gate-changed gate) (gate-mutex gate))))

(define (call-with-doomed gate choose name-of proc)
  "Call @var{proc} with the list that @var{choose}, a thunk called as at
@var{gate}, returns, and return its value.  The names of its members, strings
that the procedure @var{name-of} tells, are doomed until @var{proc} returns or
raises.  One thread does this at a time."
  (let ((chosen (doom! gate choose name-of)))
    (dynamic-wind
      (const #t)
      (lambda () (proc chosen))
      (lambda () (spare! gate)))))
