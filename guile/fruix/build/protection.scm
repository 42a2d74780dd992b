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
  #:use-module (ice-9 match)
  #:export (stand-back
            call-protected))

(define (stand-back job milliseconds what)
  "Give back the slot of @var{job}, which has to wait, and return
@code{postponed} after @var{milliseconds}.  Raise a @code{&build-error} that
says that @var{what}, the end of a sentence, was cancelled if @var{job} is."
  (publish job '(released))
  (when (pair? (poll-descriptors
                (list (flag-event (job-cancellation job)))
                milliseconds))
    (reject 'cancelled "cancelled while ~a" what))
  'postponed)

;; How long to wait before trying again to lock items, in milliseconds.
(define %patience 1000)

(define (call-protected job kept locked thunk)
  "Call @var{thunk} while no collector deletes @var{kept} or @var{locked}, a
store path and a list of them, and nobody else makes the latter; return what it
returned.  Another daemon may be making them, for as long as a build takes: then
return @code{postponed}, after some time in which @var{job} has no slot."
  (define store (job-store job))
  (call-with-temporary-roots store
    (lambda ()
      (for-each (lambda (path) (add-temp-root! store path))
                (cons kept locked))
      (match (lock-paths store locked #:wait? #f)
        (#f (stand-back job %patience "waiting for locks"))
        (locks (call-holding-locks locks thunk))))))
