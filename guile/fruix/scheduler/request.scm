;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; One request's way from its nodes to its answer, as a value.
;;;
;;; A node is a derivation that must be built.  It is 'missing' until it has
;;; been built or has failed, and counts how many of those that it needs are
;;; missing still.
;;;
;;; 1. 'ready' holds just the missing nodes that need nothing missing, save
;;;    those that a builder has at the moment.
;;; 2. What needs a failed node has failed.
;;; 3. A request is over when nothing is missing, or when anything has failed
;;;    and it does not keep going.
;;; Code:

(define-module (fruix scheduler request)
  #:use-module (fruix map)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9 gnu)
  #:export (make-request
            request-client
            request-id
            request-options
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
  (%make-request client id goals keep-going? options missing dependents ready
                 failures)
  request?
  (client      request-client)          ;any object
  (id          request-id)              ;any object
  (goals       request-goals)           ;list of derivations
  (keep-going? request-keep-going?)     ;boolean
  (options     request-options)         ;any object
  (missing     request-missing          ;map: node -> missing ones it needs
               set-request-missing)
  (dependents  request-dependents)      ;map: node -> nodes that need it
  (ready       request-ready            ;map: 'build-order' -> node
               set-request-ready)
  (failures    request-failures         ;map: node -> (failed KIND MESSAGE)
               set-request-failures))

(define (build-order drv)
  "Return the string by which @var{drv} sorts among what is ready: the name of
the derivation comes before the hash in its file name."
  (let* ((base (+ 1 (or (string-rindex drv #\/) -1)))
         (name (+ base 33)))
    (if (and (< name (string-length drv))
             (char=? #\- (string-ref drv (- name 1))))
        (string-append (substring drv name) "\0" drv)
        (substring drv base))))

(define (edges nodes)
  "Return the list of pairs (NEEDED . NEEDING) in @var{nodes}, a map of nodes
to lists of derivations; what is not a node needs no building."
  (map-fold (lambda (node needed edges)
              (fold (lambda (drv edges)
                      (if (map-ref nodes drv)
                          (alist-cons drv node edges)
                          edges))
                    edges
                    needed))
            '()
            nodes))

(define (make-request client id nodes goals keep-going? options busy?)
  "Return the request @var{id} of @var{client}.  @var{nodes} is a list of
@code{(@var{drv} . @var{needed})}: a derivation to build and those to be built
before, @var{goals} the derivations to answer for, @var{keep-going?} whether
to go on after a failure.  @code{(@var{busy?} @var{drv})} tells whether a
builder has @var{drv} already."
  (let* ((nodes (alist->map nodes))
         (edges (edges nodes))
         (dependents
          (fold (match-lambda*
                  (((needed . node) map)
                   (map-set map needed
                            (cons node (map-ref map needed '())))))
                empty-map
                edges))
         (missing
          (fold (match-lambda*
                  (((_ . node) missing) (adjust missing node 1)))
                (alist->map (map-fold (lambda (node _ zeros)
                                        (alist-cons node 0 zeros))
                                      '()
                                      nodes))
                edges))
         (request (%make-request client id goals keep-going? options missing
                                 dependents empty-map empty-map)))
    (map-fold (lambda (node count request)
                (if (or (positive? count) (busy? node))
                    request
                    (make-ready request node)))
              request
              missing)))

(define (adjust missing node difference)
  (map-set missing node (+ difference (map-ref missing node))))

(define (make-ready request node)
  (set-request-ready request
                     (map-set (request-ready request)
                              (build-order node) node)))

(define (request-wants? request drv)
  "Return true if @var{drv} is missing from @var{request}."
  (->bool (map-ref (request-missing request) drv)))

(define (request-first-ready request)
  "Return the derivation of @var{request} to be built next, or @code{#f} if
none can be started now: the first by name of those that are ready."
  (let ((ready (request-ready request)))
    (map-ref ready (map-first-key ready))))

(define (request-take request drv)
  "Return @var{request} after a builder has taken @var{drv}."
  (let ((ready (request-ready request))
        (key (build-order drv)))
    (if (map-ref ready key)
        (set-request-ready request (map-delete ready key))
        request)))

(define (request-return request drv)
  "Return @var{request} after a builder has given up @var{drv}, for reasons
that do not matter to this request."
  (if (eqv? 0 (map-ref (request-missing request) drv))
      (make-ready request drv)
      request))

(define (forget request drv)
  "Return @var{request} with @var{drv} no longer missing."
  (request-take (set-request-missing request
                                     (map-delete (request-missing request)
                                                 drv))
                drv))

(define (dependents request drv)
  (map-ref (request-dependents request) drv '()))

(define (request-built request drv busy?)
  "Return @var{request} after @var{drv} has been built; @var{busy?} is as in
@code{make-request}."
  (define (built-for node request)
    (if (request-wants? request node)
        (let* ((missing (adjust (request-missing request) node -1))
               (request (set-request-missing request missing)))
          (if (and (zero? (map-ref missing node)) (not (busy? node)))
              (make-ready request node)
              request))
        request))
  (if (request-wants? request drv)
      (fold built-for (forget request drv) (dependents request drv))
      request))

(define (request-failed request drv result)
  "Return @var{request} after @var{drv} has failed with @var{result}, a list
@code{(failed @var{kind} @var{message})}, and with it all that need it."
  (define (consequence node)
    (if (eq? node drv)
        result
        `(failed dependency
                 ,(string-append "cannot build derivation `" node
                                 "': its dependency `" drv
                                 "' could not be built"))))
  (let loop ((nodes (list drv)) (request request))
    (match nodes
      (() request)
      ((node . rest)
       (if (request-wants? request node)
           (loop (append (dependents request node) rest)
                 (forget (set-request-failures
                          request (map-set (request-failures request)
                                           node (consequence node)))
                         node))
           (loop rest request))))))

(define (request-give-up request result)
  "Return @var{request} after all that is missing has failed with
@var{result}."
  (map-fold (lambda (drv _ request)
              (forget (set-request-failures
                       request
                       (map-set (request-failures request) drv result))
                      drv))
            request
            (request-missing request)))

(define (request-over? request)
  "Return true if @var{request} can be answered."
  (or (map-empty? (request-missing request))
      (not (or (request-keep-going? request)
               (map-empty? (request-failures request))))))

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
