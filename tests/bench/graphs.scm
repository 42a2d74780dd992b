;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Builds that need each other: a long chain, each link of which refers to
;;; the one before, so that the last sandbox has as many mounts as there are
;;; links; and many leaves that all go into one.
;;; Code:

(define-module (tests bench graphs)
  #:use-module (fruix client)
  #:use-module (srfi srfi-1)
  #:use-module (tests bench builds)
  #:use-module (tests bench daemon)
  #:use-module (tests bench figures)
  #:export (bench-graphs))

(define (referring daemon builder name inputs)
  "Return a derivation called NAME whose output refers to those of INPUTS."
  (derivation daemon name builder '()
              #:inputs (cons builder inputs)
              #:environment
              `(("contents" . ,(string-join (map derivation->output-path
                                                 inputs))))))

(define (chain daemon builder length)
  "Return the last of LENGTH derivations, each referring to the one before."
  (fold (lambda (name previous)
          (referring daemon builder name
                     (if previous (list previous) '())))
        #f
        (numbered "link" length)))

(define (bench-chain)
  (compare-daemons
   (lambda (daemon _)
     (let* ((count (scaled 1000))
            (last (chain daemon (add-builder daemon) count)))
       (list (figure (format #f "chain of ~a builds" count)
                     (seconds (lambda ()
                                (build-derivations daemon (list last))))
                     "s"))))))

(define (bench-leaves)
  (compare-daemons
   (lambda (daemon _)
     (let* ((count (scaled 1000))
            (builder (add-builder daemon))
            (leaves (map (lambda (name)
                           (referring daemon builder name '()))
                         (numbered "leaf" count)))
            (all (referring daemon builder "all" leaves)))
       (list (figure (format #f "~a leaves into one, 4 at a time" count)
                     (seconds (lambda ()
                                (build-derivations daemon (list all))))
                     "s"))))
   #:jobs 4))

(define (bench-graphs)
  "Report how long builds take that need each other."
  (bench-leaves)
  (bench-chain))
