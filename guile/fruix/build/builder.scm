;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Running the builder of a derivation, in a sandbox or however it is
;;; launched, from the first step of its set-up to its end, with its output in
;;; the log and on its way to those who follow the build.
;;; Code:

(define-module (fruix build builder)
  #:use-module (fruix build host)
  #:use-module (fruix build job)
  #:use-module (fruix build log)
  #:use-module (fruix build network)
  #:use-module (fruix build supervision)
  #:use-module (fruix derivation)
  #:use-module (fruix descriptors)
  #:use-module (fruix errors)
  #:use-module (fruix flag)
  #:use-module (fruix message)
  #:use-module (fruix octets)
  #:use-module (fruix process)
  #:use-module (fruix sandbox)
  #:use-module (fruix store)
  #:use-module (ice-9 match)
  #:use-module ((rnrs bytevectors) #:select (bytevector-length))
  #:export (sandbox-launcher
            run-builder
            check-status
            check-ending))

(define (reason job exception)
  "Return what EXCEPTION, a @code{&sandbox-error}, has to tell those who wrote
the derivation of JOB."
  (define builder (derivation-builder (job-derivation job)))
  (define store (string-append (store-directory (job-store job)) "/"))
  (if (and (equal? "program-within" (sandbox-error-step exception))
           (memv (sandbox-error-errno exception) (list EACCES ENOENT))
           (not (string-prefix? store builder)))
      (format #f "`~a' is not in the store" builder)
      (exception->octets exception)))

(define (reject-sandbox job exception)
  "Tell why the builder of @var{job} could not be run, which @var{exception}, a
@code{&sandbox-error}, says."
  ;; Whoever wrote the derivation is to blame if there is no such program.
  (reject (if (member (sandbox-error-step exception)
                      '("execve" "interpreters" "program-within"))
              'failed
              'transient)
          "cannot start the builder of `~a': ~a"
          (job-drv job) (reason job exception)))

(define (sandbox-launcher box network)
  "Return a procedure for @code{run-builder}, which runs a builder in the sandbox
@var{box}; @var{network} is what @code{call-with-build-network} gave."
  (lambda (program arguments output proc)
    (call-with-sandboxed-program box
                                 (cons (basename program)
                                       (map octets->bytevector arguments))
                                 proc
                                 #:program program
                                 #:input #f #:output output #:error output
                                 #:network
                                 (build-network-descriptor network)
                                 #:network-of
                                 (build-network-process network))))

(define (call-with-builder job launch proc)
  "Start the builder of @var{job} by @var{launch} and call @var{proc} with its
process and a descriptor of the pipe that it writes to.  However @var{proc} is
left, the builder is dead afterwards."
  (define derivation (job-derivation job))
  (call-with-values make-pipe
    (lambda (input output)
      (let ((output (fdes->outport output)))
        (dynamic-wind
          (const #t)
          (lambda ()
            (with-exception-handler
                (lambda (exception)
                  (if (sandbox-error? exception)
                      (reject-sandbox job exception)
                      (raise-exception exception)))
              (lambda ()
                (launch (derivation-builder derivation)
                        (derivation-arguments derivation)
                        output
                        (lambda (process)
                          (close-port output)
                          (proc process input))))
              #:unwind? #t))
          (lambda ()
            (close-port output)
            (close-fdes input)))))))

(define* (run-builder job launch #:key (edit identity))
  "Run the builder of @var{job} until it is dead, logging what it writes; return
how it ended, as @code{supervise} does.  @var{launch} is called with the
builder's file name, its arguments, a list of octet strings, a port for what it
writes, and a procedure to call with its process, after which it is dead; it
may raise a @code{&sandbox-error}.  @var{edit} takes what was written, a
bytevector, and returns what is logged."
  (call-with-builder job launch
    (lambda (process log)
      ;; Now the builder is at work, too.
      (call-with-build-log (store-layout (job-store job)) (job-drv job)
                           (build-host-log-compression (job-host job))
        (lambda (file write)
          (publish job
                   `(started ,(derivation-system (job-derivation job)) ,file
                             ,(process-id process)))
          (supervise process log
                     (lambda (written)
                       (let ((bytes (edit written)))
                         (write bytes (bytevector-length bytes))
                         (publish job `(log ,bytes))))
                     #:cancel-descriptor
                     (flag-descriptor (job-cancellation job))
                     #:timeout (job-option job 'timeout 0)
                     #:max-silent-time (job-option job 'max-silent-time 0)
                     #:max-log-size (job-option job 'max-log-size 0)))))))

(define (failure-kind derivation)
  "Return the kind of @code{&build-error} for a builder that fails.  One that
makes a fixed output may have met with a network that will be there again."
  (if (fixed-output-derivation? derivation) 'transient 'failed))

(define (check-status job status)
  "Raise the @code{&build-error} that says how the builder of @var{job} failed,
unless its wait status, @var{status}, is success."
  (unless (zero? status)
    (reject (failure-kind (job-derivation job))
            (if (status:exit-val status)
                "builder for `~a' failed with exit code ~a"
                "builder for `~a' failed due to signal ~a")
            (job-drv job)
            (or (status:exit-val status) (status:term-sig status)))))

(define (check-ending job ending)
  "Raise the @code{&build-error} that says how the builder of @var{job} ended,
unless @var{ending}, as @code{run-builder} returns it, is success."
  (define drv (job-drv job))
  (match ending
    ((? integer? status)
     (check-status job status))
    (('timeout seconds)
     (reject 'timeout "building of `~a' timed out after ~a seconds"
             drv seconds))
    (('silence seconds)
     (reject 'timeout
             "building of `~a' timed out after ~a seconds of silence"
             drv seconds))
    (('log-size bytes)
     (reject 'timeout
             "`~a' killed after writing more than ~a bytes of log output"
             drv bytes))
    ('cancelled
     (reject 'cancelled "building of `~a' was cancelled" drv))))
