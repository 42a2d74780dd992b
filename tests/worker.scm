;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Threads that are used again.
;;; Code:

(define-module (tests worker)
  #:use-module (fruix mailbox)
  #:use-module (fruix worker)
  #:use-module (ice-9 threads)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-64))

(define (run proc)
  "Call PROC in a worker; return what it returned."
  (let ((answer (make-mailbox)))
    (run-in-worker (lambda () (mailbox-put! answer (proc))))
    (mailbox-get! answer)))

(define (run-at-once count)
  "Have COUNT workers busy at the same time; return their threads."
  (let ((arrived (make-mailbox))
        (go (make-mailbox)))
    (for-each (lambda (_)
                (run-in-worker
                 (lambda ()
                   (mailbox-put! arrived (current-thread))
                   (mailbox-get! go))))
              (iota count))
    (let ((threads (map (lambda (_) (mailbox-get! arrived)) (iota count))))
      (for-each (lambda (_) (mailbox-put! go 'go)) (iota count))
      threads)))

(define color (make-parameter 'none))

(test-begin "worker")

(test-assert "it is another thread"
  (not (eq? (current-thread) (run current-thread))))

(test-equal "parameters are those of the caller, each time"
  '(red blue none)
  (list (parameterize ((color 'red)) (run color))
        (parameterize ((color 'blue)) (run color))
        (run color)))

(test-assert "a thread is used again"
  (let loop ((left 100) (threads '()))
    (and (positive? left)
         (let ((thread (run current-thread)))
           (or (memq thread threads)
               (loop (- left 1) (cons thread threads)))))))

(test-eqv "what comes while all are busy does not wait"
  40
  (length (delete-duplicates (run-at-once 40) eq?)))

(test-assert "of many, some remain"
  (let ((threads (run-at-once 40)))
    (let wait ((left 1000))
      (or (<= (length (lset-intersection eq? threads (all-threads))) 16)
          (and (positive? left)
               (begin
                 (usleep 10000)
                 (wait (- left 1))))))))

(test-end "worker")
