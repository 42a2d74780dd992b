;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Turns at large requests.  What a client sends as one argument is held in
;;; memory, and a user may have many connections: so few clients of one user
;;; have large requests at a time, and the others wait for them.
;;;
;;; A client keeps its turn until its request is answered.  Users never wait
;;; for each other, and root for nobody; all clients at one address of another
;;; machine, whose users nobody knows, count as one.
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
(define %counts (make-hash-table))          ;user -> turns taken, if any

;; Seconds between two looks at whether a client that waits is still there.
(define %patience 1)

(define (count-of user)
  (hash-ref %counts user 0))

(define (turn-within! user seconds)
  "Give a turn to USER and return true; or return #f if it has to wait for one
for more than SECONDS."
  (define limit (+ seconds (current-time)))
  (with-lock %mutex
    (let wait ()
      (cond ((< (count-of user) %at-once)
             (hash-set! %counts user (+ (count-of user) 1))
             #t)
            ((wait-condition-variable %changed %mutex limit) (wait))
            (else #f)))))

(define (take-turn! client)
  "Wait until @var{client}, which is about to send much, has its turn, unless
it has it already.  Raise @code{&connection-closed} if it leaves before, or the
connection is shut down."
  (define user (client-user client))
  (unless (or (eqv? 0 user) (client-turn? client))
    (let wait ()
      (unless (turn-within! user %patience)
        (check-presence client)
        (wait)))
    (set-client-turn?! client #t)))

(define (give-back-turn! client)
  "Say that the request of @var{client} is over."
  (define user (client-user client))
  (when (client-turn? client)
    (with-lock %mutex
      (set-client-turn?! client #f)
      (if (= 1 (count-of user))
          (hash-remove! %counts user)
          (hash-set! %counts user (- (count-of user) 1)))
      (notify! %changed %mutex))))
