;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Running 'fruix' in this process, and daemons that have one thing to say.
;;; Code:

(define-module (tests commands-support)
  #:use-module (fruix base16)
  #:use-module (fruix scripts fruix)
  #:use-module (fruix thread)
  #:use-module (ice-9 binary-ports)
  #:use-module (ice-9 match)
  #:use-module (ice-9 threads)
  #:use-module (rnrs bytevectors)
  #:use-module (tests support)
  #:export (run
            call-with-script
            call-with-daemon-script))

(define (run . arguments)
  "Run @command{fruix} with @var{arguments}.  Return a list of its exit code,
output and error output."
  (let* ((code #f)
         (errors (open-output-string))
         (output (with-output-to-string
                   (lambda ()
                     (parameterize ((current-error-port errors))
                       (set! code (main arguments)))))))
    (list code output (get-output-string errors))))

(define handshake
  (map (match-lambda ((from hex) (list from (base16-string->bytevector hex))))
       '((client "6378696e00000000")
         (daemon "6f697864000000006401000000000000")
         (client "640100000000000000000000000000000100000000000000")
         (daemon "73746c6100000000"))))

(define (play turns port)
  (for-each (match-lambda
              (('client bytes)
               (get-bytevector-n port (bytevector-length bytes)))
              (('daemon bytes)
               (put-bytevector port bytes)
               (force-output port)))
            turns)
  (close-port port))

(define (call-with-script turns proc)
  "Call @var{proc} with the name of a socket, where @var{turns} are played to
one client: lists of @code{client} or @code{daemon} and a bytevector, of which
only the size counts for the client.  Return what @var{proc} returned."
  (call-with-temporary-directory
   (lambda (directory)
     (let ((file (string-append directory "/socket"))
           (listener (socket PF_UNIX SOCK_STREAM 0)))
       (bind listener AF_UNIX file)
       (listen listener 1)
       (let* ((thread (start-thread
                       (lambda () (play turns (car (accept listener))))))
              (result (proc file)))
         (join-thread thread)
         (close-port listener)
         result)))))

(define (call-with-daemon-script turns proc)
  "Like @code{call-with-script}, with a handshake before @var{turns}."
  (call-with-script (append handshake turns) proc))
