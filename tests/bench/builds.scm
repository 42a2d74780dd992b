;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Builds of next to nothing: what a sandbox, a log, a registration and the
;;; way through the daemon cost.  The builder is a static program that makes
;;; an empty file; the floor runs the same program in the same kinds of
;;; namespaces, and does nothing else.
;;; Code:

(define-module (tests bench builds)
  #:use-module (fruix client)
  #:use-module (srfi srfi-1)
  #:use-module (tests bench daemon)
  #:use-module (tests bench figures)
  #:use-module (tests support)
  #:export (add-builder
            numbered
            bench-builds
            bench-log))

(define (add-builder daemon)
  "Add the builder to the store of @var{daemon}; return its store file name."
  (add-to-store daemon (program "builder") #:name "builder"))

(define (trivial daemon builder name)
  "Return a derivation called NAME that nobody has built."
  (derivation daemon name builder '() #:inputs (list builder)))

(define (numbered prefix count)
  "Return @var{count} names that begin with @var{prefix}."
  (map (lambda (n) (format #f "~a-~a" prefix n)) (iota count)))

(define (floor-rate count width)
  "Return how many times a second the builder runs without Fruix, WIDTH at a
time."
  (call-with-temporary-directory
   (lambda (directory)
     (setenv "out" (string-append directory "/out"))
     (per-second count
                 (lambda ()
                   (run (program "floor")
                        (number->string count) (number->string width) "0"
                        (program "builder")))))))

(define (bench-sequential daemon builder)
  (let* ((count (scaled 200))
         (derivations (map (lambda (name) (trivial daemon builder name))
                           (numbered "sequential" count))))
    (figure "trivial builds, one after the other"
            (per-second count
                        (lambda ()
                          (for-each (lambda (drv)
                                      (build-derivations daemon (list drv)))
                                    derivations)))
            "/s"
            (floor-rate count 1))))

(define (bench-wide daemon builder)
  (let* ((count (scaled 200))
         (derivations (map (lambda (name) (trivial daemon builder name))
                           (numbered "wide" count))))
    (figure "trivial builds, 8 at a time"
            (per-second count
                        (lambda () (build-derivations daemon derivations)))
            "/s"
            (floor-rate count 8))))

(define (bench-builds)
  "Report how many trivial builds a second a daemon does."
  (compare-daemons
   (lambda (daemon _)
     (let ((builder (add-builder daemon)))
       (build-derivations daemon (list (trivial daemon builder "warm-up")))
       (list (bench-sequential daemon builder)
             (bench-wide daemon builder))))
   #:jobs 8))

(define (bench-log)
  "Report how fast a builder's output gets to the client."
  (compare-daemons
   (lambda (daemon _)
     (let* ((size (scaled 200))         ;MiB
            (builder (add-builder daemon))
            (drv (derivation daemon "log" builder '()
                             #:inputs (list builder)
                             #:environment
                             `(("MEBIBYTES" . ,(number->string size))))))
       (list (figure "build log to the client"
                     (per-second size
                                 (lambda ()
                                   (build-derivations daemon (list drv))))
                     "MiB/s"))))))
