;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; A flag that threads set and clear, and that poll(2) can wait for.
;;;
;;; Behind it is a pipe that holds one byte as long as the flag is set.  So a
;;; thread that waits for descriptors can wait for another thread along with
;;; them: a builder for its cancellation, a session for its mailbox.
;;;
;;; 1. The pipe is opened by the first who asks for the descriptor: a flag can
;;;    be made, set and cleared without any.
;;; 2. The pipe never holds more than one byte: no write blocks.
;;; Code:

(define-module (fruix flag)
  #:use-module (fruix descriptors)
  #:use-module ((fruix thread) #:select (with-lock))
  #:use-module (ice-9 match)
  #:use-module (ice-9 threads)
  #:use-module ((rnrs bytevectors) #:select (make-bytevector))
  #:use-module (srfi srfi-9)
  #:export (make-flag
            flag-set?
            flag-set!
            flag-clear!
            flag-descriptor
            flag-event
            flag-close!))

(define-record-type <flag>
  (%make-flag mutex set? pipe)
  flag?
  (mutex flag-mutex)
  (set?  flag-set? %set-flag-set?!)               ;boolean
  (pipe  flag-pipe set-flag-pipe!))               ;(INPUT . OUTPUT) | #f

;; A signal's handler may set a flag while its thread is in here: hold it up.
(define-syntax-rule (with-flag flag body ...)
  (call-with-blocked-asyncs
   (lambda ()
     (with-lock (flag-mutex flag)
       body ...))))

(define (fill-pipe pipe)
  (write-descriptor (cdr pipe) #vu8(0)))

(define (empty-pipe pipe)
  (read-descriptor! (car pipe) (make-bytevector 1)))

(define (make-flag)
  "Return a new flag, not set."
  (%make-flag (make-mutex) #f #f))

(define (change! flag set? change-pipe)
  (with-flag flag
    (unless (eq? (flag-set? flag) set?)
      (%set-flag-set?! flag set?)
      (and=> (flag-pipe flag) change-pipe))))

(define (flag-set! flag)
  "Set @var{flag}: its descriptor becomes readable.  Any thread may do it, and
more than once."
  (change! flag #t fill-pipe))

(define (flag-clear! flag)
  "Clear @var{flag}: its descriptor is no longer readable."
  (change! flag #f empty-pipe))

(define (flag-descriptor flag)
  "Return the descriptor, an integer, that is readable as long as @var{flag}
is set.  It is good until @code{flag-close!}; nobody but this module reads
from it or closes it.  Raise @code{system-error} when there are no descriptors
left."
  (with-flag flag
    (unless (flag-pipe flag)
      (let ((pipe (call-with-values make-pipe cons)))
        (when (flag-set? flag)
          (fill-pipe pipe))
        (set-flag-pipe! flag pipe)))
    (car (flag-pipe flag))))

(define (flag-event flag)
  "Return what @code{poll-descriptors} waits for until @var{flag} is set: the
descriptor of @code{flag-descriptor} and an event."
  (list (flag-descriptor flag) 'readable))

(define (flag-close! flag)
  "Close the descriptor of @var{flag}, which nobody may be waiting for.  The
flag can still be set, cleared and looked at."
  (with-flag flag
    (match (flag-pipe flag)
      (#f #t)
      ((input . output)
       (set-flag-pipe! flag #f)
       (close-fdes input)
       (close-fdes output)))))
