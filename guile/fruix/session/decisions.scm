;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What becomes of the derivations that a request leads to: their wanted
;;; outputs are there, or can be substituted, or they are built.
;;;
;;; 1. A derivation whose wanted outputs are valid is not looked into, so that
;;;    the inputs of what exists may be gone.
;;; 2. One whose missing outputs can be substituted, with all that they refer
;;;    to, is not looked into either.
;;; 3. The walk goes level by level, so that each one asks once for all its
;;;    substitutes, and keeps its own stack: the depth of a graph is the
;;;    client's choice.
;;; Code:

(define-module (fruix session decisions)
  #:use-module (fruix derivation)
  #:use-module (fruix errors)
  #:use-module (fruix session survey)
  #:use-module (fruix sorted-set)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:export (output-paths
            wanted-paths
            input-demands

            make-decisions
            decisions-survey
            decision
            decide-all!))

;;
;; Demands: pairs of a derivation and those of its outputs that are wanted.
;;

(define (output-paths derivation)
  "Return the store paths of all outputs of @var{derivation}."
  (map derivation-output-path (derivation-outputs derivation)))

(define (wanted-paths drv derivation names)
  "Return the store paths of the outputs @var{names}, a list of strings, of
@var{derivation}, which is in @var{drv}, or of all if that is @code{#f}.  Raise
a @code{&fruix-error} if there is no such output."
  (define (path-of table)
    (lambda (name)
      (or (hash-ref table name)
          (fail "derivation `~a' has no output `~a'" drv name))))
  (if names
      (map (path-of (derivation-output-table derivation)) names)
      (output-paths derivation)))

(define (input-demands survey drv)
  "Return what building @var{drv}, a valid derivation, demands: a list of pairs
of a derivation and store paths of its outputs.  Raise a @code{&fruix-error} if
there is no such output, or no such derivation."
  (map (match-lambda
         ((input . names)
          (cons input (wanted-paths input (survey-derivation survey input)
                                    names))))
       (derivation-inputs (survey-derivation survey drv))))


;;
;; Decisions.
;;

(define-record-type <decisions>
  (%make-decisions survey wanted table)
  decisions?
  (survey decisions-survey)             ;<survey>
  (wanted decisions-wanted)             ;hash table: DRV -> set of paths
  (table decisions-table))              ;hash table: DRV -> symbol

(define (make-decisions survey)
  "Return a set of decisions, with none yet, about the store of
@var{survey}."
  (%make-decisions survey (make-hash-table) (make-hash-table)))

(define (decision decisions drv)
  "Return what becomes of the derivation @var{drv}: @code{present},
@code{substitute} or @code{build}; @code{#f} if that has not been decided."
  (hash-ref (decisions-table decisions) drv))

(define (want! decisions demand)
  "Note DEMAND, a pair of a derivation and paths of outputs; return true if
that is news."
  (match demand
    ((drv . paths)
     (let* ((wanted (decisions-wanted decisions))
            (old (hash-ref wanted drv '()))
            (all (sorted-set (append paths old))))
       (and (not (eq? 'build (decision decisions drv)))
            (or (> (length all) (length old)) (not (decision decisions drv)))
            (begin
              (hash-set! wanted drv all)
              #t))))))

(define (substitutes-allowed? survey drv)
  (let ((value (assoc-ref (derivation-environment
                           (survey-derivation survey drv))
                          "allowSubstitutes")))
    (or (not value) (string=? value "1"))))

(define (missing-paths decisions drv)
  (remove (lambda (path) (present? (decisions-survey decisions) path))
          (hash-ref (decisions-wanted decisions) drv)))

(define (decide! decisions drv)
  (define survey (decisions-survey decisions))
  (define missing (missing-paths decisions drv))
  (hash-set! (decisions-table decisions) drv
             (cond ((null? missing) 'present)
                   ((and (substitutes-allowed? survey drv)
                         (every (lambda (path) (substitutable? survey path))
                                missing))
                    'substitute)
                   (else 'build))))

(define (decide-all! decisions demands)
  "Make @var{decisions} about the derivations of @var{demands}, a list of pairs
of a valid derivation and the store paths of its outputs that are wanted, and
about all that building them demands.  Raise a @code{&fruix-error} on what
@code{input-demands} and @code{survey-derivation} do."
  (define survey (decisions-survey decisions))
  (let loop ((demands demands))
    (let ((drvs (sorted-set
                 (map car (filter (lambda (demand) (want! decisions demand))
                                  demands)))))
      (unless (null? drvs)
        (look-for! survey (append-map (lambda (drv)
                                        (hash-ref (decisions-wanted decisions)
                                                  drv))
                                      drvs))
        (look-for-substitutes!
         survey
         (append-map (lambda (drv) (missing-paths decisions drv))
                     (filter (lambda (drv) (substitutes-allowed? survey drv))
                             drvs)))
        (for-each (lambda (drv) (decide! decisions drv)) drvs)
        (loop (append-map (lambda (drv) (input-demands survey drv))
                          (filter (lambda (drv)
                                    (eq? 'build (decision decisions drv)))
                                  drvs)))))))
