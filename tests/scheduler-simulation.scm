;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; The scheduler, thousands of random histories long: clients that come, ask
;;; and leave, builds that succeed, fail and are cancelled, changing limits.
;;;
;;; A history is its seed: a failing test names it, and (history SEED) runs it
;;; again.  FRUIX_SIMULATION_HISTORIES sets how many there are.

(use-modules (srfi srfi-1)
             (srfi srfi-64)
             (system base compile))

;; Compiled, it runs ten times as fast as it would when loaded.
(compile-and-load (string-append (getenv "abs_top_srcdir")
                                 "/tests/scheduler-model.scm"))
(use-modules (tests scheduler-model))

(define %histories
  (string->number (or (getenv "FRUIX_SIMULATION_HISTORIES") "2500")))

(define (violation seed)
  "Return #f, or what went wrong in the history of SEED."
  (catch #t
    (lambda () (history seed) #f)
    (lambda (key . arguments) (cons* seed key arguments))))

(test-begin "scheduler-simulation")

(test-equal "no history violates an invariant" '()
  (filter-map violation (iota %histories)))

(test-assert "a history is its seed"
  (every (lambda (seed) (equal? (history seed) (history seed)))
         (iota 20)))

(test-end "scheduler-simulation")
