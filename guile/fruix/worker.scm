;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Threads that are used again.  Starting one with a large stack takes a
;;; third of a millisecond, of which a short build has only a few.
;;;
;;; 1. A worker does one thing at a time, from beginning to end.
;;; 2. As many as were busy at once stay, up to a limit; what comes when all
;;;    are busy gets a new one, and never waits.
;;; Code:

(define-module (fruix worker)
  #:use-module ((fruix thread) #:select (notify! start-thread with-lock))
  #:use-module (ice-9 match)
  #:use-module (ice-9 threads)
  #:use-module (srfi srfi-9)
  #:export (run-in-worker))

(define-record-type <worker>
  (make-worker given task)
  worker?
  (given worker-given)                      ;condition variable: there is one
  (task worker-task set-worker-task!))      ;thunk | #f

(define %maximum-idle 16)

(define %mutex (make-mutex))                ;guards these and all tasks
(define %idle '())                          ;workers without a task

(define (employ! task)
  "Give TASK to an idle worker and return true, unless there is none."
  (with-lock %mutex
    (match %idle
      (() #f)
      ((worker . rest)
       (set! %idle rest)
       (set-worker-task! worker task)
       (notify! (worker-given worker) %mutex)
       #t))))

(define (next-task! worker)
  "Let WORKER be idle until there is a task, and return that; or return #f if
there are enough idle workers."
  (with-lock %mutex
    (and (< (length %idle) %maximum-idle)
         (begin
           (set-worker-task! worker #f)
           (set! %idle (cons worker %idle))
           (let wait ()
             (or (worker-task worker)
                 (begin
                   (wait-condition-variable (worker-given worker) %mutex)
                   (wait))))))))

(define (work worker task)
  (when task
    (task)
    (work worker (next-task! worker))))

(define (run-in-worker thunk)
  "Call @var{thunk} in another thread, with the parameters of this one.  It
raises no exceptions: one would end the thread."
  (let* ((state (current-dynamic-state))
         (task (lambda () (with-dynamic-state state thunk))))
    (unless (employ! task)
      (start-thread
       (lambda ()
         (work (make-worker (make-condition-variable) #f) task))))
    *unspecified*))
