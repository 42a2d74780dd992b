;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The clock for deadlines: it does not jump when somebody sets the time.
;;; Code:

(define-module (fruix clock)
  #:export (now))

(define (now)
  "Return the seconds since some fixed moment, a real number."
  (/ (get-internal-real-time) (exact->inexact internal-time-units-per-second)))
