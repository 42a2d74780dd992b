;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; A session: one client of the worker protocol from its greeting to the end
;;; of the connection, in one thread.
;;;
;;; 1. A request is answered with an error or with a result, never both.
;;; 2. What goes wrong after all arguments of a request were read is the
;;;    request's own trouble: the client is told, and may go on.
;;; 3. What goes wrong before, or while data is read, leaves the position in
;;;    the stream unknown: the client is told, and that is the end.
;;; 4. Whatever happens here, the daemon and other sessions go on.
;;; Code:

(define-module (fruix session)
  #:use-module (fruix descriptors)
  #:use-module (fruix errors)
  #:use-module (fruix message)
  #:use-module (fruix session operations)
  #:use-module (fruix protocol wire)
  #:use-module (fruix session client)
  #:use-module (fruix session profile)
  #:use-module (fruix session turns)
  #:use-module ((fruix store) #:select (call-with-temporary-roots))
  #:use-module (ice-9 binary-ports)
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 match)
  #:use-module ((rnrs bytevectors) #:select (make-bytevector))
  #:export (serve-client))

;;
;; The greeting.
;;

(define (read-minor-version port)
  "Return the minor version of the protocol that the client on PORT speaks,
after reading what it sends along with it."
  (let ((minor (logand #xff (read-int port))))
    ;; A processor to stay on: there is no process to be bound to it.
    (when (and (>= minor #xe) (read-boolean port))
      (read-int port))
    ;; Whether to keep space in reserve: the store does so for all clients.
    (when (>= minor #xb)
      (read-boolean port))
    minor))

(define (greet port)
  "Exchange greetings on PORT; return the client's minor version, or #f if it
speaks another protocol."
  (and (= (read-int port) %client-magic)
       (begin
         (write-int port %daemon-magic)
         (write-int port %protocol-version)
         (force-output port)
         (read-minor-version port))))

(define (welcome client)
  (unless (client-remote? client)
    (provide-profile-directory client (client-uid client)))
  (send-last client)
  (force-output (client-port client)))

;;
;; Requests.
;;

(define (report-error client exception)
  (send-error client
              (exception->octets exception)
              (if (protocol-error? exception)
                  (protocol-error-status exception)
                  1)))

(define (own-trouble? exception)
  "Return true if EXCEPTION, raised while a request was worked on, says
nothing of the state of the connection or of the daemon."
  (and (or (fruix-error? exception)
           (eq? (exception-kind exception) 'system-error))
       (not (protocol-violation? exception))))

(define (work client operation arguments)
  "Return a thunk that answers CLIENT's request for OPERATION."
  (guard (exception ((own-trouble? exception)
                     (lambda () (report-error client exception))))
    (let ((result (apply (operation-procedure operation) client arguments)))
      (lambda ()
        (let ((port (client-port client)))
          (send-last client)
          ((operation-result operation) port result)
          (force-output port))))))

(define (read-operation client)
  "Return the operation that CLIENT asks for."
  (let* ((number (read-int (client-port client)))
         (operation (or (lookup-operation number)
                        (violation "invalid operation ~a" number))))
    (when (and (local-only? operation) (client-remote? client))
      (violation "operation `~a' is not available over the network"
                 (operation-name operation)))
    operation))

(define (serve-request client)
  (let* ((operation (read-operation client))
         (arguments (map-in-order (lambda (read) (read client))
                                  (operation-arguments operation))))
    ((work client operation arguments))))

(define (serve-requests client)
  (unless (eof-object? (lookahead-u8 (client-port client)))
    (serve-request client)
    (give-back-turn! client)
    (serve-requests client)))

;; How long to take in what a client sends after its last words, in seconds
;; and bytes.
(define %linger-time 2)
(define %linger-size (expt 2 26))

(define (linger client)
  "Say that nothing more will come from here, and take in for a while what
CLIENT is still sending: were the connection closed at once, its next write
would kill it before it has read the error."
  (define port (client-port client))
  (define deadline (+ (current-time) %linger-time))
  (define buffer (make-bytevector 65536))
  (shutdown port 1)
  (let loop ((left %linger-size))
    (when (and (positive? left)
               (< (current-time) deadline)
               (pair? (poll-descriptors `((,(fileno port) readable))
                                        (* 1000 %linger-time))))
      (let ((count (read-descriptor! (fileno port) buffer)))
        (unless (zero? count)
          (loop (- left count)))))))

(define (call-with-last-words client thunk)
  "Call THUNK; if it raises an exception, tell CLIENT why the connection is
about to be closed, and return what has to be told to the administrator: the
exception, or #f if it was the client's own doing."
  (guard (exception
          ((connection-closed? exception) #f)
          ((protocol-violation? exception)
           (report-error client exception)
           (linger client)
           #f)
          ((eq? (exception-kind exception) 'system-error)
           #f)
          (#t
           (report-error client exception)
           (linger client)
           exception))
    (thunk)
    #f))

(define (serve-client port make-client greeted)
  "Serve the client of the worker protocol on @var{port}, a binary
input/output port, until it leaves or breaks the protocol.  @var{make-client}
is a procedure from a minor protocol version to a client of @code{(fruix
session client)}; @var{greeted} is a thunk, called once the client has been
welcomed.  Errors of the connection are raised."
  (match (greet port)
    (#f #f)
    (minor
     (let ((client (make-client minor)))
       (welcome client)
       (greeted)
       (call-with-last-words client
         (lambda ()
           ;; What the client adds or names stays until it leaves.
           (call-with-temporary-roots (client-store client)
             (lambda ()
               (dynamic-wind
                 (const #t)
                 (lambda () (serve-requests client))
                 (lambda () (give-back-turn! client)))))))))))
