;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; The scheduler's loop with real threads.  The builds are fake: each waits
;;; at a gate, so that the test decides what happens when.

(use-modules (fruix errors)
             (fruix flag)
             (fruix mailbox)
             (fruix scheduler feed)
             (fruix scheduler loop)
             (fruix thread)
             (ice-9 match)
             (ice-9 threads)
             (rnrs bytevectors)
             (srfi srfi-1)
             (srfi srfi-64))

;;; A fake builder tells EVENTS that it has started, and then does what comes
;;; into its gate: publishes a message, returns a result, or waits to be
;;; cancelled.

(define (gated-build events)
  (lambda (drv options publish cancellation)
    (define gate (make-mailbox))
    (mailbox-put! events (list drv gate options))
    (let loop ()
      (match (mailbox-get! gate)
        (('publish . message)
         (publish message)
         (loop))
        (('return result) result)
        (('raise object) (raise-exception object))
        ('until-cancelled
         (select (list (flag-descriptor cancellation)) '() '())
         '(failed cancelled "cancelled"))))))

(define* (call-with-scheduler proc #:key (max-jobs 1) (patience 10))
  "Call PROC with a scheduler and a procedure that returns the gate of the
next build, which must be that of the given derivation."
  (let* ((events (make-mailbox))
         (scheduler (start-scheduler #:max-jobs max-jobs
                                     #:build (gated-build events)
                                     #:patience patience)))
    (define (gate-of expected)
      (match (mailbox-get! events)
        ((drv gate _)
         (unless (string=? drv expected)
           (error "unexpected build" drv expected))
         gate)))
    (let ((result (proc scheduler gate-of)))
      (stop-scheduler! scheduler)
      result)))

(define next-process
  (let ((last 98))
    (lambda ()
      (set! last (+ last 1))
      last)))

(define* (call-with-client scheduler proc #:key (capacity 1000)
                           (process (next-process)))
  "Call PROC with a procedure that submits a request and with a mailbox."
  (call-with-subscription scheduler 1000 process
    (lambda (subscription mailbox)
      (proc (lambda* (nodes #:key (goals (map car nodes)) keep-going?)
              (submit! scheduler subscription nodes goals keep-going?
                       '(the options)))
            mailbox))
    #:capacity capacity))

(define (call-with-narrow-client scheduler proc)
  (call-with-client scheduler proc #:capacity 10))

(define (get-until mailbox verb)
  "Return the messages from MAILBOX up to the first with VERB."
  (match (mailbox-get! mailbox)
    ((and message ((? (lambda (it) (eq? it verb))) . _))
     (list message))
    (message
     (cons message (get-until mailbox verb)))))

(define (refused? thunk)
  "Return true if THUNK raises a &fruix-error."
  (with-exception-handler fruix-error?
    (lambda () (thunk) #f)
    #:unwind? #t))

(define (tell gate . orders)
  (for-each (lambda (order) (mailbox-put! gate order)) orders))

(test-begin "scheduler-loop")

(test-equal "a build's messages, its end, and the answer, in order"
  `((started "x" "system" 42)
    (log "x" ,(string->utf8 "hello"))
    (trace "x" "text")
    (finished "x" built)
    (done 1 (("x" . built))))
  (call-with-scheduler
   (lambda (scheduler gate-of)
     (call-with-client scheduler
       (lambda (submit mailbox)
         (submit '(("x")))
         (tell (gate-of "x")
               '(publish started "system" 42)
               `(publish log ,(string->utf8 "hello"))
               '(publish trace "text")
               '(return built))
         (get-until mailbox 'done))))))

(test-equal "dependencies one after the other, with the request's options"
  '(("base" (the options)) ("top" (the options)))
  (let* ((events (make-mailbox))
         (scheduler (start-scheduler
                     #:build (lambda (drv options publish cancellation)
                               (mailbox-put! events (list drv options))
                               'built))))
    (call-with-client scheduler
      (lambda (submit mailbox)
        (submit '(("top" "base") ("base")) #:goals '("top"))
        (get-until mailbox 'done)))
    (stop-scheduler! scheduler)
    (list (mailbox-get! events) (mailbox-get! events))))

(test-group "failures"
  (define (result-of order)
    (call-with-scheduler
     (lambda (scheduler gate-of)
       (call-with-client scheduler
         (lambda (submit mailbox)
           (submit '(("x")))
           (tell (gate-of "x") order)
           (match (last (get-until mailbox 'done))
             (('done 1 ((_ . result))) result)))))))
  (test-equal "a failed build" '(failed timeout "too long")
    (result-of '(return (failed timeout "too long"))))
  (test-equal "an exception in a builder's thread"
    '(failed transient "no luck")
    (result-of `(raise ,(make-fruix-error "no luck"))))
  (test-equal "a system error in a builder's thread"
    '(failed transient "open: No such file")
    (result-of `(raise ,(catch #t
                          (lambda ()
                            (scm-error 'system-error "open" "No such file"
                                       '() '(2)))
                          (lambda args
                            (make-exception-from-throw (car args)
                                                       (cdr args)))))))
  (test-assert "anything raised at all"
    (match (result-of '(raise not-even-a-condition))
      (('failed 'transient (? string?)) #t))))

(test-equal "a late follower is told that the build has started"
  '((started "x" 42) (finished "x" built) (done 1 (("x" . built))))
  (call-with-scheduler
   (lambda (scheduler gate-of)
     (call-with-client scheduler
       (lambda (submit early)
         (submit '(("x")))
         (let ((gate (gate-of "x")))
           (tell gate '(publish started 42))
           (get-until early 'started)
           (call-with-client scheduler
             (lambda (submit late)
               (submit '(("x")))
               (let ((first (mailbox-get! late)))
                 (tell gate '(return built))
                 (cons first (get-until late 'done)))))))))))

(test-equal "the last client who leaves cancels the build"
  '(done 1 (("y" . built)))
  (call-with-scheduler
   (lambda (scheduler gate-of)
     (call-with-client scheduler
       (lambda (submit _)
         (submit '(("x")))
         (tell (gate-of "x") 'until-cancelled)))
     ;; The only slot is free again once the build has noticed.
     (call-with-client scheduler
       (lambda (submit mailbox)
         (submit '(("y")))
         (tell (gate-of "y") '(return built))
         (last (get-until mailbox 'done)))))))

(test-equal "leaving by an exception counts"
  '(done 1 (("y" . built)))
  (call-with-scheduler
   (lambda (scheduler gate-of)
     (false-if-exception
      (call-with-client scheduler
        (lambda (submit _)
          (submit '(("x")))
          (tell (gate-of "x") 'until-cancelled)
          (fail "connection lost"))))
     (call-with-client scheduler
       (lambda (submit mailbox)
         (submit '(("y")))
         (tell (gate-of "y") '(return built))
         (last (get-until mailbox 'done)))))))

(test-group "back-pressure"
  (define (chunk size) `(publish log ,(make-bytevector size 65)))
  (test-equal "the only client may read as slowly as it likes"
    '(log log log log finished done)
    (call-with-scheduler
     (lambda (scheduler gate-of)
       (call-with-narrow-client scheduler
         (lambda (submit mailbox)
           (submit '(("x")))
           (tell (gate-of "x") (chunk 10) (chunk 10) (chunk 10) (chunk 10)
                 '(return built))
           (map car (get-until mailbox 'done)))))
     #:patience 0))
  (test-equal "while others wait, it loses output, and hears of it"
    '((log note finished done) (log log finished done))
    (call-with-scheduler
     (lambda (scheduler gate-of)
       (call-with-narrow-client scheduler
         (lambda (submit slow)
           (call-with-client scheduler
             (lambda (submit-too fast)
               (submit '(("x")))
               (let ((gate (gate-of "x")))
                 (tell gate '(publish started 1))
                 (submit-too '(("x")))
                 (get-until fast 'started)
                 (tell gate (chunk 10) (chunk 10) '(return built))
                 (get-until slow 'started)
                 (let ((heard (get-until fast 'done)))
                   (map (lambda (messages) (map car messages))
                        (list (get-until slow 'done) heard)))))))))
     #:patience 0))
  (test-equal "of two in one process, the first hears all while it is there"
    '((started log) (started log finished done))
    (call-with-scheduler
     (lambda (scheduler gate-of)
       (call-with-client scheduler
         (lambda (submit second)
           (define heard
             (call-with-client scheduler
               (lambda (submit-first first)
                 (submit-first '(("x")))
                 (let ((gate (gate-of "x")))
                   (tell gate '(publish started 1))
                   (submit '(("x")))
                   (tell gate (chunk 10))
                   (list gate (get-until first 'log))))
               #:process 7))
           (match heard
             ((gate messages)
              ;; The scheduler has let the first go.
              (let ((started (get-until second 'started)))
                (tell gate (chunk 10) '(return built))
                (list (map car messages)
                      (map car (append started
                                       (get-until second 'done))))))))
         #:process 7))))
  (test-assert "nor does it help to read a little from time to time"
    (let ((feed (make-feed "x"))
          (slow (make-mailbox #:capacity 1 #:weigh message-weight))
          (fast (make-mailbox #:weigh message-weight))
          (start (current-time)))
      (feed-join! feed slow #f)
      (feed-join! feed fast #f)
      (let ((reader (start-thread
                     (lambda ()
                       (let read ()
                         (usleep 500000)
                         (unless (eof-object? (mailbox-get! slow))
                           (read)))))))
        (for-each (lambda (_)
                    (feed-write! feed #vu8(1 2 3) 1 (const #f) (const #f)))
                  (iota 20))
        (let ((time (- (current-time) start)))
          (mailbox-close! slow)
          (join-thread reader)
          (<= time 4)))))
  (test-equal "a slot is not held by not reading"
    'built
    (call-with-scheduler
     (lambda (scheduler gate-of)
       (call-with-narrow-client scheduler
         (lambda (submit slow)
           (submit '(("x")))
           (tell (gate-of "x") (chunk 10) (chunk 10) '(return built))
           (call-with-client scheduler
             (lambda (submit mailbox)
               (submit '(("y")))
               (tell (gate-of "y") '(return built))
               (match (last (get-until mailbox 'done))
                 (('done 1 ((_ . result))) result)))))))
     #:patience 0))
  (test-assert "a builder that waits for room is woken by cancellation"
    (call-with-scheduler
     (lambda (scheduler gate-of)
       (call-with-narrow-client scheduler
         (lambda (submit mailbox)
           (submit '(("x")))
           (tell (gate-of "x") (chunk 10) (chunk 10) '(return built))))
       #t))))

(define (await-snapshot scheduler)
  "Return the first snapshot with something in it: a build can have started
before snapshots show it."
  (match (snapshot scheduler)
    (() (yield) (await-snapshot scheduler))
    (entries entries)))

(test-equal "a snapshot says what runs and what waits, and for whom"
  '(((kind . build) (path . "x") (phase . running) (builder . 42)
     (clients (1000 . 99)))
    ((kind . build) (path . "y") (phase . queued) (builder . #f)
     (clients (1000 . 99))))
  (call-with-scheduler
   (lambda (scheduler gate-of)
     (call-with-client scheduler
       (lambda (submit mailbox)
         (submit '(("x") ("y" "x")))
         (tell (gate-of "x") '(publish started "system" "log" 42)
               'until-cancelled)
         (get-until mailbox 'started)
         (let ((now (current-time)))
           (map (lambda (entry)
                  (unless (<= (- now 60) (assq-ref entry 'since) now)
                    (error "not a time" entry))
                  (alist-delete 'since entry))
                (await-snapshot scheduler))))
       #:process 99))))

(test-group "stopping"
  (test-assert "ends builds, and tells clients"
    (let* ((events (make-mailbox))
           (scheduler (start-scheduler #:build (gated-build events))))
      (call-with-client scheduler
        (lambda (submit mailbox)
          (submit '(("x")))
          (match (mailbox-get! events)
            (("x" gate _) (tell gate 'until-cancelled)))
          (stop-scheduler! scheduler)
          (and (eof-object? (mailbox-get! mailbox))
               (null? (snapshot scheduler))
               (refused? (lambda () (submit '(("y")))))))))))

(test-assert "a crash of the scheduler's thread is reported"
  (let* ((reports (make-mailbox))
         (scheduler (start-scheduler
                     #:build (const 'built)
                     #:on-crash (lambda (exception)
                                  (mailbox-put! reports
                                                (exception->text
                                                 exception))))))
    (call-with-client scheduler
      (lambda (submit mailbox)
        (submit '() #:goals 'not-a-list)
        (and (string? (mailbox-get! reports))
             (refused? (lambda () (submit '(("x"))))))))))

(test-assert "2,000 builds for 4 clients, 8 at a time"
  (let* ((scheduler (start-scheduler #:max-jobs 8 #:build (const 'built)))
         (nodes (lambda (client)
                  (map (lambda (n)
                         (cons (format #f "~a-~a" (quotient client 2) n)
                               (if (< n 8)
                                   '()
                                   (list (format #f "~a-~a"
                                                 (quotient client 2)
                                                 (- n 8))))))
                       (iota 500))))
         (answers (map (lambda (client)
                         (start-thread
                          (lambda ()
                            (call-with-client scheduler
                              (lambda (submit mailbox)
                                (submit (nodes client))
                                (last (get-until mailbox 'done)))))))
                       (iota 4))))
    (every (match-lambda
             (('done 1 results)
              (and (= 500 (length results))
                   (every (lambda (result) (eq? 'built (cdr result)))
                          results))))
           (map join-thread answers))))

(test-end "scheduler-loop")
