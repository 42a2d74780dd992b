;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Watching a builder until it is dead.
;;;
;;; Its end is the end of the process, not of its output: a builder that
;;; closes its standard output goes on, and one that forked a daemon is over
;;; all the same.  A builder that is silent or runs for too long, writes too
;;; much, or is not wanted any more, is killed; either way it has been waited
;;; for when 'supervise' returns.
;;;
;;; A builder of our own user can open the pipe and take back what it wrote:
;;; reading from it must not wait, whatever poll has said.
;;; Code:

(define-module (fruix build supervision)
  #:use-module (fruix clock)
  #:use-module (fruix descriptors)
  #:use-module ((fruix errors) #:select (unless-errno))
  #:use-module (fruix process)
  #:use-module (ice-9 match)
  #:use-module (rnrs bytevectors)
  #:use-module ((srfi srfi-1) #:select (filter-map))
  #:use-module (srfi srfi-9 gnu)
  #:export (supervise))

(define (limit->deadline start limit)
  (and limit (positive? limit) (+ start limit)))

(define (milliseconds-left deadlines)
  "Return the time until the first of @var{deadlines}, some of which may be
@code{#f}, for poll(2): -1 if there is none."
  (match (filter identity deadlines)
    (() -1)
    (deadlines
     (max 0 (inexact->exact
             (ceiling (* 1000 (- (apply min deadlines) (now)))))))))

(define (passed? deadline)
  (and deadline (<= deadline (now))))

(define %buffer-size 65536)

(define (read-some descriptor buffer)
  "Return what there is to read from @var{descriptor}, at most as much as
@var{buffer} has room for, as a new bytevector, empty at the end of the file;
or @code{#f} if there is nothing at all."
  (match (unless-errno (list EAGAIN) #f
           (lambda () (read-descriptor! descriptor buffer)))
    (#f #f)
    (count
     (let ((bytes (make-bytevector count)))
       (bytevector-copy! buffer 0 bytes 0 count)
       bytes))))

;; No pipe holds more, unless somebody with privileges has enlarged it.
(define %pipe-limit (* 1024 1024))

(define (drain descriptor buffer proc)
  "Pass what is in the pipe @var{descriptor} to @var{proc}, without waiting for
more, and return its size.  The builder is dead; but where it was not alone in a
sandbox, what it left behind may write on and on."
  (let loop ((size 0))
    (match (and (< size %pipe-limit) (read-some descriptor buffer))
      ((or #f (= bytevector-length 0)) size)
      (bytes
       (proc bytes)
       (loop (+ size (bytevector-length bytes)))))))

(define (ready? descriptor events)
  (assv descriptor events))

;; What has come out of a builder so far.
(define-immutable-record-type <output>
  (make-output open? size since)
  output?
  (open? output-open? set-output-open?)         ;may there be more?
  (size output-size set-output-size)            ;bytes
  (since output-since set-output-since))        ;as 'now': when there was some

(define (add-size output size)
  (set-output-size output (+ size (output-size output))))

(define (take-in output log buffer proc)
  "Pass on what there is to read from LOG; return the new OUTPUT."
  (match (read-some log buffer)
    (#f output)
    ((= bytevector-length 0) (set-output-open? output #f))
    (bytes
     (proc bytes)
     (set-output-since (add-size output (bytevector-length bytes)) (now)))))

(define (take-in-rest output log buffer proc)
  "Pass on what is left in LOG, the builder being dead; return the new OUTPUT."
  (if (output-open? output)
      (add-size output (drain log buffer proc))
      output))

(define (await descriptors deadlines)
  "Wait until one of DESCRIPTORS is readable or one of DEADLINES has passed,
some of both of which may be #f; return what is ready."
  (poll-descriptors (filter-map (lambda (descriptor)
                                  (and descriptor (list descriptor 'readable)))
                                descriptors)
                    (milliseconds-left deadlines)))

(define* (supervise process log proc #:key cancel-descriptor
                    (timeout 0) (max-silent-time 0) (max-log-size 0))
  "Pass what @var{process} writes to the pipe that @var{log}, a descriptor,
reads from to @var{proc}, as bytevectors, until it has ended.  Return its wait
status, or why it was killed: @code{(timeout @var{seconds})},
@code{(silence @var{seconds})}, @code{(log-size @var{bytes})}, or
@code{cancelled} when @var{cancel-descriptor} has become readable.  The limits
are in seconds and bytes; 0 means none."
  (define buffer (make-bytevector %buffer-size))
  (define ended (process-descriptor process))
  (define (too-much? output)
    (< 0 max-log-size (output-size output)))
  (define (give-up reason)
    (kill-process process SIGKILL)
    (wait-process process)
    reason)
  (fcntl log F_SETFL (logior O_NONBLOCK (fcntl log F_GETFL)))
  (let* ((start (now))
         (deadline (limit->deadline start timeout)))
    (let loop ((output (make-output #t 0 start)))
      (let* ((silence (limit->deadline (output-since output) max-silent-time))
             (events (await (list (and (output-open? output) log)
                                  ended cancel-descriptor)
                            (list deadline silence))))
        (cond ((ready? cancel-descriptor events) (give-up 'cancelled))
              ((too-much? output) (give-up `(log-size ,max-log-size)))
              ((passed? deadline) (give-up `(timeout ,timeout)))
              ((ready? ended events)
               (if (too-much? (take-in-rest output log buffer proc))
                   (give-up `(log-size ,max-log-size))
                   (wait-process process)))
              ((ready? log events)
               (loop (take-in output log buffer proc)))
              ((passed? silence) (give-up `(silence ,max-silent-time)))
              (else (loop output)))))))
