;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; A connection to a build daemon, and one request on it.
;;;
;;; Each request is answered by messages (log text, data wanted, data given)
;;; up to one that says "done" or "error"; then come the values of the reply.
;;; Requests are not pipelined: guix-daemon cannot take it.  Strings are
;;; ordinary strings at this level, and UTF-8 on the wire.
;;; Code:

(define-module (fruix client connection)
  #:use-module (fruix client socket)
  #:use-module ((fruix derivation) #:select (hash-modulo-lookup
                                             string->derivation))
  #:use-module (fruix errors)
  #:use-module (fruix octets)
  #:use-module (fruix protocol wire)
  #:use-module ((fruix store layout) #:select (layout-from-environment
                                               physical))
  #:use-module (ice-9 binary-ports)
  #:use-module (ice-9 match)
  #:use-module ((ice-9 textual-ports) #:select (get-string-all))
  #:use-module (srfi srfi-9)
  #:export (open-connection
            close-connection
            call-with-connection
            connection?
            connection-version
            connection-layout
            connection-control

            current-build-output-port
            current-idle-procedure

            call-operation
            define-operation
            read-done
            write-text
            write-text-list
            read-text
            read-text-list

            read-derivation-file
            remember-derivation!
            connection-hash-modulo))

(define-record-type <connection>
  (make-connection port version layout control derivations hash-modulo)
  connection?
  (port        connection-port)          ;input and output
  (version     connection-version)       ;integer: the daemon's, e.g. #x164
  (layout      connection-layout)        ;<layout>: of the daemon's files
  (control     connection-control)       ;file name of a socket, or #f
  (derivations connection-derivations)   ;hash table: name -> <derivation>
  (hash-modulo connection-hash-modulo))  ;procedure: name -> bytevector

(define current-build-output-port
  ;; Where the text of builds and of the daemon itself goes.
  (make-parameter (current-error-port)))

(define current-idle-procedure
  ;; A thunk called about every second while the daemon works, or #f.
  (make-parameter #f))

;; Longest log text or error message.
(define %message-limit (* 16 1024 1024))


;;
;; Opening.
;;

(define (give-up port)
  "Close @var{port}, whatever became of the connection."
  ;; Output that cannot be written is forgotten by the first attempt.
  (false-if-exception (force-output port))
  (false-if-exception (close-port port)))

(define (shake-hands port)
  "Say hello on @var{port}, and return the daemon's version."
  (write-int port %client-magic)
  (force-output port)
  (unless (= (read-int port) %daemon-magic)
    (violation "this is not a build daemon"))
  (let ((version (read-int port)))
    (unless (and (= (logand version #xff00) (logand %protocol-version #xff00))
                 (>= (logand version #x00ff) #x61))
      (violation "the daemon speaks version ~x of the protocol, not ~x"
                 version %protocol-version))
    (write-int port %protocol-version)
    (write-boolean port #f)                       ;no CPU affinity
    (write-boolean port #t)                       ;reserve space
    (force-output port)
    (handle-messages port #f #f)
    version))

(define* (open-connection #:optional uri-or-socket
                          #:key (layout (layout-from-environment
                                         #:root (getenv "FRUIX_ROOT"))))
  "Connect to a build daemon and return the connection.  @var{uri-or-socket}
is the file name of a socket, a URI (@code{unix://@var{file}} or
@code{guix://@var{host}:@var{port}}), or an open port; by default what
@env{GUIX_DAEMON_SOCKET} says, else the usual socket in @var{layout}.
@var{layout} says where the daemon keeps its files.  A failure raises
@code{&fruix-error}, after which the port is closed."
  (let* ((address (and (not (port? uri-or-socket))
                       (or uri-or-socket (default-socket layout))))
         (port (if address (open-socket address) uri-or-socket))
         (derivations (make-hash-table)))
    (setvbuf port 'block 65536)
    (make-connection port
                     (on-failure (lambda () (give-up port))
                       (lambda ()
                         (call-while-connected
                          (lambda () (shake-hands port)))))
                     layout (control-socket address layout) derivations
                     (hash-modulo-lookup
                      (lambda (file)
                        (find-derivation derivations layout file))))))

(define (close-connection connection)
  "Close @var{connection}.  The daemon gives up what it did for it alone."
  (close-port (connection-port connection)))

(define (call-with-connection proc . arguments)
  "Call @var{proc} with a connection opened by @code{open-connection} with
@var{arguments}, close it, and return the values of @var{proc}."
  (let ((connection (apply open-connection arguments)))
    (dynamic-wind
      (const #t)
      (lambda () (proc connection))
      (lambda () (close-connection connection)))))


;;
;; Requests.
;;

(define (await port)
  "Return once there is something to read on @var{port}."
  (match (current-idle-procedure)
    (#f #t)
    (idle
     (match (select (list port) '() '() 1)
       ((() _ _) (idle) (await port))
       (_ #t)))))

(define (send-data port source)
  "Answer the daemon's wish for data with the next bytes of @var{source}."
  (let* ((size (min (read-int port) 65536))
         (bytes (get-bytevector-n source size)))
    (write-bytes port (if (eof-object? bytes) #vu8() bytes))
    (force-output port)))

(define (raise-remote port)
  (let* ((message (read-octets port %message-limit))
         (status (read-int port)))
    (raise-exception
     (make-protocol-error (octets->text message) status))))

(define (handle-messages port source sink)
  "Do what the messages of the daemon on @var{port} ask for until it is done.
@var{source} is a port with the data that it may want, @var{sink} a port for
data that it gives; either may be false."
  (await port)
  (let ((tag (read-int port)))
    (cond ((= tag %message-last) #t)
          ((= tag %message-error) (raise-remote port))
          (else
           (cond ((= tag %message-next)
                  (put-bytevector (current-build-output-port)
                                  (read-bytes port %message-limit)))
                 ((and source (= tag %message-read))
                  (send-data port source))
                 ((and sink (= tag %message-write))
                  (put-bytevector sink (read-bytes port %message-limit)))
                 (else
                  (violation "unexpected message ~x from the daemon" tag)))
           (handle-messages port source sink)))))

(define (call-whole port thunk)
  "Call @var{thunk}, which talks on @var{port}, and return what it returned.  If
it raises something else than the daemon's refusal, nobody knows how far the
talk has got: close @var{port}."
  (when (port-closed? port)
    (fail "the connection to the daemon is closed"))
  (with-exception-handler
      (lambda (exception)
        (unless (and (protocol-error? exception)
                     (not (protocol-violation? exception)))
          (give-up port))
        (raise-exception exception))
    thunk
    #:unwind? #t))

(define* (call-operation connection number write-arguments read-reply
                         #:key source sink)
  "Send the request @var{number}, whose arguments @var{write-arguments} writes
on the port that it gets; serve the daemon while it works; return what
@var{read-reply} reads from the port.  @var{source} is a port to read from if
the daemon asks for data, @var{sink} one for data that it sends.  An error on
the daemon's side raises @code{&protocol-error} with its message and status;
any other exception also closes @var{connection}."
  (let ((port (connection-port connection)))
    (call-whole port
      (lambda ()
        (write-int port number)
        (write-arguments port)
        (force-output port)
        (handle-messages port source sink)
        (read-reply port)))))

(define-syntax define-operation
  ;; (define-operation (NAME (ARGUMENT WRITE) ...) NUMBER READ DOCSTRING)
  ;; defines NAME, which sends request NUMBER with its arguments, each written
  ;; by WRITE, and returns what READ reads of the reply.
  (syntax-rules ()
    ((_ (name (argument write) ...) number read docstring)
     (define (name connection argument ...)
       docstring
       (call-operation connection number
                       (lambda (port) (write port argument) ... #t)
                       read)))))

(define (read-done port)
  "Read the reply on @var{port} of a request that has no other result."
  (read-int port)
  *unspecified*)

(define (write-text port text)
  "Write @var{text}, a string, on @var{port} in UTF-8."
  (write-octets port (text->octets text)))

(define (write-text-list port texts)
  "Write @var{texts}, a list of strings, on @var{port} in UTF-8."
  (write-list port write-text texts))

(define (read-text port)
  "Return the next string on @var{port}, decoded as UTF-8."
  (octets->text (read-octets port)))

(define (read-text-list port)
  "Return the next list of strings on @var{port}, decoded as UTF-8."
  (map octets->text (read-octets-list port)))


;;
;; Derivations that the client knows.
;;

(define (find-derivation derivations layout file)
  (or (hash-ref derivations file)
      (string->derivation
       (call-with-input-file (physical layout file) get-string-all
         #:encoding "ISO-8859-1"))))

(define (remember-derivation! connection file derivation)
  "Note on @var{connection} that @var{derivation}, a @code{<derivation>}, is
in the store as @var{file}."
  (hash-set! (connection-derivations connection) file derivation))

(define (read-derivation-file connection file)
  "Return the @code{<derivation>} that is in the store as @var{file}: one
added on @var{connection}, else read from the store's directory."
  (find-derivation (connection-derivations connection)
                   (connection-layout connection) file))
