;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What is to be cleaned up when somebody has an answer already: nobody waits
;;; for the disk to forget something.
;;;
;;; 1. What is there to clean up does not grow faster than it goes: beyond a
;;;    number, who leaves something behind cleans up himself.
;;; 2. It can be waited for.
;;; Code:

(define-module (fruix store clean-ups)
  #:use-module (fruix errors)
  #:use-module ((fruix thread) #:select (notify! with-lock))
  #:use-module (fruix worker)
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 threads)
  #:use-module (srfi srfi-9)
  #:export (make-clean-ups
            clean-up-later!
            await-clean-ups))

(define-record-type <clean-ups>
  (%make-clean-ups mutex changed number)
  clean-ups?
  (mutex clean-ups-mutex)                  ;of NUMBER
  (changed clean-ups-changed)              ;condition variable: it has changed
  (number clean-ups-number set-clean-ups-number!)) ;of those that go on

(define %maximum 8)

(define (make-clean-ups)
  "Return what keeps track of clean-ups, of which there are none yet."
  (%make-clean-ups (make-mutex) (make-condition-variable) 0))

(define (change! clean-ups number)
  (set-clean-ups-number! clean-ups (+ number (clean-ups-number clean-ups)))
  (notify! (clean-ups-changed clean-ups) (clean-ups-mutex clean-ups)))

(define (begin! clean-ups)
  "Return true if there may be one more, which then is counted."
  (with-lock (clean-ups-mutex clean-ups)
    (and (< (clean-ups-number clean-ups) %maximum)
         (begin
           (change! clean-ups 1)
           #t))))

(define (end! clean-ups)
  (with-lock (clean-ups-mutex clean-ups)
    (change! clean-ups -1)))

(define (clean-up-later! clean-ups thunk)
  "Have @var{thunk} called soon, as one of @var{clean-ups}: in another thread
or, if too many are busy or none can be started, in this one.  What it raises
is reported as a warning."
  (define (clean-up)
    (guard (exception (#t (write-warning "~a" (exception->text exception))))
      (thunk)))
  (define (clean-up-and-end)
    (clean-up)
    (end! clean-ups))
  (if (begin! clean-ups)
      (guard (exception (#t (clean-up-and-end)))
        (run-in-worker clean-up-and-end))
      (clean-up)))

(define (await-clean-ups clean-ups)
  "Return when none of @var{clean-ups} goes on."
  (with-lock (clean-ups-mutex clean-ups)
    (let loop ()
      (unless (zero? (clean-ups-number clean-ups))
        (wait-condition-variable (clean-ups-changed clean-ups)
                                 (clean-ups-mutex clean-ups))
        (loop)))))
