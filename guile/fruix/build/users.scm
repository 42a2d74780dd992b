;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The pool of build users.  A build has one for itself alone, so that
;;; whatever it leaves running can be told from other builds, and killed.
;;;
;;; 1. Within the process the list of busy users decides; between processes
;;;    a lock on a file named after the user id, as guix-daemon does it.
;;; 2. Nothing of a user runs when a build gets it, nor when it gives it back.
;;; 3. When all are busy, a build waits.
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
            make-user-pool
            user-pool-ids
            call-with-build-user))

(define-record-type <build-user>
  (make-build-user id group supplementary-groups)
  build-user?
  (id build-user-id)                              ;integer, not root's
  (group build-user-group)                        ;integer
  (supplementary-groups build-user-supplementary-groups)) ;list of integers

(define* (build-user id group #:optional (supplementary-groups '()))
  "Return the build user with the number @var{id}, whose builders have the group
@var{group} and those in the list @var{supplementary-groups}, all integers.
Root is refused with a @code{&fruix-error}."
  (when (zero? id)
    (fail "a build user must not be root"))
  (make-build-user id group supplementary-groups))

(define-record-type <user-pool>
  (%make-user-pool mutex users directory busy)
  user-pool?
  (mutex user-pool-mutex)
  (users user-pool-users)                         ;list of <build-user>
  (directory user-pool-directory)                 ;string: lock files
  (busy user-pool-busy set-user-pool-busy!))      ;users of this process

;; How long to wait for another process to give a user back, milliseconds.
(define %patience 100)

(define (make-user-pool users directory)
  "Return a pool of @var{users}, a non-empty list of what @code{build-user}
returned, whose lock files are in @var{directory}, which is made if it is
missing."
  (when (null? users)
    (fail "there must be a build user"))
  (ensure-directory directory)
  (%make-user-pool (make-mutex) users directory '()))

(define (user-pool-ids pool)
  "Return the list of the user ids in @var{pool}."
  (map build-user-id (user-pool-users pool)))

(define (claim! pool user)
  "Return true if @var{user} was not busy; now it is."
  (with-lock (user-pool-mutex pool)
    (let ((busy (user-pool-busy pool)))
      (and (not (member user busy))
           (begin
             (set-user-pool-busy! pool (cons user busy))
             #t)))))

(define (unclaim! pool user)
  (with-lock (user-pool-mutex pool)
    (set-user-pool-busy! pool (delete user (user-pool-busy pool)))))

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

(define (take-user! pool)
  "Return a user of @var{pool} that nobody had, and its lock; or two times
@code{#f}."
  (let loop ((users (user-pool-users pool)))
    (match users
      (() (values #f #f))
      ((user . rest)
       (let ((lock (and (claim! pool user) (lock-claimed pool user))))
         (if lock
             (values user lock)
             (loop rest)))))))

(define (wait-for-user pool cancellation)
  "Return a user of @var{pool} and its lock, waiting as long as it takes; raise
a @code{&build-error} if the flag @var{cancellation} is set before."
  (call-with-values (lambda () (take-user! pool))
    (lambda (user lock)
      (cond (user (values user lock))
            ((pair? (poll-descriptors
                     (list (flag-event cancellation))
                     %patience))
             (reject 'cancelled "cancelled while waiting for a build user"))
            (else (wait-for-user pool cancellation))))))

(define (call-with-build-user pool cancellation proc)
  "Call @var{proc} with a user of @var{pool}, as @code{build-user} returned it,
that it has for itself; or with @code{#f} if @var{pool} is @code{#f}.  Return
what @var{proc} returns.  Wait while all users are busy; raise a
@code{&build-error} if the flag @var{cancellation} is set meanwhile."
  (if pool
      (call-with-values (lambda () (wait-for-user pool cancellation))
        (lambda (user lock)
          (dynamic-wind
            (const #t)
            (lambda ()
              (kill-user (build-user-id user))
              (dynamic-wind
                (const #t)
                (lambda () (proc user))
                (lambda () (kill-user (build-user-id user)))))
            ;; Even with processes left: whoever is next kills them first.
            (lambda ()
              (release-file-lock! lock)
              (unclaim! pool user)))))
      (proc #f)))
