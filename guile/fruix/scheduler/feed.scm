;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; A feed passes what happens in one build on to the mailboxes of those who
;;; follow it.  The scheduler's thread lets followers in and out; the
;;; builder's thread publishes.
;;;
;;; 1. Announcements reach followers without waiting; so they weigh nothing in
;;;    a mailbox.  A late follower first gets the one that says
;;;    that the build has started.
;;; 2. The builder's output waits for room in a mailbox, so that a client
;;;    which reads slowly slows its build down instead of filling memory.
;;; 3. When others are kept waiting by that, it is for a limited time, all
;;;    waits of one build together: then the slow client gets no more of this
;;;    build's output, and is told so.
;;; 4. Of several followers in one process, which is for one user to look at,
;;;    only the first hears more than the end, as with guix-daemon.
;;; Code:

(define-module (fruix scheduler feed)
  #:use-module (fruix clock)
  #:use-module (fruix mailbox)
  #:use-module ((fruix thread) #:select (with-lock))
  #:use-module (ice-9 match)
  #:use-module ((ice-9 threads) #:select (make-mutex))
  #:use-module (rnrs bytevectors)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:export (message-weight
            make-feed
            feed-task
            feed-started
            feed-join!
            feed-leave!
            feed-clear!
            feed-announce!
            feed-write!))

(define-record-type <feed>
  (%make-feed task mutex followers deaf started since delays)
  feed?
  (task      feed-task)                           ;string
  (mutex     feed-mutex)
  (followers feed-followers set-feed-followers!)  ;list of <follower>
  (deaf      feed-deaf      set-feed-deaf!)       ;those that get no output
  (started   feed-started   set-feed-started!)    ;message | #f
  (since     feed-since)                          ;as 'now': when it was made
  (delays    feed-delays))                        ;hash table: mailbox ->
                                                  ;seconds that others waited

(define-record-type <follower>
  (make-follower mailbox process)
  follower?
  (mailbox follower-mailbox)
  (process follower-process))           ;object for 'equal?', or #f: unknown

(define (message-weight message)
  "Return how much @var{message} weighs in a follower's mailbox: the number of
bytes that a builder wrote, or 0."
  (match message
    (('log _ bytes) (bytevector-length bytes))
    (_ 0)))

(define (make-feed task)
  "Return a feed without followers for the build of @var{task}."
  (%make-feed task (make-mutex) '() '() #f (now) (make-hash-table)))

(define (listeners feed)
  "Return the mailboxes of those followers of FEED that hear all, one in each
process."
  (define (same-process? a b)
    (and (follower-process a)
         (equal? (follower-process a) (follower-process b))))
  (map follower-mailbox
       (delete-duplicates (feed-followers feed) same-process?)))

(define (change-followers! feed followers)
  "Let FOLLOWERS follow FEED, and tell those who listen from now on that the
build has started."
  (define before (listeners feed))
  (set-feed-followers! feed followers)
  (when (feed-started feed)
    (for-each (lambda (mailbox) (mailbox-put! mailbox (feed-started feed)))
              (lset-difference eq? (listeners feed) before))))

(define (feed-join! feed mailbox process)
  "Make @var{mailbox} follow @var{feed}; it belongs to @var{process}, an object
to be compared by @code{equal?}, or to one that nobody knows if that is
@code{#f}."
  (with-lock (feed-mutex feed)
    (change-followers! feed
                       (append (feed-followers feed)
                               (list (make-follower mailbox process))))))

(define (feed-leave! feed mailbox)
  "Make @var{mailbox} no longer follow @var{feed}."
  (with-lock (feed-mutex feed)
    (change-followers! feed
                       (remove (lambda (follower)
                                 (eq? mailbox (follower-mailbox follower)))
                               (feed-followers feed)))))

(define (feed-clear! feed)
  "Make nobody follow @var{feed}."
  (with-lock (feed-mutex feed)
    (set-feed-followers! feed '())))

(define (feed-announce! feed verb . arguments)
  "Put the message @code{(@var{verb} @var{task} . @var{arguments})} into the
mailboxes of those who listen to @var{feed}, where @var{task} is what it
builds; of all followers if @var{verb} is @code{finished}."
  (let ((message (cons* verb (feed-task feed) arguments)))
    (with-lock (feed-mutex feed)
      (when (eq? verb 'started)
        (set-feed-started! feed message))
      (for-each (lambda (mailbox) (mailbox-put! mailbox message))
                (if (eq? verb 'finished)
                    (map follower-mailbox (feed-followers feed))
                    (listeners feed))))))

(define (feed-write! feed bytes patience give-up? hurry?)
  "Put the message @code{(log @var{task} @var{bytes})} into the mailboxes of
those who listen to @var{feed}.  Wait for a full one, unless
@var{give-up?} returns true; when that has taken @var{patience} seconds, and a
tenth of the build's time so far, in which there were other followers or
@var{hurry?} returned true, stop writing to it."
  (let* ((message (list 'log (feed-task feed) bytes))
         (full (remove (lambda (mailbox)
                         (mailbox-put! mailbox message #:timeout 0))
                       (lset-difference eq? (listeners feed)
                                        (feed-deaf feed)))))
    (for-each (lambda (mailbox)
                (insist feed mailbox message patience give-up? hurry?))
              full)))

;; Seconds between two looks at what has changed meanwhile.
(define %slice 0.2)

;; As much of a build's time may be spent on waiting for a client that does
;; read, but not as fast as others.
(define %tolerance 0.1)

(define (patience-left feed mailbox patience)
  "Return for how many seconds others who want FEED may go on to wait for the
owner of MAILBOX, given PATIENCE."
  (- (+ patience (* %tolerance (- (now) (feed-since feed))))
     (hashq-ref (feed-delays feed) mailbox 0)))

(define (add-delay! feed mailbox seconds)
  (hashq-set! (feed-delays feed) mailbox
              (+ seconds (hashq-ref (feed-delays feed) mailbox 0))))

(define (insist feed mailbox message patience give-up? hurry?)
  "Put @var{message} into @var{mailbox}, which is full, as @code{feed-write!}
says."
  (define (others-wait?)
    (or (> (length (feed-followers feed)) 1)
        (hurry?)))
  (define (put-for-a-while!)
    (let* ((wait? (others-wait?))
           (start (now))
           (put? (mailbox-put! mailbox message #:timeout %slice)))
      (when wait?
        (add-delay! feed mailbox (- (now) start)))
      put?))
  (let loop ()
    (cond ((or (put-for-a-while!)
               (mailbox-closed? mailbox)
               (not (memq mailbox (listeners feed)))
               (give-up?))
           #t)
          ((and (others-wait?)
                (<= (patience-left feed mailbox patience) %slice))
           (stop-writing! feed mailbox))
          (else (loop)))))

(define (stop-writing! feed mailbox)
  (set-feed-deaf! feed (cons mailbox (feed-deaf feed)))
  (mailbox-put! mailbox
                (list 'note (feed-task feed)
                      (format #f "note: no more output of `~a': it is read \
too slowly, and others wait" (feed-task feed)))))
