;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; One request's way from its nodes to its answer, as a value.
;;;
;;; A node is a task that must be done.  It is 'missing' until it has been done
;;; or has failed, and counts how many of those that it needs are missing still.
;;;
;;; 1. 'ready' holds just the missing nodes that need nothing missing, save
;;;    those that a builder has at the moment.
;;; 2. What needs a failed node has failed.
;;; 3. A request is over when nothing is missing, or when anything has failed
;;;    after which it does not keep going.
;;; Code:

(define-module (fruix scheduler request)
  #:use-module (fruix map)
  #:use-module ((fruix scheduler task)
                #:select (task-kind task-path task-order))
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9 gnu)
  #:export (nodes->graph
            make-request
            request-client
            request-id
            request-options
            request-jobs
            request-missing

            request-wants?
            request-first-ready
            request-over?
            request-results

            request-take
            request-return
            request-built
            request-failed
            request-give-up))

(define-immutable-record-type <request>
  (%make-request client id goals keep-going? jobs options missing dependents
                 ready failures stopped?)
  request?
  (client      request-client)          ;any object
  (id          request-id)              ;any object
  (goals       request-goals)           ;list of tasks
  (keep-going? request-keep-going?)     ;boolean, or 'substitutes'
  (jobs        request-jobs)            ;integer | #f: the client's own limit
  (options     request-options)         ;any object
  (missing     request-missing          ;map: node -> missing ones it needs
               set-request-missing)
  (dependents  request-dependents)      ;map: node -> nodes that need it
  (ready       request-ready            ;map: 'task-order' -> node
               set-request-ready)
  (failures    request-failures         ;map: node -> (failed KIND MESSAGE)
               set-request-failures)
  (stopped?    request-stopped?         ;is one of these the end?
               set-request-stopped?))

(define (edges nodes)
  "Return the list of pairs (NEEDED . NEEDING) in @var{nodes}, a map of nodes
to lists of tasks; what is not a node need not be done."
  (map-fold (lambda (node needed edges)
              (fold (lambda (task edges)
                      (if (map-ref nodes task)
                          (alist-cons task node edges)
                          edges))
                    edges
                    needed))
            '()
            nodes))

;; What is needed by what, before anything is done.
(define-immutable-record-type <graph>
  (make-graph missing dependents ready)
  graph?
  (missing    graph-missing)            ;these as in <request>
  (dependents graph-dependents)
  (ready      graph-ready))             ;all that need nothing

(define (nodes->graph nodes)
  "Return the graph of @var{nodes}, a list of @code{(@var{task} .
@var{needed})}: a task and those to be done before."
  (let* ((nodes (alist->map nodes))
         (edges (edges nodes)))
    (define dependents
      (fold (match-lambda*
              (((needed . node) map)
               (map-set map needed
                        (cons node (map-ref map needed '())))))
            empty-map
            edges))
    (define missing
      (fold (match-lambda*
              (((_ . node) missing) (adjust missing node 1)))
            (alist->map (map-fold (lambda (node _ zeros)
                                    (alist-cons node 0 zeros))
                                  '()
                                  nodes))
            edges))
    (define ready
      (map-fold (lambda (node count ready)
                  (if (zero? count)
                      (map-set ready (task-order node) node)
                      ready))
                empty-map
                missing))
    (make-graph missing dependents ready)))

(define (make-request client id nodes goals keep-going? jobs options busy?)
  "Return the request @var{id} of @var{client}.  @var{nodes} is a graph that
@code{nodes->graph} returned, or its argument, @var{goals} the tasks to answer
for, @var{keep-going?} whether to go on after a failure, which is
@code{substitutes} if only after that of a substitution, @var{jobs} how many
tasks may be done for the client at a time, or @code{#f} if it did not say.
@code{(@var{busy?} @var{task})} tells whether a builder has @var{task}
already."
  (match (if (graph? nodes) nodes (nodes->graph nodes))
    (($ <graph> missing dependents ready)
     (%make-request client id goals keep-going? jobs options
                    missing dependents
                    (map-fold (lambda (order node free)
                                (if (busy? node)
                                    (map-delete free order)
                                    free))
                              ready
                              ready)
                    empty-map #f))))

(define (adjust missing node difference)
  (map-set missing node (+ difference (map-ref missing node))))

(define (make-ready request node)
  (set-request-ready request
                     (map-set (request-ready request)
                              (task-order node) node)))

(define (request-wants? request task)
  "Return true if @var{task} is missing from @var{request}."
  (->bool (map-ref (request-missing request) task)))

(define (request-first-ready request)
  "Return the task of @var{request} to be done next, or @code{#f} if none can
be started now: the first by name of those that are ready."
  (let ((ready (request-ready request)))
    (map-ref ready (map-first-key ready))))

(define (request-take request task)
  "Return @var{request} after a builder has taken @var{task}."
  (let ((ready (request-ready request))
        (key (task-order task)))
    (if (map-ref ready key)
        (set-request-ready request (map-delete ready key))
        request)))

(define (request-return request task)
  "Return @var{request} after a builder has given up @var{task} for now, or for
reasons that do not matter to this request."
  (if (eqv? 0 (map-ref (request-missing request) task))
      (make-ready request task)
      request))

(define (forget request task)
  "Return @var{request} with @var{task} no longer missing."
  (request-take (set-request-missing request
                                     (map-delete (request-missing request)
                                                 task))
                task))

(define (dependents request task)
  (map-ref (request-dependents request) task '()))

(define (request-built request task busy?)
  "Return @var{request} after @var{task} has been built; @var{busy?} is as in
@code{make-request}."
  (define (built-for node request)
    (if (request-wants? request node)
        (let* ((missing (adjust (request-missing request) node -1))
               (request (set-request-missing request missing)))
          (if (and (zero? (map-ref missing node)) (not (busy? node)))
              (make-ready request node)
              request))
        request))
  (if (request-wants? request task)
      (fold built-for (forget request task) (dependents request task))
      request))

(define (substitution? task)
  (memq (task-kind task) '(substitute replace)))

(define (dependency-failure node task)
  "Return a text that says that @var{node} has failed because of @var{task}."
  (string-append (if (substitution? node)
                     "cannot substitute `"
                     "cannot build derivation `")
                 (task-path node) "': its dependency `" (task-path task)
                 "' could not be "
                 (if (substitution? task)
                     "substituted"
                     "built")))

(define (fatal? request task)
  "Return true if @var{request} does not go on after @var{task} has failed."
  (match (request-keep-going? request)
    ('substitutes (not (substitution? task)))
    (keep-going? (not keep-going?))))

(define (note-failure request node result)
  "Return @var{request} after @var{node} has failed with @var{result}."
  (forget (set-request-failures request
                                (map-set (request-failures request)
                                         node result))
          node))

(define (request-failed request task result)
  "Return @var{request} after @var{task} has failed with @var{result}, a list
@code{(failed @var{kind} @var{message})}, and with it all that need it."
  (define (consequence node)
    (if (eq? node task)
        result
        `(failed dependency ,(dependency-failure node task))))
  (let loop ((nodes (list task))
             (request (if (and (request-wants? request task)
                               (fatal? request task))
                          (set-request-stopped? request #t)
                          request)))
    (match nodes
      (() request)
      ((node . rest)
       (if (request-wants? request node)
           (loop (append (dependents request node) rest)
                 (note-failure request node (consequence node)))
           (loop rest request))))))

(define (request-give-up request result)
  "Return @var{request} after all that is missing has failed with
@var{result}."
  (map-fold (lambda (task _ request) (note-failure request task result))
            request
            (request-missing request)))

(define (request-over? request)
  "Return true if @var{request} can be answered."
  (or (map-empty? (request-missing request))
      (request-stopped? request)))

(define (request-results request)
  "Return the answer to @var{request}: a list of @code{(@var{goal} .
@var{result})}, a result being @code{built}, @code{(failed @var{kind}
@var{message})}, or @code{(cancelled)}, when another's failure has ended the
request before.  A goal that needed no building counts as built."
  (define (result goal)
    (or (map-ref (request-failures request) goal)
        (if (request-wants? request goal) '(cancelled) 'built)))
  (map (lambda (goal) (cons goal (result goal)))
       (request-goals request)))
