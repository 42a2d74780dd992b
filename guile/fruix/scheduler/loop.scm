;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The scheduler at work: a thread that turns events into actions.
;;;
;;; 1. One thread owns the state and the table of running builds.  Others send
;;;    it events, and see a copy that never changes.
;;; 2. It never waits for anything but its inbox.
;;; 3. A build runs in one thread from its start to its end: a builder dies
;;;    with the thread that started it (PR_SET_PDEATHSIG).
;;; 4. Each build that was started is reported as finished, whatever
;;;    happened.
;;; 5. When the thread itself fails, nothing would ever be answered again:
;;;    the process ends.
;;; Code:

(define-module (fruix scheduler loop)
  #:use-module (fruix errors)
  #:use-module (fruix flag)
  #:use-module (fruix mailbox)
  #:use-module (fruix map)
  #:use-module (fruix message)
  #:use-module (fruix scheduler)
  #:use-module (fruix scheduler feed)
  #:use-module ((fruix scheduler request) #:select (nodes->graph))
  #:use-module ((fruix scheduler task) #:select (task-kind task-path))
  #:use-module (fruix thread)
  #:use-module (fruix worker)
  #:use-module (ice-9 atomic)
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:export (start-scheduler
            stop-scheduler!
            call-with-subscription
            submit!
            snapshot))

(define-record-type <loop>
  (%make-loop inbox view build patience)
  loop?
  (inbox    loop-inbox)                 ;mailbox of events, and 'stop'
  (view     loop-view)                  ;atomic box: (STATE . JOBS)
  (build    loop-build)                 ;procedure: TASK ... -> result
  (patience loop-patience))             ;seconds

;; A build that runs.
(define-record-type <job>
  (make-job feed cancellation since)
  job?
  (feed         job-feed)
  (cancellation job-cancellation)       ;flag
  (since        job-since))             ;seconds since the epoch

;; A client in the eyes of the scheduler.
(define-record-type <subscription>
  (make-subscription uid pid mailbox count)
  subscription?
  (uid     subscription-uid)            ;integer
  (pid     subscription-pid)            ;integer
  (mailbox subscription-mailbox)
  (count   subscription-count set-subscription-count!)) ;of requests

;; Bytes of output that a client may leave unread before its builders wait.
(define %mailbox-capacity (expt 2 20))

;; Seconds for which it may keep others waiting.
(define %patience 10)

;;;
;;; What other threads do.
;;;

(define* (start-scheduler #:key (max-jobs 1) build (patience %patience)
                          (on-crash end-process))
  "Start a thread that schedules builds, at most @var{max-jobs} at a time, and
return its handle.

@code{(@var{build} @var{task} @var{options} @var{publish} @var{cancellation})}
is called in a thread of its own to build @var{task}.  It returns @code{built},
@code{postponed} to be called again when there is a slot, or @code{(failed
@var{kind} @var{message})}; an exception counts as a failure of kind
@code{transient}.  It may call @var{publish} with messages for the
followers: @code{(log @var{bytevector})} for output, and, with arguments of
its choice, @code{(started @dots{})}, which is also told to clients that
follow the build later, or @code{(@var{verb} @dots{})}; and with
@code{(released)} when from now on others do the work, or are waited for.  It
should give up when the flag @var{cancellation} is set.

A client that does not read output for @var{patience} seconds while others
wait gets no more of it.  If the thread itself fails, @var{on-crash} is called
with the exception; by default it ends the process."
  (let* ((state (make-scheduler #:max-jobs max-jobs))
         (loop (%make-loop (make-mailbox)
                           (make-atomic-box (cons state empty-map))
                           build patience)))
    (start-thread
     (lambda ()
       (guard (exception (#t (mailbox-close! (loop-inbox loop))
                             (on-crash exception)))
         (run loop state empty-map))))
    loop))

(define (end-process exception)
  (write-warning "scheduler: ~a" (exception->text exception))
  (primitive-_exit 70))

(define (stop-scheduler! loop)
  "End the scheduler @var{loop}: cancel all builds, close the mailboxes of all
clients that wait, and return when no build runs any more."
  (let ((ended (make-mailbox)))
    (mailbox-put! (loop-inbox loop) (list 'stop ended))
    (mailbox-get! ended)))

(define (send loop event)
  (unless (mailbox-put! (loop-inbox loop) event)
    (fail "the scheduler has stopped")))

(define* (call-with-subscription loop uid pid proc #:key
                                 (capacity %mailbox-capacity))
  "Call @var{proc} with a subscription to the scheduler @var{loop}, on behalf
of the process @var{pid} of the user @var{uid}, and with a mailbox, which can
be polled.  When @var{proc} returns or is left, the client is gone: builds
that nobody else wants are cancelled.  Into the mailbox come

@table @code
@item (started @var{task} @dots{})
@itemx (log @var{task} @var{bytevector})
@itemx (@var{verb} @var{task} @dots{})
what a build publishes that the client follows;
@item (finished @var{task} @var{result})
its end;
@item (retried @var{task} @var{text})
the same where another client's options may be why it has failed, which
@var{text} tells: it is built again;
@item (done @var{id} @var{results})
the answer to a request, @var{results} being an alist from its goals to
@code{built}, @code{(failed @var{kind} @var{message})} or @code{(cancelled)}.
@end table

and the end-of-file object when the scheduler stops.  When @var{capacity}
bytes of output have not been read, builders wait."
  (let* ((mailbox (make-mailbox #:capacity capacity #:weigh message-weight))
         (subscription (make-subscription uid pid mailbox 0)))
    (dynamic-wind
      (const #t)
      (lambda () (proc subscription mailbox))
      (lambda ()
        (mailbox-put! (loop-inbox loop) `(gone ,subscription))
        (mailbox-abandon! mailbox)))))

(define* (submit! loop subscription nodes goals keep-going? options
                  #:key jobs)
  "Ask the scheduler @var{loop} to do @var{nodes} on behalf of
@var{subscription}; return the identifier of the request, an integer.
@var{nodes} is a list of @code{(@var{task} @var{needed} @dots{})}: a task, as
@code{(fruix scheduler task)} names them, and those among the nodes that have
to be done before; @var{goals} the list of tasks to answer for.  If
@var{keep-going?} is true, a failure does not end the request; if it is
@code{substitutes}, that of a substitution does not.  @var{options}
is handed to the build procedure of @code{start-scheduler}; @var{jobs}, an
integer, is how many may be done at a time, by default the scheduler's number.
Raise a @code{&fruix-error} when the scheduler has stopped."
  (let ((id (+ 1 (subscription-count subscription))))
    (set-subscription-count! subscription id)
    ;; What takes time with many nodes is done here, in the client's thread.
    (send loop `(request ,subscription ,id ,(nodes->graph nodes) ,goals
                         ,keep-going? ,jobs
                         ,(cons (current-time) options)))
    id))

(define (snapshot loop)
  "Return what the scheduler @var{loop} has to do: a list of alists with the
keys @code{kind}, of task; @code{path}, its store path; @code{phase}, one of
@code{running}, @code{queued} and @code{cancelled}; @code{since}, the time when
it was started or asked for, in seconds since the epoch; @code{builder}, the
last value of the @code{started} message, or @code{#f}; and @code{clients}, a
list of pairs of user and process id."
  (match (atomic-box-ref (loop-view loop))
    ((state . jobs)
     (map (match-lambda
            ((task phase wanters)
             (let ((job (map-ref jobs task)))
               `((kind . ,(task-kind task))
                 (path . ,(task-path task))
                 (phase . ,phase)
                 (since . ,(if job
                               (job-since job)
                               (apply min (map cadr wanters))))
                 (builder . ,(and job
                                  (and=> (feed-started (job-feed job)) last)))
                 (clients . ,(map (match-lambda
                                    ((client . _)
                                     (cons (subscription-uid client)
                                           (subscription-pid client))))
                                  wanters))))))
          (scheduler-builds state)))))

;;;
;;; What the scheduler's thread does.
;;;

(define (run loop state jobs)
  "Handle events until a @code{stop} comes; @var{jobs} is a map from
derivations to the jobs that run."
  (match (mailbox-get! (loop-inbox loop))
    (('stop ended)
     (wind-down loop state jobs)
     (mailbox-put! ended 'ended))
    (event
     (call-with-values (lambda () (step loop state jobs event))
       (lambda (state jobs)
         (run loop state jobs))))))

(define (step loop state jobs event)
  "Handle @var{event}; return the new state and jobs."
  (call-with-values (lambda () (schedule state event))
    (lambda (state actions)
      ;; First, so that who hears of an end soon hears what follows from it.
      (let ((jobs (fold (lambda (action jobs) (perform loop jobs action))
                        (conclude jobs event actions)
                        actions)))
        (atomic-box-set! (loop-view loop) (cons state jobs))
        (values state jobs)))))

(define (conclude jobs event actions)
  "Return @var{jobs} without the one that has ended according to @var{event},
after telling its followers; for some of them @var{actions} say that it is not
over."
  (match event
    (('finished task result)
     (let* ((job (map-ref jobs task))
            (feed (job-feed job)))
       (unless (eq? result 'postponed)
         (for-each (lambda (client) (announce-retry! feed client result))
                   (retrying actions))
         (feed-announce! feed 'finished result))
       (flag-close! (job-cancellation job))
       (map-delete jobs task)))
    (_ jobs)))

(define (retrying actions)
  (filter-map (match-lambda
                (('retry _ client) client)
                (_ #f))
              actions))

(define (announce-retry! feed client result)
  "Tell @var{client}, and nobody else, that the build of @var{feed} has ended
with @var{result}, and is made again."
  (define mailbox (subscription-mailbox client))
  (match result
    (('failed _ text)
     (feed-leave! feed mailbox)
     (mailbox-put! mailbox `(retried ,(feed-task feed) ,text)))))

(define (perform loop jobs action)
  "Do what @var{action} says; return the new jobs."
  (define (feed task) (job-feed (map-ref jobs task)))
  (match action
    (('start task clients (_ . options))
     (map-set jobs task (start-job loop task clients options)))
    (('join task client)
     (follow! (feed task) client)
     jobs)
    (('leave task client)
     (feed-leave! (feed task) (subscription-mailbox client))
     jobs)
    (('cancel task)
     (feed-clear! (feed task))
     (flag-set! (job-cancellation (map-ref jobs task)))
     jobs)
    (('done client id results)
     (mailbox-put! (subscription-mailbox client) `(done ,id ,results))
     jobs)
    ;; The client was told when the build was concluded.
    (('retry _ _) jobs)))

(define (follow! feed client)
  (feed-join! feed (subscription-mailbox client)
              (and (positive? (subscription-pid client))
                   (subscription-pid client))))

(define (start-job loop task clients options)
  "Have a thread build @var{task}; return the job."
  (let* ((feed (make-feed task))
         (cancellation (make-flag))
         (job (make-job feed cancellation (current-time))))
    (for-each (lambda (client) (follow! feed client)) clients)
    (report-exceptions loop task
      (lambda ()
        (run-in-worker
         (lambda ()
           (report-exceptions loop task
             (lambda ()
               (send loop `(finished ,task
                                     ,((loop-build loop) task options
                                       (publisher loop task job)
                                       cancellation)))))))))
    job))

(define (report-exceptions loop task thunk)
  "Call @var{thunk}; if it raises an exception, say that the build of
@var{task} has failed."
  (guard (exception
          (#t (send loop `(finished ,task (failed transient
                                                 ,(exception->octets
                                                   exception))))))
    (thunk)))

(define (publisher loop task job)
  "Return the procedure by which the builder of @var{task} publishes messages."
  (define (cancelled?)
    (flag-set? (job-cancellation job)))
  (define (others-wait?)
    (match (atomic-box-ref (loop-view loop))
      ((state . _) (scheduler-contended? state task))))
  (match-lambda
    (('log bytes)
     (feed-write! (job-feed job) bytes (loop-patience loop)
                  cancelled? others-wait?))
    (('released)
     (send loop `(released ,task)))
    (message
     (apply feed-announce! (job-feed job) message))))

;;;
;;; Stopping.
;;;

(define (dismiss client)
  (mailbox-close! (subscription-mailbox client)))

(define (wind-down loop state jobs)
  "Dismiss all clients, and return when no build runs."
  (define (go-on event)
    (call-with-values (lambda () (step loop state jobs event))
      (lambda (state jobs)
        (wind-down loop state jobs))))
  (match (scheduler-clients state)
    ((client . _)
     (dismiss client)
     (go-on `(gone ,client)))
    (()
     (if (scheduler-idle? state)
         (close-inbox loop)
         (match (mailbox-get! (loop-inbox loop))
           (('request client . _)
            (dismiss client)
            (wind-down loop state jobs))
           (event (go-on event)))))))

(define (close-inbox loop)
  "Take no more events, and dismiss the clients whose requests are still
there."
  (define inbox (loop-inbox loop))
  (mailbox-close! inbox)
  (let drain ()
    (match (mailbox-get! inbox)
      (('request client . _)
       (dismiss client)
       (drain))
      ((? eof-object?) #t)
      (_ (drain)))))
