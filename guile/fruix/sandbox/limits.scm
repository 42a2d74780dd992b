;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Limits as the processes of a sandbox keep them themselves, on any system.
;;;
;;; Those on each process always are such.  Those on all of them together need
;;; something that a host may lack, and then these are the next best: each
;;; process may use the memory that was for all, and the processes are counted
;;; that the user has anywhere.  That is less, so it must be said.
;;; Code:

(define-module (fruix sandbox limits)
  #:use-module (fruix sandbox check)
  #:use-module (fruix sandbox spec)
  #:use-module (ice-9 match)
  #:use-module ((srfi srfi-1) #:select (filter-map))
  #:export (process-limit-steps
            substitute-limit-steps
            limit-shortcomings))

(define (limit-step resource value)
  `("limit" ,(symbol->string resource) ,value))

(define (process-limit-steps box no-core)
  "Return the steps for the limits of @var{box} on each process; @var{no-core} is
the one by which no core is dumped, in bytes."
  (filter-map (match-lambda
                ((resource . value)
                 (and (memq resource %process-limits)
                      (limit-step resource value))))
              (if (sandbox-limit box 'core)
                  (sandbox-limits box)
                  (acons 'core no-core (sandbox-limits box)))))

(define (substitute-limit-steps box memory)
  "Return the steps that stand in for the limits of @var{box} on all processes
together; @var{memory}, a symbol, is the resource of a process that comes
closest to its memory."
  (filter-map (match-lambda
                (('memory . bytes) (limit-step memory bytes))
                (('processes . count) (limit-step 'processes count))
                (_ #f))
              (sandbox-limits box)))

(define (limit-shortcomings box memory reason)
  "Return a list of strings: what @code{substitute-limit-steps}, given the same
@var{memory}, leaves to be desired, each with @var{reason}, a string."
  (filter-map (match-lambda
                (('memory . bytes)
                 (format #f "memory limit of ~a bytes holds for the ~a of \
each process, not for all together: ~a" bytes memory reason))
                (('processes . count)
                 (format #f "process limit of ~a holds for all that the user \
runs anywhere: ~a" count reason))
                (_ #f))
              (sandbox-limits box)))
