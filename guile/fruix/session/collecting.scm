;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The operation that asks for garbage collection.
;;;
;;; A collection keeps others waiting, so it does not wait for its client: what
;;; cannot be sent at once is sent when it is over.
;;; Code:

(define-module (fruix session collecting)
  #:use-module (fruix descriptors)
  #:use-module (fruix errors)
  #:use-module (fruix protocol wire)
  #:use-module (fruix session client)
  #:use-module (fruix session settings)
  #:use-module (fruix store)
  #:use-module (ice-9 match)
  #:use-module (ice-9 q)
  #:use-module (srfi srfi-1)
  #:export (collect-garbage
            write-collected))

;; What clients say who set no limit.
(define %no-limit (- (expt 2 64) 1))

;; Lines in a message.  So many, with store paths in them, fit into any socket
;; that can be written to: FreeBSD says so of one that has room for 2048 bytes.
(define %lines 6)

(define (writable? port)
  (pair? (poll-descriptors `((,(fileno port) writable)) 0)))

(define (send-lines client level lines)
  (send-text client (string-join lines "\n") level)
  (force-output (client-port client)))

(define (in-messages level lines)
  "Return the list of pairs of LEVEL and at most %lines of LINES."
  (let loop ((left (length lines)) (lines lines) (messages '()))
    (if (<= left %lines)
        (reverse (acons level lines messages))
        (loop (- left %lines)
              (drop lines %lines)
              (acons level (take lines %lines) messages)))))

(define (call-with-reporter client proc)
  "Call PROC with a procedure that takes a verbosity and a list of lines for
CLIENT and does not wait; in the end, wait until all is sent.  Return the value
of PROC."
  (define pending (make-q))
  (define (send-while possible?)
    (unless (or (q-empty? pending) (not (possible? (client-port client))))
      (match (deq! pending)
        ((level . lines) (send-lines client level lines)))
      (send-while possible?)))
  (define (report level lines)
    (for-each (lambda (message) (enq! pending message))
              (in-messages level lines))
    (send-while writable?))
  (let ((value (on-failure (lambda () (send-while (const #t)))
                 (lambda () (proc report)))))
    (send-while (const #t))
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
