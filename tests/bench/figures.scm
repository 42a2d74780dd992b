;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Figures: what a benchmark measured, one S-expression a line, and how large
;;; it is to be.
;;;
;;;   (figure (name "…") (value 123.4) (unit "/s"))
;;;   (figure (name "…") (value 80.0) (unit "/s") (floor 160.0) (ratio 0.5))
;;;
;;; A floor is the value of what the machine does without Fruix for the same
;;; work, measured in the same run; the ratio is the value divided by it.
;;; Code:

(define-module (tests bench figures)
  #:export (current-scale
            scaled
            seconds
            per-second
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

(define* (report name value unit #:optional floor)
  "Print the figure @var{name}: @var{value}, a real, in @var{unit}, a string,
and where there is one the value of its @var{floor}."
  (write `(figure (name ,name)
                  (value ,(rounded value))
                  (unit ,unit)
                  ,@(if floor
                        `((floor ,(rounded floor))
                          (ratio ,(rounded (/ value floor))))
                        '())))
  (newline)
  (force-output))
