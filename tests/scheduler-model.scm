;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Random histories of the scheduler, beside a model of it.
;;;
;;; The model keeps, in the plainest way, what requests still miss; after each
;;; event the actions must be those that it allows.  Whatever else happens is
;;; a 'violation'.  The options of a request are its client, so that one sees
;;; whose options a build has.
;;; Code:

(define-module (tests scheduler-model)
  #:use-module (fruix scheduler)
  #:use-module ((fruix scheduler task) #:select (task task-kind))
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9 gnu)
  #:export (history))

;;;
;;; The model.
;;;

;; A request that has not been answered.
(define-immutable-record-type <ask>
  (make-ask client id goals keep-going? jobs missing failed stopped?)
  ask?
  (client ask-client)
  (id ask-id)
  (goals ask-goals)
  (keep-going? ask-keep-going?)         ;boolean | substitutes
  (jobs ask-jobs)                       ;integer | #f
  (missing ask-missing set-ask-missing) ;alist: drv -> what it needs
  (failed ask-failed set-ask-failed)    ;list of drvs
  (stopped? ask-stopped? set-ask-stopped?))

(define-immutable-record-type <model>
  (make-model max-jobs asks running chosen payers overtaken)
  model?
  (max-jobs model-max-jobs set-max-jobs)
  (asks model-asks set-asks)            ;list of <ask>
  (running model-running set-running)   ;alist: drv -> followers
  (chosen model-chosen set-chosen)      ;alist: running drv -> client whose
                                        ;options it was started with
  (payers model-payers set-payers)      ;alist: drv with a slot -> client
  (overtaken model-overtaken            ;alist: (WAITING . OTHER) -> count
             set-overtaken))

(define (needs ask drv)
  "Return what DRV needs in ASK that is missing."
  (filter (lambda (needed) (assoc needed (ask-missing ask)))
          (assoc-ref (ask-missing ask) drv)))

(define (wants? ask drv)
  (assoc drv (ask-missing ask)))

(define (ready model ask)
  "Return what of ASK could be started if there were a slot."
  (filter (lambda (drv)
            (and (not (assoc drv (model-running model)))
                 (null? (needs ask drv))))
          (map car (ask-missing ask))))

(define (wanters model drv)
  (delete-duplicates
   (map ask-client
        (filter (lambda (ask) (wants? ask drv)) (model-asks model)))))

(define (jobs-of model ask)
  (max 1 (or (ask-jobs ask) (model-max-jobs model))))

(define (slots model)
  (apply max 1 (model-max-jobs model)
         (map (lambda (ask) (jobs-of model ask)) (model-asks model))))

(define (within-limit? model ask)
  (< (count (lambda (entry) (eq? (cdr entry) (ask-client ask)))
            (model-payers model))
     (jobs-of model ask)))

(define (servable? model)
  (lambda (ask)
    (and (pair? (ready model ask)) (within-limit? model ask))))

(define (waiting-clients model)
  (delete-duplicates
   (map ask-client (filter (servable? model) (model-asks model)))))

(define (forget ask drv)
  (set-ask-missing ask (alist-delete drv (ask-missing ask))))

(define (fail-in ask drv)
  "Return ASK after DRV has failed, and what needs it."
  (if (wants? ask drv)
      (let ((needing (filter (lambda (node) (member drv (needs ask node)))
                             (map car (ask-missing ask)))))
        (fold (lambda (node ask) (fail-in ask node))
              (set-ask-failed (forget ask drv) (cons drv (ask-failed ask)))
              needing))
      ask))

(define (goes-on? ask drv)
  "Return true if the failure of DRV does not end ASK."
  (match (ask-keep-going? ask)
    ('substitutes (eq? 'substitute (task-kind drv)))
    (always? always?)))

(define (note-failure ask drv)
  "Return ASK after the end of DRV, of which it hears that it has failed."
  (if (and (wants? ask drv) (not (goes-on? ask drv)))
      (set-ask-stopped? (fail-in ask drv) #t)
      (fail-in ask drv)))

(define (over? ask)
  (or (null? (ask-missing ask))
      (ask-stopped? ask)))

(define (matter-of-options? result)
  "Return true if RESULT can be due to the options of one client."
  (match result
    (('failed kind _)
     (memq kind '(timeout transient substitute unrepeatable)))
    (_ #f)))

(define (retrying model event)
  "Return the clients that have to wait for another attempt after EVENT."
  (match event
    (('finished drv (? matter-of-options?))
     (delete (assoc-ref (model-chosen model) drv)
             (assoc-ref (model-running model) drv)))
    (_ '())))

(define (model-after model event)
  "Return MODEL after EVENT, before any actions."
  (match event
    (('request client id nodes goals keep-going? jobs _)
     (set-asks model
               (cons (make-ask client id goals keep-going? jobs nodes '() #f)
                     (model-asks model))))
    (('released drv)
     (set-payers model (alist-delete drv (model-payers model))))
    (('gone client)
     (set-asks model
               (remove (lambda (ask) (eq? client (ask-client ask)))
                       (model-asks model))))
    (('max-jobs n)
     (set-max-jobs model n))
    (('finished drv result)
     (let ((again (if (or (eq? result 'postponed)
                          (null? (assoc-ref (model-running model) drv)))
                      (map ask-client (model-asks model))
                      (retrying model event))))
       (set-asks (set-payers
                  (set-chosen
                   (set-running model (alist-delete drv (model-running model)))
                   (alist-delete drv (model-chosen model)))
                  (alist-delete drv (model-payers model)))
                 (map (lambda (ask)
                        (cond ((eq? result 'built) (forget ask drv))
                              ((memq (ask-client ask) again) ask)
                              (else (note-failure ask drv))))
                      (model-asks model)))))))

;;;
;;; What must hold.
;;;

(define (check condition . complaint)
  (unless condition
    (throw 'violation complaint)))

(define (check-results ask results)
  (check (equal? (map car results) (ask-goals ask)) "wrong goals" results)
  (for-each
   (match-lambda
     ((goal . result)
      (check (match result
               ('built (not (or (wants? ask goal)
                                (member goal (ask-failed ask)))))
               (('failed . _) (member goal (ask-failed ask)))
               (('cancelled) (wants? ask goal)))
             "wrong result" goal result)))
   results))

(define (overtake model client)
  "Return MODEL after a start in the turn of CLIENT; none of those who wait
may have been overtaken by it twice."
  (define waiting (delete client (waiting-clients model)))
  (define (count other)
    (or (assoc-ref (model-overtaken model) (cons other client)) 0))
  (for-each (lambda (other)
              (check (zero? (count other)) "overtaken twice" other client))
            waiting)
  (set-overtaken model
                 (append (map (lambda (other) (cons (cons other client) 1))
                              waiting)
                         (remove (lambda (entry) (eq? client (caar entry)))
                                 (model-overtaken model)))))

(define (forget-those-served model)
  "Return MODEL in which only those who wait count as overtaken."
  (let ((waiting (waiting-clients model)))
    (set-overtaken model
                   (filter (lambda (entry) (memq (caar entry) waiting))
                           (model-overtaken model)))))

(define (change-followers model drv proc)
  (let ((followers (assoc-ref (model-running model) drv)))
    (check followers "not running" drv)
    (set-running model (cons (cons drv (proc followers))
                             (alist-delete drv (model-running model))))))

(define (model-after-action model action)
  "Return MODEL after ACTION, which it must allow."
  (match action
    (('start drv (and clients (client . _)) options)
     (check (eq? client options) "options of another client" action)
     (check (not (assoc drv (model-running model))) "built twice" drv)
     (check (< (length (model-payers model)) (slots model))
            "too many jobs" drv)
     (check (lset= eq? clients (wanters model drv)) "wrong followers" action)
     (check (any (lambda (ask)
                   (and (eq? client (ask-client ask))
                        (within-limit? model ask)
                        (member drv (ready model ask))))
                 (model-asks model))
            "not ready, or too many jobs for the client" drv)
     (let ((model (overtake model client)))
       (set-payers (set-chosen
                    (set-running model (acons drv clients
                                              (model-running model)))
                    (acons drv client (model-chosen model)))
                   (acons drv client (model-payers model)))))
    (('retry drv client)
     (check (memq client (wanters model drv)) "retried in vain" action)
     model)
    (('join drv client)
     (change-followers model drv
                       (lambda (followers)
                         (check (pair? followers) "cancelled was joined" drv)
                         (cons client followers))))
    (('leave drv client)
     (change-followers model drv
                       (lambda (followers) (delete client followers))))
    (('cancel drv)
     (check (null? (wanters model drv)) "cancelled though wanted" drv)
     (change-followers model drv (const '())))
    (('done client id results)
     (let ((ask (find (lambda (ask)
                        (and (eq? client (ask-client ask))
                             (eqv? id (ask-id ask))))
                      (model-asks model))))
       (check ask "answered without a request" client id)
       (check (over? ask) "answered too early" client id)
       (check-results ask results)
       (set-asks model (delq ask (model-asks model)))))))

(define (check-retries model event actions)
  "Complain unless ACTIONS tell those to wait that EVENT lets wait in MODEL."
  (check (lset= eq? (retrying model event)
                (filter-map (match-lambda
                              (('retry _ client) client)
                              (_ #f))
                            actions))
         "not those who try again" event actions))

(define (check-settled model)
  "Complain if MODEL, in which all actions were taken, should have had more."
  (check (not (any over? (model-asks model))) "an answer is missing")
  (check (or (>= (length (model-payers model)) (slots model))
             (null? (waiting-clients model)))
         "a slot is free, and something waits")
  (for-each (match-lambda
              ((drv)
               #t)
              ((drv . followers)
               (check (lset= eq? followers (wanters model drv))
                      "followers" drv)))
            (model-running model)))

;;;
;;; Histories.
;;;

(define (name n)
  "Return the task with the number N: every third is a substitution."
  (task (if (zero? (modulo n 3)) 'substitute 'build)
        (string-append "/" (number->string n))))

(define (random-graph size random)
  "Return an alist from SIZE derivations to those that they need."
  (map (lambda (n)
         (cons (name n)
               (delete-duplicates
                (map (lambda (_) (name (random n)))
                     (iota (if (zero? n) 0 (random 3)))))))
       (iota size)))

(define (closure graph valid goals)
  "Return the nodes to build for GOALS, of GRAPH, when those of VALID need no
building."
  (let loop ((todo goals) (nodes '()))
    (match todo
      (() nodes)
      ((drv . rest)
       (if (or (member drv valid) (assoc drv nodes))
           (loop rest nodes)
           (let ((needed (assoc-ref graph drv)))
             (loop (append needed rest) (acons drv needed nodes))))))))

(define (random-event model graph valid serial random)
  "Return an event that can happen in MODEL."
  (define (pick list) (list-ref list (random (length list))))
  (define running (map car (model-running model)))
  (define (some-result)
    (match (random 10)
      (0 '(failed failed "exit code 1"))
      (1 (list 'failed
               (pick '(timeout transient substitute unrepeatable output))
               "wanted so"))
      (2 'postponed)
      (_ 'built)))
  (match (random 10)
    ((or 0 1 2)
     (let ((client (pick '(a b c d)))
           (goals (map (lambda (_) (car (pick graph)))
                       (iota (+ 1 (random 3))))))
       `(request ,client ,serial ,(closure graph valid goals) ,goals
                 ,(pick '(#t #t #f substitutes)) ,(pick '(#f #f 0 1 2 5))
                 ,client)))
    (3 (match (random 4)
         ((or 0 1) `(gone ,(pick '(a b c d))))
         (2 `(max-jobs ,(random 5)))
         (3 (if (null? running)
                `(max-jobs ,(random 5))
                `(released ,(pick running))))))
    (_ (if (null? running)
           (random-event model graph valid serial random)
           `(finished ,(pick running) ,(some-result))))))

(define (take-event state model event)
  "Give EVENT to the scheduler in STATE; return its next state, that of MODEL,
and the actions."
  (call-with-values (lambda () (schedule state event))
    (lambda (state actions)
      (check-retries model event actions)
      (let ((model (fold (lambda (action model)
                           (model-after-action model action))
                         (forget-those-served (model-after model event))
                         actions)))
        (check-settled model)
        (values state (forget-those-served model) actions)))))

(define (bring-to-an-end state model trace result)
  "Finish all builds of STATE with RESULT, until all requests have been
answered; return TRACE with the actions before it."
  (let loop ((state state) (model model) (trace trace) (left %patience))
    (check (positive? left) "trying for ever")
    (match (model-running model)
      (()
       (check (null? (model-asks model)) "waiting for ever")
       (check (scheduler-idle? state) "not idle")
       trace)
      (((drv . _) . _)
       (call-with-values
           (lambda () (take-event state model `(finished ,drv ,result)))
         (lambda (state model actions)
           (loop state model (cons actions trace) (- left 1))))))))

;; The length of a history, before it is brought to an end.
(define %events 40)

;; Builds that may take: each derivation once for each request.
(define %patience (* 12 %events))

(define (history seed)
  "Run the history of @var{seed}, an integer; return its actions, latest
first.  Throw @code{violation} when they are not what the model allows."
  (define random-state (seed->random-state seed))
  (define (random* n) (random n random-state))
  (define graph (random-graph (+ 1 (random* 12)) random*))
  (define jobs (random* 5))
  (let loop ((step 0) (valid '()) (trace '())
             (state (make-scheduler #:max-jobs jobs))
             (model (make-model jobs '() '() '() '() '())))
    (if (= step %events)
        (bring-to-an-end state model trace
                         (if (even? seed)
                             'built
                             '(failed timeout "wanted so")))
        (let ((event (random-event model graph valid step random*)))
          (call-with-values (lambda () (take-event state model event))
            (lambda (state model actions)
              (loop (+ step 1)
                    ;; Clients learn at different times that it is valid now.
                    (match event
                      (('finished drv 'built)
                       (if (zero? (random* 4)) valid (cons drv valid)))
                      (_ valid))
                    (cons actions trace) state model)))))))
