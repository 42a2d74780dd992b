;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Turns at large requests.  What a client sends as one argument is held in
;;; memory, and a user may have many connections: so few clients of one user
;;; have large requests at a time, and the others wait for them.
;;;
;;; A client keeps its turn until its request is answered.  Users of this
;;; machine never wait for each other, and root for nobody; all clients on other
;;; machines, whose users nobody knows, count as one user.
;;; Code:

(define-module (fruix session turns)
  #:use-module (fruix session client)
  #:use-module ((fruix thread) #:select (notify! with-lock))
  #:use-module (ice-9 threads)
  #:export (take-turn!
            give-back-turn!))

;; Clients of one user with large requests.
(define %at-once 4)

(define %mutex (make-mutex))                ;guards these
(define %changed (make-condition-variable)) ;somebody has given back a turn
(define %counts (make-hash-table))          ;user id -> turns taken, if any

(define (count-of user)
  (hashv-ref %counts user 0))

(define (take-turn! client)
  "Wait until @var{client}, which is about to send much, has its turn, unless
it has it already."
  (define user (client-uid client))
  (unless (or (eqv? 0 user) (client-turn? client))
    (with-lock %mutex
      (let wait ()
        (unless (< (count-of user) %at-once)
          (wait-condition-variable %changed %mutex)
          (wait)))
      (hashv-set! %counts user (+ (count-of user) 1))
      (set-client-turn?! client #t))))

(define (give-back-turn! client)
  "Say that the request of @var{client} is over."
  (define user (client-uid client))
  (when (client-turn? client)
    (with-lock %mutex
      (set-client-turn?! client #f)
      (if (= 1 (count-of user))
          (hashv-remove! %counts user)
          (hashv-set! %counts user (- (count-of user) 1)))
      (notify! %changed %mutex))))
