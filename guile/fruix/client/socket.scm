;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Where a daemon listens, and connecting to it: by a socket in the file
;;; system, or by TCP.
;;; Code:

(define-module (fruix client socket)
  #:use-module ((fruix errors) #:select (fail fruix-error?))
  #:use-module ((fruix store layout) #:select (layout-control-socket
                                               layout-socket))
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 match)
  #:export (default-socket
            open-socket
            call-while-connected
            control-socket))

(define %default-tcp-port 44146)

(define (refuse address reason)
  (fail "cannot connect to the daemon at '~a': ~a" address reason))

(define (connected family address . arguments)
  "Return a socket of FAMILY connected to ARGUMENTS, as for @code{connect};
ADDRESS is what people call it."
  (let ((port (socket family (logior SOCK_STREAM SOCK_CLOEXEC) 0)))
    (catch 'system-error
      (lambda ()
        (apply connect port arguments)
        port)
      (lambda arguments
        (close-port port)
        (refuse address (strerror (system-error-errno arguments)))))))

(define (unix-socket file)
  (connected PF_UNIX file AF_UNIX file))

(define (resolve host service)
  (catch 'getaddrinfo-error
    (lambda ()
      (getaddrinfo host (number->string service) AI_NUMERICSERV
                   AF_UNSPEC SOCK_STREAM))
    (lambda (key error)
      (refuse host (gai-strerror error)))))

(define (tcp-socket host service)
  "Return a socket that is connected to the first address of HOST that answers."
  (let loop ((addresses (resolve host service)))
    (guard (exception ((and (fruix-error? exception)
                            (pair? (cdr addresses)))
                       (loop (cdr addresses))))
      (connected (addrinfo:fam (car addresses)) host
                 (addrinfo:addr (car addresses))))))

(define (parse-port text)
  "Return the number of a port that TEXT stands for, or #f."
  (let ((number (string->number text)))
    (and (exact-integer? number)
         (< 0 number 65536)
         number)))

(define (host+port text)
  "Return host and port of @var{text}, @code{HOST}, @code{HOST:PORT} or either
with the host in brackets."
  (let* ((bracket (string-rindex text #\]))
         (colon (string-index text #\: (or bracket 0)))
         (host (substring text 0 (or colon (string-length text)))))
    (values (string-trim-both host (char-set #\[ #\]))
            (if colon
                (or (parse-port (substring text (+ colon 1)))
                    (fail "cannot connect to '~a': no valid port" text))
                %default-tcp-port))))

(define (address->file address)
  "Return the file name in @var{address}, a file name or URI, or @code{#f} if
it names none."
  (define (after prefix)
    (and (string-prefix? prefix address)
         (substring address (string-length prefix))))
  (if (absolute-file-name? address)
      address
      (or (after "unix://") (after "file://"))))

(define (open-socket uri)
  "Return a port connected to the daemon at @var{uri}: the absolute file name
of a socket, the same after @code{unix://} or @code{file://}, or
@code{guix://@var{host}} with an optional @code{:@var{port}}.  A failure
raises @code{&fruix-error}."
  (define %tcp "guix://")
  (cond ((address->file uri) => unix-socket)
        ((string-prefix? %tcp uri)
         (call-with-values
             (lambda () (host+port (string-drop uri (string-length %tcp))))
           tcp-socket))
        (else (fail "cannot connect to '~a': unsupported address" uri))))

(define (call-while-connected thunk)
  "Call @var{thunk}, which talks to a daemon and to nobody else, and return
what it returned; that the daemon has closed the connection raises
@code{&fruix-error}."
  (catch 'system-error
    thunk
    (lambda arguments
      (if (memv (system-error-errno arguments) (list EPIPE ECONNRESET))
          (fail "the daemon has closed the connection; its messages may tell \
why")
          (apply throw arguments)))))

(define (default-socket layout)
  "Return the address of the daemon that @env{GUIX_DAEMON_SOCKET} names, else
the usual one of a daemon with @var{layout}."
  (or (getenv "GUIX_DAEMON_SOCKET") (layout-socket layout)))

(define (control-socket address layout)
  "Return the file name of the control socket of the daemon at @var{address},
which is beside its socket, or, if @var{address} is @code{#f}, of the one with
@var{layout}; @code{#f} if @var{address} is not a file of this machine."
  (if address
      (and=> (address->file address)
             (lambda (file) (string-append (dirname file) "/control")))
      (layout-control-socket layout)))
