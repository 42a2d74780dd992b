;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The log file of a build: what the builder wrote, byte for byte, in gzip
;;; format unless asked otherwise, under the name where clients look for it.
;;; Code:

(define-module (fruix build log)
  #:use-module ((fruix errors) #:select (call-naming call-with-closing-port))
  #:use-module (fruix files)
  #:use-module (fruix gzip)
  #:use-module ((fruix octets) #:select (text->octets))
  #:use-module ((fruix store directories) #:select (ensure-directory))
  #:use-module (fruix store layout)
  #:use-module (ice-9 binary-ports)
  #:use-module (ice-9 match)
  #:export (call-with-build-log))

(define (open-log file)
  ;; The directory is the daemon's own, and truncating is the custom: the log
  ;; is that of the last attempt.
  (ensure-directory (dirname file))
  (open file (logior O_WRONLY O_CREAT O_TRUNC O_NOFOLLOW O_CLOEXEC) #o666))

;; Who looks at the log of a running build sees what was there so many seconds
;; ago.  Flushing more often would compress badly.
(define %flush-interval 1)

(define (make-flushing-writer gzip)
  "Return a procedure that appends the first bytes of a bytevector, as many as
its second argument says, to @var{gzip}, and flushes that now and then."
  (define last-flush (current-time))
  (lambda (bytes count)
    (gzip-write! gzip bytes 0 count)
    (unless (< (- (current-time) last-flush) %flush-interval)
      (gzip-flush! gzip)
      (set! last-flush (current-time)))))

(define (naming file write)
  "Return a procedure that does what WRITE does, and names FILE if it fails."
  (lambda (bytes count)
    (call-naming file (lambda () (write bytes count)))))

(define (call-with-plain-log file proc)
  (call-with-closing-port (open-log file)
    (lambda (port)
      (setvbuf port 'none)
      (proc (naming file
                    (lambda (bytes count)
                      (put-bytevector port bytes 0 count)))))))

(define (call-with-gzip-log file proc)
  (let ((gzip (call-with-closing-port (open-log file)
                (lambda (port) (open-gzip-output (fileno port))))))
    (dynamic-wind
      (const #t)
      (lambda () (proc (naming file (make-flushing-writer gzip))))
      (lambda () (call-naming file (lambda () (gzip-close! gzip)))))))

(define (call-with-build-log layout drv compression proc)
  "Call @var{proc} with the name of the log file of @var{drv}, an octet string,
and a procedure that appends the first bytes of a bytevector, as many as its
second argument says; return what @var{proc} returns.  @var{compression} is
@code{gzip}, @code{none}, or @code{#f} for no log at all, in which case the name
is empty."
  (define (call-with-log open file)
    (open file (lambda (write) (proc (text->octets file) write))))
  (match compression
    (#f (proc "" (const #t)))
    ('none
     (call-with-log call-with-plain-log
                    (log-file-name layout drv #:compression 'none)))
    ('gzip
     (call-with-log call-with-gzip-log (log-file-name layout drv)))))
