;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Which task is started when, and for whom: a pure function from a state and
;;; an event to the next state and actions.  Most tasks are builds, and are
;;; called so here.  After each event:
;;;
;;; 1. No task is being done twice at once.
;;; 2. No more builds have a slot than the daemon allows, or, up to a limit, the
;;;    most demanding client whose request is not over; nor more for a client
;;;    than it wants.
;;;    Those that were cancelled and have not ended yet count; those that
;;;    another machine does have given their slot back.  There are fewer only
;;;    when nothing is ready.  There always is one slot, if only to find out
;;;    that nothing can be built here.
;;; 3. The followers of a build are the clients that have a request which
;;;    wants it; a build without followers has been cancelled.
;;; 4. A cancelled build is not joined: who wants it waits for its end, and
;;;    has it built again unless it was finished all the same.
;;; 5. Each request is answered once, as soon as it is over, unless its
;;;    client has gone.
;;; 6. A request that is not over has a node ready or with a builder, so it
;;;    does not wait for ever.
;;; 7. Clients take turns: between two starts for one client, each other that
;;;    has something ready gets one.
;;; 8. What may have failed because of the options of the client for which it
;;;    was started fails for that client alone.  For others it is started
;;;    again, with the options of one of them; so that comes to an end.
;;;
;;; All clients wait for it, so it takes what takes long ready-made: the graph
;;; of a request's nodes.
;;;
;;; The requests are listed in the order of turns, those of one client side by
;;; side; so the first that has something ready is served next.
;;; Code:

(define-module (fruix scheduler)
  #:use-module (fruix map)
  #:use-module (fruix scheduler request)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-11)
  #:use-module (srfi srfi-9 gnu)
  #:export (make-scheduler
            schedule
            scheduler-idle?
            scheduler-clients
            scheduler-contended?
            scheduler-builds))

(define-immutable-record-type <scheduler>
  (%make-scheduler max-jobs requests running actions)
  scheduler?
  (max-jobs scheduler-max-jobs set-max-jobs)      ;non-negative integer
  (requests scheduler-requests set-requests)      ;list of <request>
  (running  scheduler-running  set-running)       ;map: task -> <job>
  (actions  scheduler-actions  set-actions))      ;latest first

;; A build that runs.
(define-immutable-record-type <job>
  (make-job followers payer slot?)
  job?
  (followers job-followers set-job-followers)     ;list of clients
  (payer     job-payer)                           ;client whose turn it was
  (slot?     job-slot?     set-job-slot?))        ;false if done elsewhere

(define* (make-scheduler #:key (max-jobs 1))
  "Return the state of a scheduler without requests that runs at most
@var{max-jobs} builds, a non-negative integer, at a time for a client that
does not say how many it wants."
  (%make-scheduler max-jobs '() empty-map '()))

(define (schedule state event)
  "Return two values: the state of the scheduler that was in @var{state} when
@var{event} came, and the list of actions to take, in order.  Events are:

@table @code
@item (request @var{client} @var{id} @dots{})
@var{client} asks for tasks to be done; the rest are @var{nodes},
@var{goals}, @var{keep-going?}, @var{jobs} and @var{options} as in
@code{make-request}.
@item (released @var{task})
another machine does it, or is waited for, so it needs no slot here.
@item (finished @var{task} @var{result})
a build has ended; @var{result} is @code{built}, @code{postponed} if it is to
be started again, or @code{(failed @var{kind} @var{message})}.
@item (gone @var{client})
nobody waits for the requests of @var{client} any more.
@item (max-jobs @var{n})
from now on @var{n} builds may run at a time.
@end table

Clients, identifiers and options are any objects.  Actions are:

@table @code
@item (start @var{task} @var{clients} @var{options})
build @var{task}; @var{clients} follow it, and the first is the one whose turn
it was, and whose request had the @var{options}.
@item (join @var{task} @var{client})
@var{client} now follows a build that is running.
@item (leave @var{task} @var{client})
@var{client} no longer follows it; others do.
@item (retry @var{task} @var{client})
@var{client} followed a build that has ended, and waits for another attempt.
@item (cancel @var{task})
end the build: nobody follows it any more.  It keeps its slot until it has
@code{finished}.
@item (done @var{client} @var{id} @var{results})
answer the request; results are those of @code{request-results}.
@end table"
  (let ((state (follow-up (handle state event))))
    (values (set-actions state '())
            (reverse (scheduler-actions state)))))

(define (handle state event)
  "Return @var{state} with just what @var{event} itself says."
  (match event
    (('request client . rest)
     (let ((request (apply make-request client
                           (append rest (list (busy-in state))))))
       (set-requests state (enqueue (scheduler-requests state) request))))
    (('released task)
     (release state task))
    (('finished task result)
     (if (busy? state task)
         (finish state task result)
         state))
    (('gone client)
     (set-requests state
                   (remove (belongs-to client) (scheduler-requests state))))
    (('max-jobs n)
     (set-max-jobs state n))))

(define (enqueue requests request)
  "Return @var{requests} with @var{request} behind the others of its client, so
that the client keeps its turn when these are over; or at the end if there are
none."
  (define its? (belongs-to (request-client request)))
  (let*-values (((before others) (break its? requests))
                ((its after) (span its? others)))
    (append before its (list request) after)))

(define (follow-up state)
  "Return @var{state} with all that follows from the last event."
  (start-builds (update-followers (answer (give-up state)))))

(define (act state action)
  (set-actions state (cons action (scheduler-actions state))))

(define (act-for-each state verb task clients)
  (fold (lambda (client state) (act state (list verb task client)))
        state
        clients))

(define (job state task)
  "Return the running @code{<job>} for @var{task}, or @code{#f}."
  (map-ref (scheduler-running state) task))

(define (set-job state task job)
  (set-running state (map-set (scheduler-running state) task job)))

(define (busy? state task)
  (->bool (job state task)))

(define (cancelled? job)
  (null? (job-followers job)))

(define (busy-in state)
  (lambda (task) (busy? state task)))

(define (belongs-to client)
  (lambda (request) (eqv? client (request-client request))))

(define (change-requests state proc)
  (set-requests state (map proc (scheduler-requests state))))

(define (release state task)
  (match (job state task)
    (#f state)
    (job (set-job state task (set-job-slot? job #f)))))

;; Kinds of failures that may be due to what a client wants: limits of time,
;; other servers, many rounds, no jobs.
(define %personal-kinds '(timeout transient substitute unrepeatable))

(define (unconcerned job result)
  "Return the followers of @var{job} for which its end with @var{result} is no
failure."
  (match result
    (('failed (? (lambda (kind) (memq kind %personal-kinds))) _)
     (delete (job-payer job) (job-followers job) eqv?))
    (_ '())))

(define (finish state task result)
  "Return @var{state} after the build of @var{task} has ended with
@var{result}."
  (let* ((job (job state task))
         (again? (or (eq? result 'postponed) (cancelled? job)))
         (retrying (unconcerned job result))
         (state (set-running state
                             (map-delete (scheduler-running state) task))))
    (define (outcome request)
      (cond ((eq? result 'built)
             (request-built request task (busy-in state)))
            ((or again? (memv (request-client request) retrying))
             (request-return request task))
            (else (request-failed request task result))))
    (act-for-each (change-requests state outcome) 'retry task retrying)))

(define (give-up state)
  "Fail the requests that would wait for ever."
  (define (under-way? request)
    (map-fold (lambda (task _ found?)
                (or found? (request-wants? request task)))
              #f
              (scheduler-running state)))
  (define (reconsider request)
    (cond ((or (request-over? request) (under-way? request))
           request)
          ((not (request-first-ready request))
           (request-give-up request
                            '(failed rejected "dependencies form a cycle")))
          (else request)))
  (change-requests state reconsider))

(define (answer state)
  "Answer the requests that are over."
  (let-values (((over waiting)
                (partition request-over? (scheduler-requests state))))
    (fold (lambda (request state)
            (act state `(done ,(request-client request) ,(request-id request)
                              ,(request-results request))))
          (set-requests state waiting)
          over)))

(define (interested state task)
  "Return the clients that have a request which wants @var{task}, in the order
of turns."
  (delete-duplicates
   (filter-map (lambda (request)
                 (and (request-wants? request task) (request-client request)))
               (scheduler-requests state))
   eqv?))

(define (update-followers state)
  "Bring the followers of running builds up to date."
  (define (update task job state)
    (let ((old (job-followers job))
          (new (interested state task)))
      (cond ((null? old) state)
            ((null? new)
             (act (set-job state task (set-job-followers job '()))
                  `(cancel ,task)))
            (else
             (act-for-each
              (act-for-each (set-job state task (set-job-followers job new))
                            'leave task (lset-difference eqv? old new))
              'join task (lset-difference eqv? new old))))))
  (map-fold update state (scheduler-running state)))

;; Slots that a client may have though the daemon has fewer.  Each is a thread
;; with some descriptors, even while it waits for a build user.
(define %most-jobs 256)

(define (jobs-of state request)
  "Return how many slots @var{request} may have its client occupy."
  (let ((usual (scheduler-max-jobs state)))
    (max 1 (min (or (request-jobs request) usual)
                (max usual %most-jobs)))))

(define (slots state)
  "Return how many slots there are."
  (fold (lambda (request most)
          (max most (jobs-of state request)))
        (max 1 (scheduler-max-jobs state))
        (scheduler-requests state)))

(define (occupied state occupies?)
  "Return how many slots are occupied by jobs for which @var{occupies?}
returns true."
  (map-fold (lambda (_ job count)
              (if (and (job-slot? job) (occupies? job)) (+ count 1) count))
            0
            (scheduler-running state)))

(define (within-limit? state request)
  "Return true if the client of @var{request} may occupy another slot."
  (define (its? job)
    (eqv? (request-client request) (job-payer job)))
  (< (occupied state its?) (jobs-of state request)))

(define (servable? state)
  (lambda (request)
    (and (request-first-ready request)
         (within-limit? state request))))

(define (start-builds state)
  "Start builds as long as there are slots and something is ready."
  (match (and (< (occupied state (const #t)) (slots state))
              (find (servable? state) (scheduler-requests state)))
    (#f state)
    (request (start-builds (serve state (request-client request))))))

(define (serve state client)
  "Start the first ready build of @var{client}, and make it the last in turn."
  (let*-values
      (((its others)
        (partition (belongs-to client) (scheduler-requests state)))
       ((request) (find (servable? state) its))
       ((task) (request-first-ready request))
       ((clients) (cons client (delete client (interested state task) eqv?)))
       ((state) (set-requests state (append others its)))
       ((state) (change-requests state (lambda (request)
                                         (request-take request task)))))
    (act (set-job state task (make-job clients client #t))
         `(start ,task ,clients ,(request-options request)))))

(define (scheduler-idle? state)
  "Return true if in @var{state} nobody waits and no build runs."
  (and (null? (scheduler-requests state))
       (map-empty? (scheduler-running state))))

(define (scheduler-clients state)
  "Return the list of clients that wait for an answer in @var{state}."
  (delete-duplicates (map request-client (scheduler-requests state)) eqv?))

(define (scheduler-contended? state task)
  "Return true if in @var{state} a client that does not follow the running
build of @var{task} has something ready that waits for a slot."
  (define followers
    (match (job state task)
      (#f '())
      (job (job-followers job))))
  (any (lambda (request)
         (and ((servable? state) request)
              (not (memv (request-client request) followers))))
       (scheduler-requests state)))

(define (scheduler-builds state)
  "Return all builds in @var{state}, a list of @code{(@var{task} @var{phase}
@var{wanters})} sorted by @var{task}.  The phase is @code{running},
@code{cancelled}, when it has not ended yet, or @code{queued}; the wanters are
an alist from clients to the options of a request of theirs that wants it."
  (define (phase task)
    (match (job state task)
      (#f 'queued)
      ((? cancelled?) 'cancelled)
      (_ 'running)))
  (define (add-request request wanted)
    (map-fold (lambda (task _ wanted)
                (let ((wanters (map-ref wanted task '())))
                  (if (assv (request-client request) wanters)
                      wanted
                      (map-set wanted task
                               (acons (request-client request)
                                      (request-options request)
                                      wanters)))))
              wanted
              (request-missing request)))
  (define everything
    (fold add-request
          (map-fold (lambda (task _ wanted) (map-set wanted task '()))
                    empty-map
                    (scheduler-running state))
          (scheduler-requests state)))
  (reverse (map-fold (lambda (task wanters builds)
                       (cons (list task (phase task) wanters) builds))
                     '()
                     everything)))
