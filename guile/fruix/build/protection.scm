;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Keeping others away from what a job works on: collectors, and whoever would
;;; make the same items.
;;; Code:

(define-module (fruix build protection)
  #:use-module (fruix build job)
  #:use-module (fruix descriptors)
  #:use-module (fruix flag)
  #:use-module (fruix store)
  #:export (wait-or-cancel
            call-protected))

(define (wait-or-cancel job milliseconds what)
  "Wait for @var{milliseconds}; raise a @code{&build-error} that says that
@var{what}, the end of a sentence, was cancelled if @var{job} is."
  (when (pair? (poll-descriptors
                (list (flag-event (job-cancellation job)))
                milliseconds))
    (reject 'cancelled "cancelled while ~a" what)))

;; How long to wait before trying again to lock items, in milliseconds.
(define %patience 200)

(define (lock-items job paths)
  "Return locks on @var{paths}.  Another daemon may have them for as long as a
build takes: wait, but not once the job is cancelled."
  (or (lock-paths (job-store job) paths #:wait? #f)
      (begin
        (wait-or-cancel job %patience "waiting for locks")
        (lock-items job paths))))

(define (call-protected job kept locked thunk)
  "Call @var{thunk} while no collector deletes @var{kept} or @var{locked}, a
store path and a list of them, and nobody else makes the latter."
  (define store (job-store job))
  (call-with-temporary-roots store
    (lambda ()
      (for-each (lambda (path) (add-temp-root! store path))
                (cons kept locked))
      (call-holding-locks (lock-items job locked) thunk))))
