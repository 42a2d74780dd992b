;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Networks that are made before a builder needs one.  For the kernel, to
;;; make one is half of the work of giving birth to a builder.
;;;
;;; 1. Each network is for one builder: nobody was in it before, or is later.
;;; 2. There is at most one that nobody uses, and it is made when another one
;;;    has been taken: a daemon that does not build has none.
;;; 3. Who finds none does not wait, but has his made the usual way.
;;; Code:

(define-module (fruix build network-pool)
  #:use-module ((fruix errors) #:select (passing-error?))
  #:use-module (fruix network)
  #:use-module ((fruix thread) #:select (with-lock))
  #:use-module (fruix worker)
  #:use-module (ice-9 exceptions)
  #:use-module ((ice-9 threads) #:select (make-mutex))
  #:use-module (srfi srfi-9)
  #:export (make-network-pool
            call-with-pooled-network))

(define-record-type <network-pool>
  (%make-network-pool mutex spare)
  network-pool?
  (mutex network-pool-mutex)
  ;; A descriptor; #f if there is none; 'coming; 'never where none can be made.
  (spare network-pool-spare set-network-pool-spare!))

(define (make-network-pool)
  "Return a pool without a network."
  (%make-network-pool (make-mutex) #f))

(define (set-spare! pool spare)
  (with-lock (network-pool-mutex pool)
    (set-network-pool-spare! pool spare)))

(define (take! pool)
  "Return what POOL has; if that is none that is coming, and one can be made,
one is coming now."
  (with-lock (network-pool-mutex pool)
    (let ((spare (network-pool-spare pool)))
      (unless (symbol? spare)
        (set-network-pool-spare! pool 'coming))
      spare)))

(define (replenish! pool)
  (guard (exception (#t (set-spare! pool #f))) ;there is no thread for it
    (run-in-worker
     (lambda ()
       (set-spare! pool
                   (guard (exception ((passing-error? exception) #f)
                                     (#t 'never))
                     (make-network)))))))

(define (call-with-pooled-network pool proc)
  "Call @var{proc} with a descriptor of a network with nothing but a loopback
interface, for the builder that runs meanwhile, or with @code{#f} if @var{pool}
has none.  Return what @var{proc} returns."
  (let ((network (take! pool)))
    (unless (symbol? network)
      (replenish! pool))
    (if (integer? network)
        (dynamic-wind
          (const #t)
          (lambda () (proc network))
          (lambda () (close-fdes network)))
        (proc #f))))
