;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Figures: what a benchmark measured, one S-expression a line, and how large
;;; it is to be.
;;;
;;;   (figure (name "…") (value 123.4) (unit "/s"))
;;;   (figure (name "…") (value 80.0) (unit "/s") (floor 160.0) (ratio 0.5))
;;;
;;; A floor is the value of what the machine does without Fruix for the same
;;; work, measured in the same run; the ratio is the value divided by it.  The
;;; peer is what another daemon does, with the value divided by that.
;;; Code:

(define-module (tests bench figures)
  #:use-module ((srfi srfi-1) #:select (first))
  #:export (current-scale
            scaled
            seconds
            per-second
            figure
            report-figure
            report-with-peer
            report))

;; How much of the full work is done: 1 for figures to publish, less for a
;; quick look.
(define current-scale (make-parameter 1))

(define (scaled count)
  "Return @var{count}, an integer, at the current scale, and at least 1."
  (max 1 (inexact->exact (round (* count (current-scale))))))

(define (seconds thunk)
  "Call @var{thunk}; return how many seconds that took."
  (let ((start (get-internal-real-time)))
    (thunk)
    (/ (- (get-internal-real-time) start)
       internal-time-units-per-second 1.)))

(define (per-second amount thunk)
  "Call @var{thunk}, which does @var{amount} of something; return how much of
it a second does."
  (/ amount (seconds thunk)))

(define (rounded value)
  "Return @var{value} with four significant digits."
  (let ((unit (expt 10. (- 3 (floor (log10 (max 1e-9 (abs value))))))))
    (/ (round (* value unit)) unit)))

(define* (figure name value unit #:optional floor)
  "Return the figure @var{name}: @var{value}, a real, in @var{unit}, a string,
and where there is one the value of its @var{floor}."
  `(figure (name ,name)
           (value ,(rounded value))
           (unit ,unit)
           ,@(if floor
                 `((floor ,(rounded floor))
                   (ratio ,(rounded (/ value floor))))
                 '())))

(define (report-figure figure)
  "Print @var{figure}, which @code{figure} returned."
  (write figure)
  (newline)
  (force-output))

(define (figure-value figure)
  (first (assq-ref (cdr figure) 'value)))

(define (report-with-peer figure peer)
  "Print @var{figure} with the value that it has for another daemon, which is
in the figure @var{peer}."
  (let ((value (figure-value peer)))
    (report-figure `(,@figure
                     (peer ,value)
                     (peer-ratio ,(rounded (/ (figure-value figure)
                                              value)))))))

(define (report . arguments)
  "Print the figure that @code{figure} makes of @var{arguments}."
  (report-figure (apply figure arguments)))
