;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; A flag that threads set and clear, and that poll(2) can wait for.
;;;
;;; It is a pipe that holds one byte as long as the flag is set.  So a thread
;;; that waits for descriptors can wait for another thread along with them:
;;; a builder for its cancellation, a session for its mailbox.
;;;
;;; 1. The pipe never holds more than one byte: no write blocks.
;;; 2. A closed flag keeps its value; its descriptor is gone.
;;; Code:

(define-module (fruix flag)
  #:use-module (ice-9 binary-ports)
  #:use-module (ice-9 match)
  #:use-module (ice-9 threads)
  #:use-module (srfi srfi-9)
  #:export (make-flag
            flag?
            flag-set?
            flag-set!
            flag-clear!
            flag-descriptor
            flag-close!))

(define-record-type <flag>
  (%make-flag mutex input output set?)
  flag?
  (mutex  flag-mutex)
  (input  flag-input)                             ;port: the pipe's read end
  (output flag-output)                            ;port: its write end
  (set?   flag-set? %set-flag-set?!))             ;boolean

(define (open-pipe)
  "Return the two ends of a new pipe as unbuffered ports, closed on exec."
  (match (pipe)
    ((and (input . output) ends)
     (for-each (lambda (port)
                 (fcntl port F_SETFD FD_CLOEXEC)
                 (setvbuf port 'none))
               (list input output))
     ends)))

(define (make-flag)
  "Return a new flag, not set.  It holds two descriptors until
@code{flag-close!}.  Raise @code{system-error} when there are none left."
  (match (open-pipe)
    ((input . output)
     (%make-flag (make-mutex) input output #f))))

(define (flag-change! flag set? move-byte)
  (with-mutex (flag-mutex flag)
    (unless (eq? (flag-set? flag) set?)
      (%set-flag-set?! flag set?)
      (unless (port-closed? (flag-input flag))
        (move-byte)))))

(define (flag-set! flag)
  "Set @var{flag}: its descriptor becomes readable.  Any thread may do it, and
more than once."
  (flag-change! flag #t
                (lambda () (put-u8 (flag-output flag) 0))))

(define (flag-clear! flag)
  "Clear @var{flag}: its descriptor is no longer readable."
  (flag-change! flag #f
                (lambda () (get-u8 (flag-input flag)))))

(define (flag-descriptor flag)
  "Return the descriptor, an integer, that is readable as long as @var{flag}
is set.  Nobody but this module reads from it or closes it."
  (fileno (flag-input flag)))

(define (flag-close! flag)
  "Close the descriptor of @var{flag}, which nobody may be waiting for.  The
flag can still be set, cleared and looked at."
  (with-mutex (flag-mutex flag)
    (close-port (flag-input flag))
    (close-port (flag-output flag))))
