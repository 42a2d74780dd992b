;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; From what a client wants built to what has to be built for it: the
;;; derivations whose outputs are missing, and which of them need which.
;;;
;;; 1. A derivation whose wanted outputs are valid is not looked into, so that
;;;    the inputs of what exists may be gone.
;;; 2. Whatever is looked at is kept from the collector first, so that what
;;;    was found valid stays so.
;;; 3. The walk keeps its own stack: the depth of a graph is the client's
;;;    choice.
;;; Code:

(define-module (fruix session plan)
  #:use-module (fruix derivation)
  #:use-module (fruix errors)
  #:use-module (fruix store)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:export (plan-builds
            plan-nodes
            plan-goals
            plan-missing))

;; As many derivations may have a part in one request.
(define %derivations-limit 100000)

(define-record-type <plan>
  (make-plan nodes goals missing)
  plan?
  (nodes plan-nodes)        ;list of (DRV . derivations that it needs built)
  (goals plan-goals)        ;list of DRVs
  (missing plan-missing))   ;list of DRVs that are not valid

(define (parse-request request)
  "Return the derivation that REQUEST asks for and the list of outputs that it
names, #f for all of them; or #f if it is no derivation."
  (match (string-split request #\!)
    ((drv)
     (and (string-suffix? ".drv" drv) (cons drv #f)))
    ((drv outputs)
     (cons drv (string-split outputs #\,)))
    (_ (fail "cannot build `~a': it is no derivation and its outputs"
             request))))

(define (derivation-reader store)
  "Return a procedure that takes a derivation's path and returns what is in
the file, reading each one once."
  (define known (make-hash-table))
  (define count 0)
  (lambda (drv)
    (or (hash-ref known drv)
        (let ((derivation (begin
                            (add-temp-root! store drv)
                            (read-derivation store drv))))
          (set! count (+ count 1))
          (when (> count %derivations-limit)
            (fail "more than ~a derivations in one request"
                  %derivations-limit))
          (hash-set! known drv derivation)
          derivation))))

(define (wanted-outputs drv derivation names)
  (define outputs (derivation-outputs derivation))
  (if names
      (map (lambda (name)
             (or (find (lambda (output)
                         (string=? name (derivation-output-name output)))
                       outputs)
                 (fail "derivation `~a' has no output `~a'" drv name)))
           names)
      outputs))

(define (needed-graph goals needs)
  "Return an alist from GOALS, and all that these need, to what each needs
itself; NEEDS is a procedure that tells."
  (define nodes (make-hash-table))
  (let walk ((todo goals))
    (match todo
      (()
       (hash-map->list (lambda (drv inputs) (cons drv (vector-ref inputs 0)))
                       nodes))
      ((drv . rest)
       (if (hash-ref nodes drv)
           (walk rest)
           (let ((inputs (needs drv)))
             (hash-set! nodes drv (vector inputs)) ;true if empty, too
             (walk (append inputs rest))))))))

(define (plan-builds store requests)
  "Return the plan for @var{requests}, a list of octet strings, each a
derivation, a derivation with some of its outputs as in @code{DRV!out,doc}, or
another store item, for which nothing is ever built.  Nothing is planned for
what is valid in @var{store}.  The derivations and outputs become temporary
roots.  Raise a @code{&fruix-error} on unknown outputs, malformed derivations,
and more than 100,000 derivations."
  (define read (derivation-reader store))

  (define (missing? path)
    (add-temp-root! store path)
    (not (valid-path? store path)))

  (define (unbuilt? drv names)
    (any (compose missing? derivation-output-path)
         (wanted-outputs drv (read drv) names)))

  (define (needs drv)
    (filter-map (match-lambda
                  ((input . names) (and (unbuilt? input names) input)))
                (derivation-inputs (read drv))))

  (call-with-values
      (lambda ()
        (partition (match-lambda ((drv . _) (missing? drv)))
                   (filter-map parse-request requests)))
    (lambda (missing present)
      (let ((goals (delete-duplicates
                    (filter-map (match-lambda
                                  ((drv . names)
                                   (and (unbuilt? drv names) drv)))
                                present))))
        (make-plan (needed-graph goals needs) goals (map car missing))))))
