;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Mailboxes and flags: order, capacity, timeouts, closing, and descriptors
;;; that say the same as the mailbox.

(use-modules (fruix flag)
             (fruix mailbox)
             (ice-9 ftw)
             (ice-9 match)
             (ice-9 threads)
             (srfi srfi-1)
             (srfi srfi-64))

(define (readable? descriptor)
  "Return true if DESCRIPTOR is readable now."
  (match (select (list descriptor) '() '() 0)
    ((ready _ _) (pair? ready))))

(define (get-now mailbox)
  (mailbox-get! mailbox #:timeout 0))

(define (descriptor-count)
  (length (scandir "/dev/fd")))

(test-begin "mailbox")

(test-group "flag"
  (let ((flag (make-flag)))
    (define (state)
      (list (flag-set? flag) (readable? (flag-descriptor flag))))
    (test-equal "new: not set" '(#f #f) (state))
    (test-assert "set before anybody asked for the descriptor"
      (let ((early (make-flag)))
        (flag-set! early)
        (readable? (flag-descriptor early))))
    (flag-set! flag)
    (flag-set! flag)
    (test-equal "set twice" '(#t #t) (state))
    (flag-clear! flag)
    (test-equal "cleared once" '(#f #f) (state))
    (flag-clear! flag)
    (flag-close! flag)
    (flag-set! flag)
    (test-assert "closed: still a flag" (flag-set? flag))))

(test-group "order and timeouts"
  (let ((mailbox (make-mailbox)))
    (test-equal "empty: no message" #f (get-now mailbox))
    (for-each (lambda (n) (mailbox-put! mailbox n)) (iota 100))
    (test-equal "first in, first out" (iota 100)
      (map (lambda (_) (get-now mailbox)) (iota 100)))
    (test-equal "a short wait ends" #f
      (mailbox-get! mailbox #:timeout 0.001))))

(test-group "capacity"
  (let ((mailbox (make-mailbox #:capacity 10 #:weigh string-length)))
    (define (put-now message)
      (mailbox-put! mailbox message #:timeout 0))
    (test-assert "an empty mailbox takes a message of any weight"
      (put-now (make-string 99)))
    (test-equal "a full one takes none" #f (put-now "1"))
    (test-equal "not even after a wait" #f
      (mailbox-put! mailbox "1" #:timeout 0.001))
    (test-assert "but one of weight 0" (put-now ""))
    (get-now mailbox)
    (test-equal "filled exactly, then full" '(#t #t #f)
      (map put-now '("12345" "67890" "1")))))

(test-group "a sender waits for room"
  (let* ((mailbox (make-mailbox #:capacity 1))
         (sender (begin
                   (mailbox-put! mailbox 0)
                   (begin-thread
                    (every (lambda (n) (mailbox-put! mailbox n))
                           (iota 1000 1))))))
    (test-equal "all arrive in order" (iota 1001)
      (map (lambda (_) (mailbox-get! mailbox)) (iota 1001)))
    (test-assert "and all were put" (join-thread sender))))

(test-group "closing"
  (let ((mailbox (make-mailbox)))
    (mailbox-put! mailbox 'last)
    (mailbox-close! mailbox)
    (test-equal "closed: nothing is put" #f (mailbox-put! mailbox 'late))
    (test-equal "what was there is got" 'last (mailbox-get! mailbox))
    (test-assert "then end of file, again and again"
      (and (eof-object? (mailbox-get! mailbox))
           (eof-object? (mailbox-get! mailbox)))))
  (let* ((mailbox (make-mailbox))
         (owner (begin-thread (mailbox-get! mailbox))))
    (mailbox-close! mailbox)
    (test-assert "closing wakes the owner" (eof-object? (join-thread owner))))
  (let* ((mailbox (make-mailbox #:capacity 1))
         (sender (begin
                   (mailbox-put! mailbox 1)
                   (begin-thread (mailbox-put! mailbox 2)))))
    (mailbox-abandon! mailbox)
    (test-equal "abandoning wakes a sender" #f (join-thread sender))
    (test-assert "abandoning drops messages"
      (eof-object? (mailbox-get! mailbox)))))

(test-group "descriptor"
  (let* ((mailbox (make-mailbox))
         (state (lambda () (readable? (mailbox-descriptor mailbox)))))
    (test-equal "empty: not readable" #f (state))
    (mailbox-put! mailbox 1)
    (mailbox-put! mailbox 2)
    (test-equal "readable until the last message is got" '(#t #t #f)
      (let* ((full (state))
             (half (begin (get-now mailbox) (state))))
        (get-now mailbox)
        (list full half (state))))
    (mailbox-close! mailbox)
    (test-assert "closed: readable" (state))
    (mailbox-abandon! mailbox))
  (test-assert "two threads, 2,000 messages, every one announced"
    (let* ((mailbox (make-mailbox #:capacity 3))
           (sender (begin-thread
                    (for-each (lambda (n) (mailbox-put! mailbox n))
                              (iota 2000)))))
      (let loop ((expected 0))
        (if (= expected 2000)
            (begin
              (join-thread sender)
              (mailbox-abandon! mailbox)
              #t)
            (begin
              (select (list (mailbox-descriptor mailbox)) '() '())
              (and (= expected (get-now mailbox))
                   (loop (+ expected 1))))))))
  ;; Those of a thread go a moment after its end, even of an earlier one.
  (test-assert "no descriptor is left"
    (let ((before (descriptor-count)))
      (for-each (lambda (_)
                  (let ((mailbox (make-mailbox)))
                    (mailbox-put! mailbox 1)
                    (mailbox-descriptor mailbox)
                    (mailbox-abandon! mailbox)))
                (iota 50))
      (>= before (descriptor-count)))))

(test-end "mailbox")
