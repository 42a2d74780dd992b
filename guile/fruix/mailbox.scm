;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Mailboxes: how one thread sends messages to another.
;;;
;;; A mailbox is a queue, a mutex and a condition variable.  Any thread puts;
;;; one thread, the owner, gets.
;;;
;;; 1. Messages come out in the order in which they went in.
;;; 2. The weights of the messages held add up to no more than the capacity,
;;;    save that an empty mailbox takes any message, so that none is too
;;;    heavy to be sent, and that a message of weight 0 never waits.
;;; 3. What was put before the mailbox was closed can still be got.
;;; 4. The descriptor is readable just when 'mailbox-get!' would not wait.
;;; Code:

(define-module (fruix mailbox)
  #:use-module (fruix flag)
  #:use-module ((ice-9 binary-ports) #:select (eof-object))
  #:use-module ((fruix thread) #:select (notify! with-lock))
  #:use-module (ice-9 match)
  #:use-module (ice-9 q)
  #:use-module (ice-9 threads)
  #:use-module (srfi srfi-9)
  #:export (make-mailbox
            mailbox-put!
            mailbox-get!
            mailbox-descriptor
            mailbox-close!
            mailbox-abandon!
            mailbox-closed?))

(define-record-type <mailbox>
  (%make-mailbox mutex changed queue weigh capacity held flag closed?)
  mailbox?
  (mutex    mailbox-mutex)
  (changed  mailbox-changed)        ;condition variable: any change at all
  (queue    mailbox-queue)          ;(ice-9 q) of (MESSAGE . WEIGHT)
  (weigh    mailbox-weigh)          ;MESSAGE -> weight
  (capacity mailbox-capacity)       ;largest total weight, a real
  (held     mailbox-held set-mailbox-held!)       ;total weight
  (flag     mailbox-flag)           ;set: there is something to get
  (closed?  mailbox-closed? set-mailbox-closed?!)) ;boolean

(define* (make-mailbox #:key (capacity +inf.0) (weigh (const 1)))
  "Return a new mailbox.  @var{weigh} gives the weight of a message, a
non-negative integer; when the messages held weigh @var{capacity}, a real,
senders wait.  By default every message weighs 1 and nobody ever waits."
  (%make-mailbox (make-mutex) (make-condition-variable) (make-q)
                 weigh capacity 0 (make-flag) #f))

(define (deadline timeout)
  "Return the time that is @var{timeout} seconds, a real or @code{#f} for
ever, from now, as @code{wait-condition-variable} takes it."
  (and timeout
       (let ((now (gettimeofday)))
         (+ (car now) (/ (cdr now) 1e6) timeout))))

(define (wait-until mailbox done? limit)
  "Wait, with the mutex of @var{mailbox} held, until @var{done?}, a thunk,
returns true or the time @var{limit} has come; return what it returned."
  (define (wait)
    (apply wait-condition-variable (mailbox-changed mailbox)
           (mailbox-mutex mailbox)
           (if limit (list limit) '())))
  (let loop ()
    (or (done?)
        (if (wait) (loop) (done?)))))

(define (update-flag! mailbox)
  ((if (and (q-empty? (mailbox-queue mailbox))
            (not (mailbox-closed? mailbox)))
       flag-clear!
       flag-set!)
   (mailbox-flag mailbox)))

(define (change! mailbox change)
  "Call @var{change}, a thunk that returns whether it changed @var{mailbox},
with the mutex held; tell whoever waits for it.  Return what @var{change}
returned."
  (with-lock (mailbox-mutex mailbox)
    (let ((result (change)))
      (when result
        (update-flag! mailbox)
        (notify! (mailbox-changed mailbox) (mailbox-mutex mailbox)))
      result)))

(define* (mailbox-put! mailbox message #:key timeout)
  "Put @var{message}, any object, into @var{mailbox}, and return true.  As
long as it is full, wait, at most @var{timeout} seconds, a real, 0 meaning not
at all, or @code{#f} for ever.  Return @code{#f} when the message was not put:
the time is over, or the mailbox is closed."
  (define weight ((mailbox-weigh mailbox) message))
  (define (room?)
    (or (mailbox-closed? mailbox)
        (zero? weight)
        (zero? (mailbox-held mailbox))
        (<= (+ (mailbox-held mailbox) weight) (mailbox-capacity mailbox))))
  (let ((limit (deadline timeout)))
    (change! mailbox
             (lambda ()
               (and (wait-until mailbox room? limit)
                    (not (mailbox-closed? mailbox))
                    (begin
                      (enq! (mailbox-queue mailbox) (cons message weight))
                      (set-mailbox-held! mailbox
                                         (+ (mailbox-held mailbox) weight))
                      #t))))))

(define* (mailbox-get! mailbox #:key timeout)
  "Take the next message from @var{mailbox} and return it.  As long as it is
empty, wait, at most @var{timeout} seconds, as in @code{mailbox-put!}.  Return
@code{#f} when the time is over, and the end-of-file object when the mailbox
is empty and closed."
  (let ((queue (mailbox-queue mailbox))
        (limit (deadline timeout)))
    (define (message?)
      (or (not (q-empty? queue)) (mailbox-closed? mailbox)))
    (define (take!)
      (match (deq! queue)
        ((and entry (_ . weight))
         (set-mailbox-held! mailbox (- (mailbox-held mailbox) weight))
         entry)))
    (match (change! mailbox
                    (lambda ()
                      (and (wait-until mailbox message? limit)
                           (if (q-empty? queue) (eof-object) (take!)))))
      ((message . _) message)
      (nothing nothing))))

(define (mailbox-descriptor mailbox)
  "Return the descriptor, an integer, that is readable as long as
@code{mailbox-get!} on @var{mailbox} would return at once.  It is good until
@code{mailbox-abandon!}."
  (flag-descriptor (mailbox-flag mailbox)))

(define (close-with mailbox proc)
  (change! mailbox
           (lambda ()
             (set-mailbox-closed?! mailbox #t)
             (proc)
             #t)))

(define (mailbox-close! mailbox)
  "Say that no more messages will be put into @var{mailbox}.  Its owner gets
what is there, and then the end-of-file object."
  (close-with mailbox (const #t)))

(define (mailbox-abandon! mailbox)
  "Say that nobody will get from @var{mailbox} any more: close it, drop what
is in it and free its descriptor.  Senders that wait are told so.  Only its
owner does this."
  (close-with mailbox
              (lambda ()
                (let ((queue (mailbox-queue mailbox)))
                  (while (not (q-empty? queue))
                    (deq! queue)))
                (set-mailbox-held! mailbox 0)
                (flag-close! (mailbox-flag mailbox)))))
