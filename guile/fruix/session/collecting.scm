;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The operation that asks for garbage collection.
;;;
;;; A collection keeps others waiting, so it does not wait for its client: what
;;; cannot be sent at once is sent when it is over.
;;; Code:

(define-module (fruix session collecting)
  #:use-module (fruix errors)
  #:use-module (fruix protocol wire)
  #:use-module (fruix session client)
  #:use-module (fruix session settings)
  #:use-module (fruix store)
  #:use-module (ice-9 match)
  #:use-module (ice-9 q)
  #:use-module (rnrs bytevectors)
  #:use-module ((rnrs io ports) #:select (open-bytevector-output-port
                                          put-bytevector))
  #:use-module (srfi srfi-1)
  #:export (collect-garbage
            write-collected))

;; What clients say who set no limit.
(define %no-limit (- (expt 2 64) 1))

;; Lines in a message.
(define %lines 64)

(define (message lines)
  "Return the bytes of a message with LINES."
  (call-with-values open-bytevector-output-port
    (lambda (port bytes)
      (write-int port %message-next)
      (write-octets port (string-append (string-join lines "\n") "\n"))
      (bytes))))

(define (messages lines)
  "Return a list of messages with at most %LINES of LINES each."
  (let loop ((left (length lines)) (lines lines) (found '()))
    (if (<= left %lines)
        (reverse (cons (message lines) found))
        (loop (- left %lines)
              (drop lines %lines)
              (cons (message (take lines %lines)) found)))))

(define (send-some port bytes)
  "Send as many of BYTES on PORT as can be sent without waiting; return the
others."
  ;; That it can be written to would tell no more than that it takes a byte.
  (let* ((size (bytevector-length bytes))
         (count (unless-errno (list EAGAIN EWOULDBLOCK EINTR) 0
                  (lambda () (send port bytes MSG_DONTWAIT))))
         (rest (make-bytevector (- size count))))
    (bytevector-copy! bytes count rest 0 (- size count))
    rest))

(define (send-now! port pending)
  "Send as much of PENDING, a queue of bytevectors, on PORT as can be sent
without waiting; leave the rest there."
  (unless (q-empty? pending)
    (let ((rest (send-some port (deq! pending))))
      (if (zero? (bytevector-length rest))
          (send-now! port pending)
          (q-push! pending rest)))))

(define (call-with-reporter client proc)
  "Call PROC with a procedure that takes a verbosity and a list of lines for
CLIENT and does not wait; in the end, wait until all is sent.  Return the value
of PROC."
  (define port (client-port client))
  (define pending (make-q))
  (define (report level lines)
    (when (wants? client level)
      (for-each (lambda (message) (enq! pending message)) (messages lines))
      (send-now! port pending)))
  (define (finish)
    (for-each (lambda (bytes) (put-bytevector port bytes)) (car pending))
    (force-output port))
  (force-output port)
  (let ((value (on-failure finish (lambda () (proc report)))))
    (finish)
    value))

(define (options client)
  (let ((settings (client-settings client)))
    (list #:keep-outputs? (setting settings 'keep-outputs?)
          #:keep-derivations? (setting settings 'keep-derivations?))))

(define (return-list client list-paths)
  (send-text client "finding garbage collector roots...")
  (send-text client "determining live/dead paths...")
  (force-output (client-port client))
  (cons (apply list-paths (client-store client) (options client)) 0))

(define (delete-reporting client max-freed delete!)
  (call-with-reporter client
    (lambda (report)
      (call-with-values
          (lambda ()
            (apply delete! #:report report
                   #:max-freed (if (= max-freed %no-limit) +inf.0 max-freed)
                   (options client)))
        cons))))

(define (collect-garbage client action paths ignore-liveness? max-freed _)
  "Do @var{action}, a symbol that @code{collection-argument} returns, in the
store of @var{client}, and return a pair of a sorted list of paths and a number
of bytes.  @code{delete-specific} deletes @var{paths}.  Deletion stops after
more than @var{max-freed} bytes, 2^64-1 meaning all."
  (define store (client-store client))
  (when ignore-liveness?
    (fail "you are not allowed to ignore liveness"))
  (case action
    ((return-live) (return-list client live-paths))
    ((return-dead) (return-list client dead-paths))
    ((delete-dead)
     (delete-reporting client max-freed
                       (lambda options
                         (apply collect-garbage! store options))))
    ((delete-specific)
     (delete-reporting client max-freed
                       (lambda options
                         (apply delete-paths! store paths options))))))

(define (write-collected port result)
  "Write @var{result}, which @code{collect-garbage} has returned, on
@var{port}."
  (match result
    ((paths . bytes)
     (write-octets-list port paths)
     (write-long port bytes)
     (write-int port 0))))
