;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Peers that play the daemon's part of a session, byte for byte.
;;; Code:

(define-module (tests client-support)
  #:use-module (fruix base16)
  #:use-module (fruix client)
  #:use-module (fruix errors)
  #:use-module (fruix protocol wire)
  #:use-module (fruix thread)
  #:use-module (ice-9 binary-ports)
  #:use-module (ice-9 match)
  #:use-module (ice-9 threads)
  #:use-module (rnrs bytevectors)
  #:use-module ((srfi srfi-1) #:select (iota))
  #:export (call-with-peer
            converse
            hex
            status-of
            complaint))

(define (play turns port)
  "Be the daemon of the session TURNS on PORT.  Return the first turn in which
the client says something else, with what it says, or #f."
  (define result
    (let loop ((turns turns))
      (match turns
        (() #f)
        ((('daemon hex) . rest)
         (put-bytevector port (base16-string->bytevector hex))
         (force-output port)
         (loop rest))
        ((('client hex) . rest)
         (match (get-bytevector-n port (quotient (string-length hex) 2))
           ((? eof-object?) (list 'end-of-file hex))
           (bytes
            (let ((said (bytevector->base16-string bytes)))
              (if (string=? said hex)
                  (loop rest)
                  (list 'expected hex 'said said)))))))))
  (close-port port)
  result)

(define (call-with-peer turns proc)
  "Call @var{proc} with a port whose other end plays @var{turns}: lists of
@code{client} or @code{daemon} and what that says, in hexadecimal.  Return a
list of what @var{proc} returned, or what the exception that it raised tells,
and the first turn in which the client said something else, or @code{#f}."
  (match (socketpair AF_UNIX SOCK_STREAM 0)
    ((ours . theirs)
     (let* ((thread (start-thread (lambda () (play turns theirs))))
            (result (with-exception-handler exception->text
                       (lambda () (proc ours))
                       #:unwind? #t)))
       (unless (port-closed? ours) (close-port ours))
       (list result (join-thread thread))))))

(define (hex . integers)
  "Return @var{integers} as the wire has them, in hexadecimal."
  (let ((bytes (make-bytevector (* 8 (length integers)))))
    (for-each (lambda (index value)
                (bytevector-u64-set! bytes (* 8 index) value
                                     (endianness little)))
              (iota (length integers)) integers)
    (bytevector->base16-string bytes)))

(define greeting
  `((client ,(hex %client-magic))
    (daemon ,(hex %daemon-magic #x164))
    (client ,(hex #x164 0 1))
    (daemon ,(hex %message-last))))

(define (converse turns proc)
  "Like @code{call-with-peer}, with a greeting before @var{turns}: @var{proc}
gets the connection, and its values come as a list."
  (call-with-peer (append greeting turns)
                  (lambda (port)
                    (call-with-values
                        (lambda () (proc (open-connection port)))
                      list))))

(define (status-of thunk)
  "Return a list of message and status of the @code{&protocol-error} that
@var{thunk} raises."
  (with-exception-handler
      (lambda (exception)
        (list (fruix-error-message exception)
              (protocol-error-status exception)))
    thunk
    #:unwind? #t
    #:unwind-for-type &protocol-error))

(define (complaint thunk)
  "Return what @var{thunk} complains of, which does not cost the connection."
  (with-exception-handler exception->text
    (lambda () (thunk) #f)
    #:unwind? #t))
