;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; One client of the worker protocol, as its session knows it, and the
;;; messages that the session may send it while it works.
;;;
;;; Only the session's own thread reads or writes the connection.
;;; Code:

(define-module (fruix session client)
  #:use-module (fruix descriptors)
  #:use-module ((fruix errors) #:select (fail on-failure))
  #:use-module (fruix message)
  #:use-module (fruix octets)
  #:use-module (fruix protocol wire)
  #:use-module (fruix session settings)
  #:use-module ((ice-9 binary-ports)
                #:select (make-custom-binary-input-port
                          make-custom-binary-output-port))
  #:use-module ((ice-9 exceptions) #:select (guard))
  #:use-module (srfi srfi-9)
  #:export (make-client
            client-port
            client-minor
            client-user
            client-pid
            client-uid
            client-remote?
            client-trusted?
            client-store
            client-scheduler
            client-agents
            client-show-files
            client-settings
            set-client-settings!
            client-turn?
            set-client-turn?!
            client-agent-options
            client-build-options

            send-log
            wants?
            send-text
            call-with-data-port
            call-with-data-source
            send-last
            send-error
            client-departure
            check-presence))

(define-record-type <client>
  (make-client port minor user pid uid gid trusted? store scheduler agents
               show-files settings)
  client?
  (port client-port)                    ;input/output port
  (minor client-minor)                  ;integer, its protocol version
  (user client-user)                    ;what stands for its user where users
                                        ;are counted: user ID or address
  (pid client-pid)                      ;integer, as all three -1
  (uid client-uid)                      ;  if nobody knows them
  (gid client-gid)
  (trusted? client-trusted?)            ;root, or the daemon's own user
  (store client-store)                  ;<store>
  (scheduler client-scheduler)          ;of (fruix scheduler loop)
  (agents client-agents)                ;pool of (fruix agent)
  (show-files client-show-files)        ;procedure, or #f; of session processes
  (settings client-settings set-client-settings!) ;of (session settings)
  (turn? client-turn? set-client-turn?!)) ;of (session turns); #f at first

(define (client-agent-options client)
  "Return what a program that works for @var{client} is told of its
settings."
  (agent-options (client-settings client) (client-trusted? client)))

(define (client-build-options client)
  "Return what the tasks of @var{client} need to know of it: an alist."
  (cons `(agents . ,(client-agents client))
        (build-options (client-settings client) (client-uid client)
                       (client-gid client) (client-trusted? client))))

(define (client-remote? client)
  "Return true if @var{client} is on another machine: nobody knows whose it
is."
  (negative? (client-uid client)))

(define (send-log client . pieces)
  "Send @var{pieces}, bytevectors, as one log text to @var{client}."
  (let ((port (client-port client)))
    (write-int port %message-next)
    (write-pieces port pieces)))

(define (wants? client level)
  "Return true if @var{client} wants to hear of things of @var{level}, a
verbosity."
  (>= (setting (client-settings client) 'verbosity) level))

(define* (send-text client message #:optional (level 0))
  "Send @var{message}, an octet string or a text, and a newline as log text to
@var{client}, if it @code{wants?} to hear of things of @var{level}."
  (when (wants? client level)
    (send-log client
              (octets->bytevector
               (string-append (message->octets message) "\n")))))

;; Bytes that one message carries, or asks for: fewer messages than
;; guix-daemon's 32 KiB need, and no more than a client takes in one piece.
(define %data-size (expt 2 18))

(define (call-with-data-port client proc)
  "Call @var{proc} with a binary output port; what is written there is sent to
@var{client} as data, in messages of at most 256 KiB."
  (define (write! bytes start count)
    (let ((port (client-port client)))
      (write-int port %message-write)
      (write-bytes port bytes start count)
      count))
  (let ((data (make-custom-binary-output-port "data" write! #f #f #f)))
    (setvbuf data 'block %data-size)
    (proc data)
    (force-output data)))

(define (request-data client bytes start count)
  "Ask CLIENT for at most COUNT bytes, put them into BYTES from START on, and
return how many there are."
  (define port (client-port client))
  (write-int port %message-read)
  (write-int port count)
  (force-output port)
  (read-bytes! port bytes start count))

(define (call-with-data-source client proc)
  "Call @var{proc} with a binary input port, from which is read what
@var{client} sends as data when it is asked to.  Raise a @code{&fruix-error}
when it has no more and more is read, and where @var{proc} raises a
@code{&protocol-violation}, as that is one of the data.  If the messages
themselves violate the protocol, that goes on."
  (define broken? #f)
  (define (read! bytes start count)
    (let ((size (on-failure (lambda () (set! broken? #t))
                  (lambda () (request-data client bytes start count)))))
      (when (zero? size)
        (fail "the data ends too early"))
      size))
  (guard (exception ((and (protocol-violation? exception) (not broken?))
                     (fail "invalid data: ~a" (exception->octets exception))))
    (let ((data (make-custom-binary-input-port "data" read! #f #f #f)))
      (setvbuf data 'block %data-size)
      (proc data))))

(define (send-last client)
  "Tell @var{client} that what it asked for is done; the result follows."
  (write-int (client-port client) %message-last))

(define* (send-error client text #:optional (status 1))
  "Tell @var{client} that what it asked for has failed: because of @var{text},
an octet string, and with the exit status @var{status}."
  (let ((port (client-port client)))
    (write-int port %message-error)
    (write-octets port text)
    (when (>= (client-minor client) 8)
      (write-int port status))
    (force-output port)))

(define (client-departure client)
  "Return what @code{poll-descriptors} waits for until @var{client} leaves: a
descriptor and an event."
  (list (fileno (client-port client)) 'peer-closed))

(define (check-presence client)
  "Send @var{client} what is there for it; raise @code{&connection-closed} if it
is gone."
  (force-output (client-port client))
  (when (pair? (poll-descriptors (list (client-departure client)) 0))
    (connection-lost)))
