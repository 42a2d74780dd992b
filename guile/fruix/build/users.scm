;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The pool of build users.  A build has one for itself alone, so that
;;; whatever it leaves running can be told from other builds, and killed.
;;;
;;; 1. Within the process the list of busy users decides; between processes
;;;    a lock on a file named after the user id, as guix-daemon does it.
;;; 2. Nothing of a user runs when a build gets it, nor when it gives it back.
;;; 3. When all are busy, a build waits.  A user that gets free goes to the
;;;    client that has the fewest, however many builds of others wait: each
;;;    says itself how many of its builds are started at a time.  All processes
;;;    of one of the host's users are one client here.
;;; Code:

(define-module (fruix build users)
  #:use-module (fruix build job)
  #:use-module (fruix credentials)
  #:use-module (fruix descriptors)
  #:use-module (fruix errors)
  #:use-module (fruix flag)
  #:use-module (fruix record-lock)
  #:use-module ((fruix store directories) #:select (ensure-directory))
  #:use-module ((fruix thread) #:select (with-lock))
  #:use-module (ice-9 match)
  #:use-module ((ice-9 threads) #:select (make-mutex))
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:export (build-user
            build-user-id
            build-user-group
            build-user-supplementary-groups
            kill-build-user
            make-user-pool
            user-pool-ids
            call-with-build-user))

(define-record-type <build-user>
  (make-build-user id group supplementary-groups confined?)
  build-user?
  (id build-user-id)                              ;integer, not root's
  (group build-user-group)                        ;integer
  (supplementary-groups build-user-supplementary-groups)  ;list of integers
  (confined? build-user-confined?                 ;Boolean: its last builder was
             set-build-user-confined?!))          ;alone in a sandbox

(define* (build-user id group #:optional (supplementary-groups '()))
  "Return the build user with the number @var{id}, whose builders have the group
@var{group} and those in the list @var{supplementary-groups}, all integers.
Root is refused with a @code{&fruix-error}."
  (when (zero? id)
    (fail "a build user must not be root"))
  ;; Who knows what another process has let its builders do?
  (make-build-user id group supplementary-groups #f))

(define (kill-build-user user)
  "Kill all processes of @var{user}, what @code{build-user} returned.  Nothing
can be left of builders that were alone in a sandbox; others may have left a
set-user-ID file, and somebody else may have started processes from it."
  (let ((id (build-user-id user)))
    (unless (and (build-user-confined? user)
                 (not (has-processes? id)))
      (kill-user id))))

(define-record-type <user-pool>
  (%make-user-pool mutex users directory busy waiting)
  user-pool?
  (mutex user-pool-mutex)
  (users user-pool-users)                         ;list of <build-user>
  (directory user-pool-directory)                 ;string: lock files
  (busy user-pool-busy set-user-pool-busy!)       ;users of this process: list
                                                  ;of pairs with clients
  (waiting user-pool-waiting                      ;list of <ticket>, those of
           set-user-pool-waiting!))               ;late comers first

;; A build that waits.
(define-record-type <ticket>
  (make-ticket client turn)
  ticket?
  (client ticket-client)                          ;any object, for 'equal?'
  (turn ticket-turn))                             ;flag: it may be its turn

;; How long to wait for another process to give a user back, milliseconds.
(define %patience 100)

(define (make-user-pool users directory)
  "Return a pool of @var{users}, a non-empty list of what @code{build-user}
returned, whose lock files are in @var{directory}, which is made if it is
missing."
  (when (null? users)
    (fail "there must be a build user"))
  (ensure-directory directory)
  (%make-user-pool (make-mutex) users directory '() '()))

(define (user-pool-ids pool)
  "Return the list of the user ids in @var{pool}."
  (map build-user-id (user-pool-users pool)))

(define (first-in-turn pool)
  "Return the ticket that is to get a user of POOL, if one is free: among those
whose clients have the fewest, the oldest; or #f."
  (define busy (user-pool-busy pool))
  (define (users-of ticket)
    (count (match-lambda
             ((_ . client) (equal? client (ticket-client ticket))))
           busy))
  (and (< (length busy) (length (user-pool-users pool)))
       (fold (lambda (ticket first)
               (if (and first (< (users-of first) (users-of ticket)))
                   first
                   ticket))
             #f
             (user-pool-waiting pool))))

;; Evaluate BODY, which changes who is to get a user of POOL, and tell him.
(define-syntax-rule (changing-turns pool body ...)
  (with-lock (user-pool-mutex pool)
    body ...
    (and=> (first-in-turn pool)
           (lambda (ticket) (flag-set! (ticket-turn ticket))))))

(define (claim! pool user client)
  "Return true if @var{user} was not busy; now it is, for @var{client}."
  (with-lock (user-pool-mutex pool)
    (let ((busy (user-pool-busy pool)))
      (and (not (assoc user busy))
           (begin
             (set-user-pool-busy! pool (acons user client busy))
             #t)))))

(define (forget-claim! pool user)
  (set-user-pool-busy! pool (alist-delete user (user-pool-busy pool))))

(define (unclaim! pool user)
  "Undo a claim of who waits on."
  (with-lock (user-pool-mutex pool)
    (forget-claim! pool user)))

(define (give-back! pool user)
  (changing-turns pool
    (forget-claim! pool user)))

(define (its-turn? pool ticket)
  (with-lock (user-pool-mutex pool)
    (eq? ticket (first-in-turn pool))))

(define (call-with-ticket pool client proc)
  "Call PROC with a ticket, for CLIENT, of one who waits for a user of POOL
until PROC returns or raises, and return its values."
  (define ticket (make-ticket client (make-flag)))
  (define (change-waiting! change)
    (changing-turns pool
      (set-user-pool-waiting! pool
                              (change ticket (user-pool-waiting pool)))))
  (dynamic-wind
    (lambda () (change-waiting! cons))
    (lambda () (proc ticket))
    (lambda ()
      (change-waiting! delq)
      (flag-close! (ticket-turn ticket)))))

(define (lock-file pool user)
  (string-append (user-pool-directory pool) "/"
                 (number->string (build-user-id user))))

(define (lock-claimed pool user)
  "Return the lock of @var{user}, who is claimed, or @code{#f} if another
process has it; then the claim is void, as it is if this raises."
  (let ((lock (on-failure (lambda () (unclaim! pool user))
                (lambda ()
                  (acquire-file-lock (lock-file pool user) 'exclusive
                                     #:wait? #f)))))
    (unless lock
      (unclaim! pool user))
    lock))

(define (take-user! pool client)
  "Return a user of @var{pool} that nobody had, for @var{client}, and its lock;
or two times @code{#f}."
  (let loop ((users (user-pool-users pool)))
    (match users
      (() (values #f #f))
      ((user . rest)
       (let ((lock (and (claim! pool user client) (lock-claimed pool user))))
         (if lock
             (values user lock)
             (loop rest)))))))

(define (take-user-in-turn! pool ticket)
  (flag-clear! (ticket-turn ticket))
  (if (its-turn? pool ticket)
      (take-user! pool (ticket-client ticket))
      (values #f #f)))

(define (wait-for-user pool ticket cancellation)
  "Return a user of @var{pool} and its lock when it is the turn of
@var{ticket}, waiting as long as it takes; raise a @code{&build-error} if the
flag @var{cancellation} is set before."
  (call-with-values (lambda () (take-user-in-turn! pool ticket))
    (lambda (user lock)
      (cond (user (values user lock))
            ((flag-set? cancellation)
             (reject 'cancelled "cancelled while waiting for a build user"))
            (else
             (poll-descriptors (list (flag-event cancellation)
                                     (flag-event (ticket-turn ticket)))
                               %patience)
             (wait-for-user pool ticket cancellation))))))

(define* (call-with-build-user pool client cancellation proc
                               #:key confined?)
  "Call @var{proc} with a user of @var{pool}, as @code{build-user} returned it,
that it has for itself; or with @code{#f} if @var{pool} is @code{#f}.
@var{client} is an object that stands for whoever wants it, and
@var{confined?} whether its builder is alone in a sandbox.  Return what
@var{proc} returns.  Wait while all users are busy; raise a
@code{&build-error} if the flag @var{cancellation} is set meanwhile."
  (if pool
      (call-with-values
          (lambda ()
            (call-with-ticket pool client
              (lambda (ticket) (wait-for-user pool ticket cancellation))))
        (lambda (user lock)
          (dynamic-wind
            (const #t)
            (lambda ()
              (kill-build-user user)
              (set-build-user-confined?! user confined?)
              (dynamic-wind
                (const #t)
                (lambda () (proc user))
                (lambda () (kill-build-user user))))
            ;; Even with processes left: whoever is next kills them first.
            (lambda ()
              (release-file-lock! lock)
              (give-back! pool user)))))
      (proc #f)))
