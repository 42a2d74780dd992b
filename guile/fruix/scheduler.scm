;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Which build starts when, and for whom: a pure function from a state and an
;;; event to the next state and actions.  After each event:
;;;
;;; 1. No derivation is being built twice at once.
;;; 2. No more than 'max-jobs' builds run, counting those that were cancelled
;;;    and have not ended yet; fewer only after 'max-jobs' was lowered, or
;;;    when nothing is ready.
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
;;;
;;; The requests are listed in the order of turns, so the first that has
;;; something ready is served next.
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
  (running  scheduler-running  set-running)       ;map: drv -> followers
  (actions  scheduler-actions  set-actions))      ;latest first

(define* (make-scheduler #:key (max-jobs 1))
  "Return the state of a scheduler without requests that runs at most
@var{max-jobs} builds, a non-negative integer, at a time."
  (%make-scheduler max-jobs '() empty-map '()))

(define (schedule state event)
  "Return two values: the state of the scheduler that was in @var{state} when
@var{event} came, and the list of actions to take, in order.  Events are:

@table @code
@item (request @var{client} @var{id} @dots{})
@var{client} asks for derivations; the rest are @var{nodes}, @var{goals},
@var{keep-going?} and @var{options} as in @code{make-request}.
@item (finished @var{drv} @var{result})
a build has ended; @var{result} is @code{built} or @code{(failed @var{kind}
@var{message})}.
@item (gone @var{client})
nobody waits for the requests of @var{client} any more.
@item (max-jobs @var{n})
from now on @var{n} builds may run at a time.
@end table

Clients, identifiers and options are any objects.  Actions are:

@table @code
@item (start @var{drv} @var{clients} @var{options})
build @var{drv}; @var{clients} follow it, and the first is the one whose turn
it was, and whose request had the @var{options}.
@item (join @var{drv} @var{client})
@var{client} now follows a build that is running.
@item (leave @var{drv} @var{client})
@var{client} no longer follows it; others do.
@item (cancel @var{drv})
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
    (('request client id nodes goals keep-going? options)
     (let ((request (make-request client id nodes goals keep-going? options
                                  (busy-in state))))
       (set-requests state
                     (append (scheduler-requests state) (list request)))))
    (('finished drv result)
     (if (busy? state drv)
         (finish state drv result)
         state))
    (('gone client)
     (set-requests state
                   (remove (belongs-to client) (scheduler-requests state))))
    (('max-jobs n)
     (set-max-jobs state n))))

(define (follow-up state)
  "Return @var{state} with all that follows from the last event."
  (start-builds (update-followers (answer (give-up state)))))

(define (act state action)
  (set-actions state (cons action (scheduler-actions state))))

(define (followers state drv)
  "Return the followers of the running build of @var{drv}, or @code{#f}."
  (map-ref (scheduler-running state) drv))

(define (busy? state drv)
  (->bool (followers state drv)))

(define (busy-in state)
  (lambda (drv) (busy? state drv)))

(define (belongs-to client)
  (lambda (request) (eqv? client (request-client request))))

(define (change-requests state proc)
  (set-requests state (map proc (scheduler-requests state))))

(define (finish state drv result)
  "Return @var{state} after the build of @var{drv} has ended with
@var{result}."
  (let* ((cancelled? (null? (followers state drv)))
         (state (set-running state
                             (map-delete (scheduler-running state) drv))))
    (change-requests
     state
     (lambda (request)
       (cond ((eq? result 'built)
              (request-built request drv (busy-in state)))
             (cancelled? (request-return request drv))
             (else (request-failed request drv result)))))))

(define (give-up state)
  "Fail the requests that would wait for ever."
  (define (under-way? request)
    (map-fold (lambda (drv _ found?)
                (or found? (request-wants? request drv)))
              #f
              (scheduler-running state)))
  (define (reconsider request)
    (cond ((or (request-over? request) (under-way? request))
           request)
          ((not (request-first-ready request))
           (request-give-up request
                            '(failed rejected "dependencies form a cycle")))
          ((zero? (scheduler-max-jobs state))
           (request-give-up request
                            '(failed transient
                                     "the maximum number of jobs is 0")))
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

(define (interested state drv)
  "Return the clients that have a request which wants @var{drv}, in the order
of turns."
  (delete-duplicates
   (filter-map (lambda (request)
                 (and (request-wants? request drv) (request-client request)))
               (scheduler-requests state))
   eqv?))

(define (update-followers state)
  "Bring the followers of running builds up to date."
  (define (update drv old state)
    (let ((new (interested state drv)))
      (cond ((null? old) state)
            ((null? new)
             (act (set-followers state drv '()) `(cancel ,drv)))
            (else
             (act-for-each
              (act-for-each (set-followers state drv new)
                            'leave drv (lset-difference eqv? old new))
              'join drv (lset-difference eqv? new old))))))
  (map-fold update state (scheduler-running state)))

(define (set-followers state drv clients)
  (set-running state (map-set (scheduler-running state) drv clients)))

(define (act-for-each state verb drv clients)
  (fold (lambda (client state) (act state (list verb drv client)))
        state
        clients))

(define (start-builds state)
  "Start builds as long as there are slots and something is ready."
  (match (and (< (map-size (scheduler-running state))
                 (scheduler-max-jobs state))
              (find request-first-ready (scheduler-requests state)))
    (#f state)
    (request (start-builds (serve state (request-client request))))))

(define (serve state client)
  "Start the first ready build of @var{client}, and make it the last in turn."
  (let*-values
      (((its others)
        (partition (belongs-to client) (scheduler-requests state)))
       ((request) (first-to-serve its))
       ((drv) (request-first-ready request))
       ((clients) (cons client (delete client (interested state drv) eqv?)))
       ((state) (set-requests state (append others its)))
       ((state) (change-requests state (lambda (request)
                                         (request-take request drv)))))
    (act (set-followers state drv clients)
         `(start ,drv ,clients ,(request-options request)))))

(define (first-to-serve requests)
  "Return the one of @var{requests}, of one client, that was made first of
those with something ready."
  (find request-first-ready requests))

(define (scheduler-idle? state)
  "Return true if in @var{state} nobody waits and no build runs."
  (and (null? (scheduler-requests state))
       (map-empty? (scheduler-running state))))

(define (scheduler-clients state)
  "Return the list of clients that wait for an answer in @var{state}."
  (delete-duplicates (map request-client (scheduler-requests state)) eqv?))

(define (scheduler-contended? state drv)
  "Return true if in @var{state} a client that does not follow the running
build of @var{drv} has something ready that waits for a slot."
  (any (lambda (request)
         (and (request-first-ready request)
              (not (memv (request-client request)
                         (or (followers state drv) '())))))
       (scheduler-requests state)))

(define (scheduler-builds state)
  "Return all builds in @var{state}, a list of @code{(@var{drv} @var{phase}
@var{wanters})} sorted by @var{drv}.  The phase is @code{running},
@code{cancelled}, when it has not ended yet, or @code{queued}; the wanters are
an alist from clients to the options of a request of theirs that wants it."
  (define (phase drv)
    (match (followers state drv)
      (#f 'queued)
      (() 'cancelled)
      (_  'running)))
  (define (add-request request wanted)
    (map-fold (lambda (drv _ wanted)
                (let ((wanters (map-ref wanted drv '())))
                  (if (assv (request-client request) wanters)
                      wanted
                      (map-set wanted drv
                               (acons (request-client request)
                                      (request-options request)
                                      wanters)))))
              wanted
              (request-missing request)))
  (define everything
    (fold add-request
          (map-fold (lambda (drv _ wanted) (map-set wanted drv '()))
                    empty-map
                    (scheduler-running state))
          (scheduler-requests state)))
  (reverse (map-fold (lambda (drv wanters builds)
                       (cons (list drv (phase drv) wanters) builds))
                     '()
                     everything)))
