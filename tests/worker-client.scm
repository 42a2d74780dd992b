;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; A client of the worker protocol that says just what a test wants it to
;;; say, right or wrong; and a session of ours in a thread to talk to.
;;; Code:

(define-module (tests worker-client)
  #:use-module (fruix protocol wire)
  #:use-module (fruix session)
  #:use-module (fruix session client)
  #:use-module (fruix session settings)
  #:use-module (fruix thread)
  #:use-module (ice-9 binary-ports)
  #:use-module (ice-9 match)
  #:use-module (ice-9 threads)
  #:use-module (rnrs bytevectors)
  #:export (greet
            say
            receive-reply
            feeder
            request
            set-options
            result-of
            ended?
            regular-file-nar
            call-with-session))

(define* (greet port #:key (minor #x64) (extra '(0 1)))
  "Greet the daemon on @var{port} as a client of version @var{minor}, sending
the integers @var{extra} along; return what the daemon says until it is ready:
its magic, its version, and a tag."
  (write-int port %client-magic)
  (force-output port)
  (let* ((magic (read-int port))
         (version (read-int port)))
    (write-int port (logior #x100 minor))
    (for-each (lambda (value) (write-int port value)) extra)
    (force-output port)
    (list magic version (read-int port))))

(define (say port . words)
  "Send @var{words}: integers, octet strings and lists of these as they are
encoded, bytevectors as they are."
  (for-each (match-lambda
              ((? integer? value) (write-int port value))
              ((? string? text) (write-octets port text))
              ((? bytevector? bytes) (put-bytevector port bytes))
              ((items ...) (write-octets-list port items)))
            words)
  (force-output port))

(define (feeder bytes)
  "Return a procedure that sends the next of @var{bytes}, a bytevector, on a
port: as many as it is told."
  (define position 0)
  (lambda (port count)
    (let ((size (min count (- (bytevector-length bytes) position))))
      (write-bytes port bytes position size)
      (force-output port)
      (set! position (+ position size)))))

(define* (receive-reply port #:optional read #:key (feed (const #f)))
  "Return three values: what @var{read}, if it is given, finds on @var{port}
after the daemon is done, or a list of the message and the status of an error;
the log messages, octet strings; and the data.  @var{feed} is called with
@var{port} and the number of bytes that the daemon asks for."
  (let loop ((log '()) (data '()))
    (define (finish value)
      (values value (reverse log) (string-concatenate-reverse data)))
    (match (read-int port)
      ((? (lambda (tag) (= tag %message-last)))
       (finish (if read (read port) 'done)))
      ((? (lambda (tag) (= tag %message-error)))
       (let ((text (read-octets port)))
         (finish (list text (read-int port)))))
      ((? (lambda (tag) (= tag %message-next)))
       (loop (cons (read-octets port (expt 2 20)) log) data))
      ((? (lambda (tag) (= tag %message-read)))
       (feed port (read-int port))
       (loop log data))
      ((? (lambda (tag) (= tag %message-write)))
       (loop log (cons (read-octets port (expt 2 20)) data))))))

(define (request port read . words)
  "Send @var{words} on @var{port} and return what @code{receive-reply} does."
  (apply say port words)
  (receive-reply port read))

(define* (set-options port #:key (keep-failed 0) (keep-going 0) (fallback 0)
                      (verbosity 0) (print-build-trace 1) (substitutes 0)
                      (settings '()))
  "Send the options of a session, as today's Guix does."
  (say port 19 keep-failed keep-going fallback verbosity 0 0 0
       print-build-trace substitutes)
  (write-octets-pairs port settings)
  (force-output port)
  (receive-reply port))

(define (result-of port read . words)
  "Return just the first value of @code{request}."
  (call-with-values (lambda () (apply request port read words))
    (lambda (result log data) result)))

(define (ended? port)
  "Return true if the daemon has closed the connection on @var{port}."
  (catch 'system-error
    (lambda () (eof-object? (get-u8 port)))
    (lambda arguments
      (= ECONNRESET (system-error-errno arguments)))))

(define (regular-file-nar contents)
  "Return the archive of a regular file with @var{contents}, an octet string,
as a bytevector."
  (call-with-values open-bytevector-output-port
    (lambda (port bytes)
      (for-each (lambda (token) (write-octets port token))
                (list "nix-archive-1" "(" "type" "regular" "contents" contents
                      ")"))
      (bytes))))

(define* (call-with-session store proc #:key scheduler agents (trusted? #t)
                            (settings %default-settings) (user (getuid))
                            (process (getpid)) address (greet? #t))
  "Call @var{proc} with the port of a client, @var{process} of @var{user}, or
of whoever is at @var{address} if that is a string, whose session with
@var{store} and @var{scheduler} runs in another thread, after
greetings if @var{greet?} is true; return what it returned once the session has
ended."
  (define (serve port)
    (setvbuf port 'block 4096)
    (serve-client port
                  (lambda (minor)
                    (make-client port minor (or address user) process user
                                 (getgid)
                                 trusted? store scheduler agents #f
                                 settings))
                  (const #t)))
  (match (socketpair AF_UNIX SOCK_STREAM 0)
    ((near . far)
     (let ((session (start-thread
                     (lambda ()
                       (catch 'system-error
                         (lambda () (serve far))
                         (const #f))
                       (false-if-exception (force-output far))
                       (close-port far)))))
       (setvbuf near 'block 4096)
       (when greet?
         (greet near))
       (let ((result (proc near)))
         (false-if-exception (force-output near))
         (close-port near)
         (join-thread session)
         result)))))
