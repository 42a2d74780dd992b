;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Run the benchmarks, or those that are named, and print their figures.
;;;
;;;   make bench
;;;   make bench BENCH='--scale=0.01 builds queries'
;;;   make bench BENCH='--peer=/usr/bin/guix-daemon graphs'
;;; Code:

(define-module (tests bench run)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-37)
  #:use-module (tests bench adding)
  #:use-module (tests bench builds)
  #:use-module (tests bench collecting)
  #:use-module (tests bench daemon)
  #:use-module (tests bench figures)
  #:use-module (tests bench graphs)
  #:use-module (tests bench memory)
  #:use-module (tests bench queries)
  #:use-module (tests bench sandboxes)
  #:use-module (tests bench starting)
  #:use-module (tests bench texts)
  #:use-module (tests bench transfer)
  #:export (main))

(define %benchmarks
  `(("builds" . ,bench-builds)
    ("graphs" . ,bench-graphs)
    ("log" . ,bench-log)
    ("queries" . ,bench-queries)
    ("adding" . ,bench-adding)
    ("collecting" . ,bench-collecting)
    ("transfer" . ,bench-transfer)
    ("texts" . ,bench-texts)
    ("memory" . ,bench-memory)
    ("starting" . ,bench-starting)
    ("sandboxes" . ,bench-sandboxes)))

(define %options
  (list (option '("scale") #t #f
                (lambda (opt name text names)
                  (current-scale (string->number text))
                  names))
        (option '("peer") #t #f
                (lambda (opt name file names)
                  (current-peer file)
                  names))))

(define (main arguments)
  "Run the benchmarks that @var{arguments}, the command line without the
program's name, ask for: all if it names none, on @code{--scale} of the full
amount of work, beside the guix-daemon that @code{--peer} names."
  (let ((names (args-fold arguments %options
                          (lambda (opt name . _)
                            (error "unknown option" name))
                          cons
                          '())))
    (for-each (match-lambda
                ((name . benchmark)
                 (when (or (null? names) (member name names))
                   (benchmark))))
              %benchmarks)))

(main (cdr (command-line)))
