;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Starting threads that survive garbage collection.
;;;
;;; When the stack of Guile's virtual machine grows, Guile 3.0.8 lets the
;;; collector run while one of its pointers still points into the old stack.
;;; A collection that another thread starts just then reads memory that is
;;; gone, or takes live objects for dead: in one of five runs of a program
;;; whose four threads allocate and recurse.  So stacks are made large at
;;; once, while collection is disabled, and rarely grow later.  What is not
;;; used of them goes back to the system.
;;;
;;; A new thread has Guile make a pipe, and when that fails the process ends.
;;; So there have to be some descriptors, or no thread is started.
;;;
;;; A thread that waits for a condition variable is put on a list before it
;;; sleeps, and taken off to be woken up.  Told in between, it would not hear
;;; of it, and nobody would find it any more.  As long as the mutex is held
;;; that it gives up by sleeping, it is not in between.
;;; Code:

(define-module (fruix thread)
  #:use-module (ice-9 threads)
  #:export (reserve-stack!
            start-thread
            lock!
            with-lock
            notify!))

;; As many values take 256 KiB of stack.
(define %values (make-list 32768 #f))

(define (reserve-stack!)
  "Make the stack of the current thread large.  The main thread of a program
with several should do it before it starts others."
  (dynamic-wind
    gc-disable
    (lambda ()
      (apply values %values)
      #t)
    gc-enable))

;; Others may open some at the same moment.
(define %descriptors 16)

(define (check-descriptors count)
  "Raise a system-error unless this process may have COUNT more descriptors."
  (unless (zero? count)
    (let ((descriptor (open-fdes "/" (logior O_RDONLY O_CLOEXEC))))
      (dynamic-wind
        (const #t)
        (lambda () (check-descriptors (- count 1)))
        (lambda () (close-fdes descriptor))))))

(define (start-thread thunk)
  "Call @var{thunk} in a new thread with a large stack, and return the thread.
Raise a @code{system-error} if there are hardly any descriptors left."
  (check-descriptors %descriptors)
  (call-with-new-thread
   (lambda ()
     (reserve-stack!)
     (thunk))))

;; A thread that a signal interrupts on its way into 'lock-mutex' can miss that
;; the mutex becomes free: it looks again after so many seconds.
(define %lock-patience 1)

(define (lock! mutex)
  "Lock @var{mutex}, however long that takes, and return true."
  (or (lock-mutex mutex (+ (current-time) %lock-patience))
      (lock! mutex)))

(define-syntax-rule (with-lock mutex body ...)
  (dynamic-wind
    (lambda () (lock! mutex))
    (lambda () body ...)
    (lambda () (unlock-mutex mutex))))

(define (notify! condition mutex)
  "Wake up all threads that wait for the condition variable @var{condition}.
Raise an error unless the current thread holds @var{mutex}, with which they do
so."
  (unless (eq? (mutex-owner mutex) (current-thread))
    (scm-error 'misc-error "notify!" "the mutex is not held" '() #f))
  (broadcast-condition-variable condition))
