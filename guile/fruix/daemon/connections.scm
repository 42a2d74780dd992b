;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The connections that are open: who may open one more, and how all of them
;;; are brought to an end.
;;;
;;; 1. A connection's own thread closes its port.  Others may only shut it
;;;    down, which the thread sees as the end of the connection; and they do
;;;    so with the mutex held, so that the descriptor is still the same.
;;; 2. Neither one user nor all together can take all descriptors or threads,
;;;    and other machines leave some to this one.
;;; Code:

(define-module (fruix daemon connections)
  #:use-module ((fruix thread) #:select (notify! with-lock))
  #:use-module (ice-9 threads)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:export (make-connections
            connection-count
            open-connection!
            close-connection!
            greeted!
            next-deadline
            shut-down-late!
            shut-down-all!
            wait-for-end))

(define-record-type <connections>
  (%make-connections mutex changed limit user-limit greeting-time members)
  connections?
  (mutex connections-mutex)
  (changed connections-changed)               ;condition variable
  (limit connections-limit)                   ;integer
  (user-limit connections-user-limit)         ;integer
  (greeting-time connections-greeting-time)   ;seconds
  (members connections-members set-connections-members!)) ;of <connection>

(define-record-type <connection>
  (make-connection port user deadline)
  connection?
  (port connection-port)                    ;input/output port of a socket
  (user connection-user)                    ;user ID, or address of a machine
  (deadline connection-deadline set-connection-deadline!)) ;seconds | #f

(define* (make-connections #:key (limit 1000) (user-limit 200)
                           (greeting-time 10))
  "Return a new, empty set of at most @var{limit} connections, and at most
@var{user-limit} of one user, save root; the last quarter of all is for users
of this machine.  A client has @var{greeting-time} seconds to introduce
itself."
  (%make-connections (make-mutex) (make-condition-variable)
                     limit user-limit greeting-time '()))

(define-syntax-rule (with-connections connections members body ...)
  (with-lock (connections-mutex connections)
    (let ((members (connections-members connections)))
      body ...)))

(define (connection-count connections)
  "Return how many connections are open."
  (with-connections connections members (length members)))

(define (room? connections user)
  (define members (connections-members connections))
  (define remote? (string? user))
  (and (< (length members)
          (* (connections-limit connections) (if remote? 3/4 1)))
       (or (eqv? 0 user)
           (< (count (lambda (member) (equal? user (connection-user member)))
                     members)
              (connections-user-limit connections)))))

(define (open-connection! connections port user)
  "Add the connection on @var{port} of @var{user}, a user ID or the address of
another machine, a string, to @var{connections} and return it; or return
@code{#f} if there are too many."
  (with-connections connections members
    (and (room? connections user)
         (let ((connection
                (make-connection port user
                                 (+ (current-time)
                                    (connections-greeting-time
                                     connections)))))
           (set-connections-members! connections (cons connection members))
           connection))))

(define (shut-down connection)
  ;; It may be shut down already, by the other side too.
  (false-if-exception (shutdown (connection-port connection) 2)))

(define (close-connection! connections connection)
  "Take @var{connection} from @var{connections} and close its port, dropping
what the other side did not take."
  (with-connections connections members
    (set-connections-members! connections (delq connection members))
    (shut-down connection)
    ;; Output that cannot be written is forgotten by the first attempt.
    (false-if-exception (force-output (connection-port connection)))
    (close-port (connection-port connection))
    (notify! (connections-changed connections)
             (connections-mutex connections))))

(define (greeted! connections connection)
  "Note that the client of @var{connection} has introduced itself."
  (with-connections connections members
    (set-connection-deadline! connection #f)))

(define (next-deadline connections)
  "Return the time, in seconds of the epoch, when the next client will be late
with introducing itself, or @code{#f}."
  (with-connections connections members
    (let ((deadlines (filter-map connection-deadline members)))
      (and (pair? deadlines)
           (apply min deadlines)))))

(define (shut-down-late! connections)
  "Shut down the connections whose clients have not introduced themselves in
time."
  (with-connections connections members
    (for-each (lambda (connection)
                (let ((deadline (connection-deadline connection)))
                  (when (and deadline (<= deadline (current-time)))
                    (set-connection-deadline! connection #f)
                    (shut-down connection))))
              members)))

(define (shut-down-all! connections)
  "Shut down all @var{connections}."
  (with-connections connections members
    (for-each shut-down members)))

(define (wait-for-end connections seconds)
  "Wait until no connection is open, at most @var{seconds}; return whether
that is so."
  (let ((limit (+ (current-time) seconds)))
    (with-lock (connections-mutex connections)
      (let loop ()
        (or (null? (connections-members connections))
            (and (wait-condition-variable (connections-changed connections)
                                          (connections-mutex connections)
                                          limit)
                 (loop)))))))
