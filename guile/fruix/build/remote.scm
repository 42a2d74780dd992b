;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Having a derivation built by another machine, if there is one that takes
;;; it.  'guix offload' knows; it sends the inputs, brings the outputs back and
;;; registers them.
;;;
;;; While a build is being offered it has a slot here; so even a machine that
;;; builds nothing itself has one.  Once another machine has accepted it, the
;;; slot is free; and so it is while all machines are busy, or out of reach,
;;; which may be for long: what no other machine takes goes on here.
;;; Code:

(define-module (fruix build remote)
  #:use-module (fruix agent)
  #:use-module (fruix agent offload)
  #:use-module (fruix build builder)
  #:use-module (fruix build host)
  #:use-module (fruix build inputs)
  #:use-module (fruix build job)
  #:use-module (fruix build log)
  #:use-module (fruix build protection)
  #:use-module (fruix derivation)
  #:use-module (fruix flag)
  #:use-module (fruix octets)
  #:use-module (fruix sorted-set)
  #:use-module (fruix store)
  #:use-module (fruix store layout)
  #:use-module (ice-9 match)
  #:use-module ((rnrs bytevectors) #:select (bytevector-length))
  #:use-module (srfi srfi-1)
  #:export (await-machines
            build-elsewhere))

(define (offered? job)
  "Return true if other machines may build @var{job}, and there are any."
  (and (eq? 'build (job-mode job))
       (job-option job 'offload? #f)
       (not (equal? "1" (job-variable job "preferLocalBuild")))
       (file-exists? (layout-machines-file (store-layout (job-store job))))
       (find-guix)))

;; How long to wait before a build that nobody can take now is offered again,
;; in milliseconds.
(define %patience 5000)

(define (note job)
  "Return a procedure that passes lines on to the clients."
  (lambda (line)
    (publish job `(log ,(octets->bytevector line)))))

(define (await-machines job)
  "Return @code{postponed} when it is worth offering @var{job} again, which has
no slot meanwhile.  Raise a @code{&build-error} if it is cancelled."
  (stand-back job %patience "waiting for another machine"))

(define (offer job)
  "Return a remote build that has been accepted, @code{decline} or
@code{postpone}."
  (define host (job-host job))
  (offer-build (job-option job 'agents #f)
               (derivation-system (job-derivation job))
               (job-drv job)
               (or (derivation-words (job-derivation job)
                                     "requiredSystemFeatures")
                   '())
               (note job)
               #:own-system (build-host-system host)
               #:local? (positive?
                         (job-option job 'max-jobs
                                     (build-host-max-jobs host)))
               #:cancellation (flag-event (job-cancellation job))
               #:timeout (job-option job 'timeout 0)
               #:max-silent-time (job-option job 'max-silent-time 0)))

(define (run job build)
  "Run the accepted @var{build} of @var{job}; return its wait status."
  (call-with-build-log (store-layout (job-store job)) (job-drv job)
                       (build-host-log-compression (job-host job))
    (lambda (file write)
      (publish job '(released))
      (publish job `(started ,(derivation-system (job-derivation job)) ,file
                             ,(remote-build-process-id build)))
      (run-remote-build!
       build
       (sorted-set (append (input-closure job)
                           (closure (job-store job) (list (job-drv job)))))
       (job-output-paths job)
       (lambda (octets)
         (let ((bytes (octets->bytevector octets)))
           (write bytes (bytevector-length bytes))
           (publish job `(log ,bytes))))
       (note job)
       #:cancellation (flag-event (job-cancellation job))))))

(define (check-outputs-here job)
  (unless (every (lambda (path) (valid-path? (job-store job) path))
                 (job-output-paths job))
    (reject 'output "another machine has built `~a', but not all outputs are \
here" (job-drv job))))

(define (check-remote-status job status)
  "Raise a @code{&build-error} unless @var{status}, of the program that had
@var{job} built, is success, and the outputs are there."
  (define drv (job-drv job))
  (define code (and status (status:exit-val status)))
  (unless (eqv? code 0)
    ;; 'guix offload' has said why, and its last word was heard.
    (publish job '(told)))
  (match code
    (0 (check-outputs-here job))
    (100 (check-status job status))
    (101 (reject 'timeout "building of `~a' on another machine timed out" drv))
    (_
     (let ((message (format #f "`guix offload' failed to build `~a'" drv)))
       (publish job `(trace ,(format #f "@ hook-failed ~a - ~a ~a"
                                     drv (or status 0) message)))
       (reject 'transient "~a" message)))))

(define (build-elsewhere job)
  "Have @var{job}, the locks of whose outputs are held, built by another
machine.  Return @code{built}, @code{declined} if no machine ever takes it, or
@code{busy} if none does now.  Raise a @code{&build-error} if one does,
and fails."
  (match (if (offered? job) (offer job) 'decline)
    ('decline 'declined)
    ('postpone 'busy)
    (build
     (check-remote-status job
                          (dynamic-wind
                            (const #t)
                            (lambda () (run job build))
                            (lambda () (close-remote-build! build))))
     'built)))
