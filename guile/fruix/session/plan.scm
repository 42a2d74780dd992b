;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; From what a client wants to the tasks that get it there: derivations to
;;; build, items to substitute, and which of them need which.
;;;
;;; Whatever is looked at is kept from the collector first, so that what was
;;; found valid stays so.
;;; Code:

(define-module (fruix session plan)
  #:use-module ((fruix alist) #:select (inverse))
  #:use-module (fruix errors)
  #:use-module ((fruix scheduler task) #:select (task task-kind task-path))
  #:use-module (fruix session decisions)
  #:use-module (fruix session survey)
  #:use-module (fruix sorted-set)
  #:use-module (fruix store)
  #:use-module ((fruix store path) #:select (derivation-path?))
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:export (plan-builds
            plan-items
            plan-repairs
            plan-without
            plan-nodes
            plan-goals
            plan-missing
            plan-offers
            plan-preliminary?))

(define-record-type <plan>
  (make-plan nodes goals missing preliminary? offers)
  plan?
  (nodes plan-nodes)        ;list of (TASK . tasks that it needs)
  (goals plan-goals)        ;list of tasks
  (missing plan-missing)    ;list of paths that cannot be had
  (preliminary? plan-preliminary?) ;plan again when this is done
  (offers plan-offers))     ;procedure: path -> <substitutable> | #f


;;
;; What is asked for.
;;

(define (parse-request request)
  "Return what REQUEST asks for: (derivation DRV . NAMES), NAMES being #f for
all outputs, or a string with commas; or (item PATH)."
  (match (string-split request #\!)
    ((path)
     (if (derivation-path? path)
         `(derivation ,path . #f)
         `(item ,path)))
    ((drv outputs)
     `(derivation ,drv . ,outputs))
    (_ (fail "cannot build `~a': it is no derivation and its outputs"
             request))))


;;
;; Tasks.
;;

(define (substitution-tasks survey paths)
  (filter-map (lambda (path)
                (and (not (present? survey path)) (task 'substitute path)))
              paths))

(define (demanded-tasks decisions demand)
  "Return the tasks that fulfil DEMAND, a pair of a derivation and paths of its
outputs."
  (match demand
    ((drv . paths)
     (match (decision decisions drv)
       ('present '())
       ('substitute (substitution-tasks (decisions-survey decisions) paths))
       ('build (list (task 'build drv)))))))

(define (needs decisions kind path)
  "Return the tasks that the task of KIND for PATH needs."
  (define survey (decisions-survey decisions))
  (match kind
    ((or 'substitute 'replace)
     (substitution-tasks survey (survey-references survey path)))
    (_
     (append-map (lambda (demand) (demanded-tasks decisions demand))
                 (input-demands survey path)))))

(define (task-graph decisions goals)
  "Return an alist from GOALS, a list of tasks, and all that these need, to
what each needs itself."
  (define nodes (make-hash-table))
  (let walk ((todo goals))
    (match todo
      (()
       (hash-map->list (lambda (task needed)
                         (cons task (vector-ref needed 0)))
                       nodes))
      ((goal . rest)
       (if (hash-ref nodes goal)
           (walk rest)
           (let ((needed (needs decisions (task-kind goal)
                                (task-path goal))))
             (hash-set! nodes goal (vector needed)) ;true if empty, too
             (walk (append needed rest))))))))

(define* (tasks->plan decisions goals #:key (missing '()) preliminary?)
  (let ((goals (sorted-set goals)))
    (make-plan (task-graph decisions goals) goals missing preliminary?
               (lambda (path)
                 (survey-offer (decisions-survey decisions) path)))))


;;
;; Plans.
;;

(define (plan-derivations survey missing)
  "Return the plan to substitute MISSING, derivations that are not valid; the
rest must wait for what is in them.  It is #f if none can be."
  (look-for-substitutes! survey missing)
  (call-with-values
      (lambda ()
        (partition (lambda (drv) (substitutable? survey drv)) missing))
    (lambda (substitutable others)
      (and (pair? substitutable)
           (tasks->plan (make-decisions survey)
                        (substitution-tasks survey substitutable)
                        #:missing others
                        #:preliminary? #t)))))

(define (derivation-demands survey requests)
  "Return what REQUESTS, parsed ones for valid derivations, demand: for each
derivation one pair of it and store paths of its outputs."
  ;; One after the other: clients say how many names there are, and which are
  ;; the same.
  (define demands (make-hash-table))
  (for-each (match-lambda
              (('derivation drv . names)
               (hash-set! demands drv
                          (sorted-set
                           (append (wanted-paths
                                    drv (survey-derivation survey drv)
                                    (and names (string-split names #\,)))
                                   (hash-ref demands drv '()))))))
            requests)
  (hash-map->list cons demands))

(define (item-tasks survey items)
  "Return tasks that get ITEMS; there are none for what nobody has."
  (look-for! survey items)
  (look-for-substitutes! survey
                         (remove (lambda (item) (present? survey item))
                                 items))
  (substitution-tasks survey
                      (filter (lambda (item)
                                (or (present? survey item)
                                    (substitutable? survey item)))
                              items)))

(define (plan-present survey derivations items missing mode)
  "Return the plan for DERIVATIONS, parsed requests for valid derivations, and
ITEMS, store paths."
  (define decisions (make-decisions survey))
  (define demands (derivation-demands survey derivations))
  (define (check demand)
    (match demand
      ((drv . _)
       (let ((paths (output-paths (survey-derivation survey drv))))
         (look-for! survey paths)
         (unless (every (lambda (path) (present? survey path)) paths)
           (fail "some outputs of `~a' are not valid, so checking is not \
possible" drv))
         (decide-all! decisions (input-demands survey drv))
         (task 'check drv)))))
  (define goals
    (if (eq? mode 'check)
        (map check demands)
        (begin
          (decide-all! decisions demands)
          (append-map (lambda (demand) (demanded-tasks decisions demand))
                      demands))))
  (tasks->plan decisions (append goals (item-tasks survey items))
               #:missing missing))

(define* (plan-builds store requests #:key (mode 'normal)
                      (substitutable (const '())))
  "Return the plan for @var{requests}, a list of octet strings, each a
derivation, a derivation with some of its outputs as in @code{DRV!out,doc}, or
another store item, which is substituted if it can be.  Nothing is planned for
what is valid in @var{store}, unless @var{mode} is @code{check}: then all
derivations are built again, whose outputs must be valid.  The derivations,
outputs and substitutes become temporary roots.  @var{substitutable} is a
procedure from a list of store paths to a list of @code{<substitutable>}s.
Raise a @code{&fruix-error} on unknown outputs, malformed derivations, and
more than 100,000 derivations."
  (define survey (make-survey store substitutable))
  (define parsed (map parse-request requests))
  (define derivations
    (filter (match-lambda ((kind . _) (eq? kind 'derivation))) parsed))
  (define items
    (filter-map (match-lambda (('item path) path) (_ #f)) parsed))
  (look-for! survey (map cadr derivations))
  (call-with-values
      (lambda ()
        (partition (match-lambda ((_ drv . _) (present? survey drv)))
                   derivations))
    (lambda (present missing)
      (let ((missing (sorted-set (map cadr missing))))
        (or (and (pair? missing) (plan-derivations survey missing))
            (plan-present survey present items missing mode))))))

(define (plan-items store items substitutable)
  "Return the plan to substitute those of @var{items}, store paths, that are
not valid in @var{store} and can be substituted.  @var{substitutable} is as for
@code{plan-builds}."
  (define survey (make-survey store substitutable))
  (tasks->plan (make-decisions survey) (item-tasks survey items)))

(define (plan-repairs store damaged substitutable)
  "Return the plan to make @var{damaged}, valid items of @var{store} whose files
are not what they should be, good again: from a substitute, or else by building
their derivers.  What can be had in neither way is missing from it.
@var{substitutable} is as for @code{plan-builds}."
  (define survey (make-survey store substitutable))
  (define decisions (make-decisions survey))
  (define (deriver item)
    (let ((drv (path-info-deriver (query-path-info store item))))
      (and drv (valid-path? store drv) drv)))
  (define (goal item)
    (cond ((substitutable? survey item)
           (task 'replace item))
          ((deriver item)
           => (lambda (drv)
                (decide-all! decisions (input-demands survey drv))
                (task 'repair drv)))
          (else #f)))
  (look-for-substitutes! survey damaged)
  (let ((goals (map goal damaged)))
    (tasks->plan decisions (filter identity goals)
                 #:missing (filter-map (lambda (item goal)
                                         (and (not goal) item))
                                       damaged goals))))

(define (with-dependents nodes tasks)
  "Return a hash table of TASKS and all that need one of them in NODES."
  (define dependents (inverse nodes))
  (define found (make-hash-table))
  (let walk ((todo tasks))
    (match todo
      (() found)
      ((task . rest)
       (if (hash-ref found task)
           (walk rest)
           (begin
             (hash-set! found task #t)
             (walk (append (hash-ref dependents task '()) rest))))))))

(define (plan-without plan tasks)
  "Return two values: @var{plan} without @var{tasks}, which are known to fail,
and all that needs them; and the paths of those among them that were goals."
  (if (null? tasks)
      (values plan '())
      (let* ((lost (with-dependents (plan-nodes plan) tasks))
             (lost? (lambda (task) (hash-ref lost task))))
        (values (make-plan (remove (match-lambda ((task . _) (lost? task)))
                                   (plan-nodes plan))
                           (remove lost? (plan-goals plan))
                           (plan-missing plan)
                           (plan-preliminary? plan)
                           (plan-offers plan))
                (map task-path (filter lost? (plan-goals plan)))))))
