;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; From the start of a daemon, on a store that exists, to the moment when it
;;; has welcomed its first client.
;;; Code:

(define-module (tests bench starting)
  #:use-module (fruix process)
  #:use-module (srfi srfi-1)
  #:use-module (tests bench daemon)
  #:use-module (tests bench figures)
  #:export (bench-starting))

(define (start-up-time start layout)
  "Return how many milliseconds START takes with LAYOUT."
  (define process #f)
  (let ((time (* 1000 (seconds (lambda () (set! process (start layout)))))))
    (kill-process process SIGTERM)
    (wait-process process)
    time))

(define (bench-starting)
  "Report how long a daemon takes to start."
  (compare-starts
   (lambda (start layout)
     (start-up-time start layout)       ;makes the store
     (let ((times (map (lambda (_) (start-up-time start layout))
                       (iota (scaled 20)))))
       (list (figure "start-up to the first handshake"
                     (/ (reduce + 0 times) (length times)) "ms"))))))
