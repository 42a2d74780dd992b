;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Building one derivation, from its file to registered outputs.  Here the
;;; store and the sandbox meet.
;;;
;;; Each stage is a procedure that is called with what it needs and gives back
;;; what it took: locks, build user, chroot area, build directory, log.  A
;;; derivation that cannot be built ends as a value, '(failed KIND MESSAGE)',
;;; whatever was raised on the way.
;;; Code:

(define-module (fruix build)
  #:use-module (fruix build builder)
  #:use-module (fruix build directory)
  #:use-module (fruix build environment)
  #:use-module (fruix build host)
  #:use-module (fruix build job)
  #:use-module (fruix build outputs)
  #:use-module (fruix build platform)
  #:use-module (fruix build references-graph)
  #:use-module (fruix build sandbox)
  #:use-module (fruix build users)
  #:use-module (fruix credentials)
  #:use-module (fruix derivation)
  #:use-module (fruix descriptors)
  #:use-module (fruix errors)
  #:use-module (fruix flag)
  #:use-module (fruix octets)
  #:use-module (fruix store)
  #:use-module (ice-9 binary-ports)
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:re-export (build-host
               build-user
               make-user-pool)
  #:export (build-derivation!))

;;;
;;; Before the builder.
;;;

(define (check-buildable job)
  "Raise a @code{&build-error} if this machine cannot build @var{job}."
  (let* ((derivation (job-derivation job))
         (host (build-host-system (job-host job)))
         (system (derivation-system derivation))
         (builder (derivation-builder derivation)))
    (unless (buildable-system? host system)
      (reject 'rejected "`~a' is for system `~a', and this is `~a'"
              (job-drv job) system host))
    (when (string-prefix? "builtin:" builder)
      (reject (failure-kind derivation)
              "`~a' needs the builder `~a', which is not available"
              (job-drv job) builder))))

(define (built? job)
  (every (lambda (path) (valid-path? (job-store job) path))
         (job-output-paths job)))

(define (input-closure job)
  "Return all the items that the builder of @var{job} may see."
  (define store (job-store job))
  (define input-outputs
    (match-lambda
      ((drv . names)
       (filter-map (lambda (output)
                     (and (member (derivation-output-name output) names)
                          (derivation-output-path output)))
                   (derivation-outputs (read-derivation store drv))))))
  (closure store
           (append (append-map input-outputs
                               (derivation-inputs (job-derivation job)))
                   (derivation-sources (job-derivation job)))))

(define (write-references-graphs job directory)
  "Write the files that @var{job}'s derivation wants into @var{directory}, in
which nobody runs yet."
  (for-each (match-lambda
              ((name . contents)
               (call-with-port
                   (open (string-append directory "/" name)
                         (logior O_WRONLY O_CREAT O_EXCL O_NOFOLLOW)
                         #o644)
                 (lambda (port)
                   (put-bytevector port (octets->bytevector contents))))))
            (references-graphs (job-store job) (job-derivation job))))

(define (builder-environment job)
  (build-environment (job-derivation job)
                     #:store (store-directory (job-store job))
                     #:directory (build-directory-inside (job-store job)
                                                         (job-drv job))
                     #:cores (job-option job 'cores 0)))

;;;
;;; Locks.
;;;

;; How long to wait before trying again to lock outputs, in milliseconds.
(define %patience 200)

(define (lock-outputs job)
  "Return locks on the outputs of @var{job}.  Another daemon may have them for
as long as a build takes: wait, but not once the job is cancelled."
  (cond ((lock-paths (job-store job) (job-output-paths job) #:wait? #f))
        ((pair? (poll-descriptors
                 `((,(flag-descriptor (job-cancellation job)) readable))
                 %patience))
         (reject 'cancelled "cancelled while waiting for locks"))
        (else (lock-outputs job))))

(define (call-protected job thunk)
  "Call @var{thunk} while no collector deletes the derivation of @var{job} or
its outputs, and nobody else builds them."
  (define store (job-store job))
  (call-with-temporary-roots store
    (lambda ()
      (for-each (lambda (path) (add-temp-root! store path))
                (cons (job-drv job) (job-output-paths job)))
      (call-holding-locks (lock-outputs job) thunk))))

;;;
;;; From the builder's start to its outputs.
;;;

(define (build-in job user name area directory)
  "Build @var{job} as @var{user} in the chroot area called @var{name}, whose
file name is @var{area}, with the build directory @var{directory}."
  (define inputs (input-closure job))
  (define box
    (build-sandbox (job-store job) (job-host job) (job-drv job)
                   #:area area #:directory directory #:inputs inputs
                   #:user user
                   #:environment (builder-environment job)
                   #:personality
                   (system-personality
                    (build-host-system (job-host job))
                    (derivation-system (job-derivation job)))))
  (write-references-graphs job (build-directory-top directory))
  (let ((ending (run-builder job box)))
    (when user
      (kill-user (build-user-id user)))
    (check-ending job ending)
    (register-outputs! job name (if user (build-user-id user) (geteuid))
                       inputs)
    'built))

(define (keep job directory)
  "Leave the build directory @var{directory} of @var{job}, which failed, to its
client."
  (publish job `(note ,(format #f "note: keeping build directory `~a'"
                               directory)))
  (guard (exception (#t (publish job `(note ,(exception->text exception)))))
    (keep-build-directory directory (job-option job 'client #f))))

(define (build-locked job user)
  "Build @var{job}, the locks of whose outputs are held, as @var{user}."
  (define group (and user (build-user-group user)))
  (define owner
    (if user
        (cons (build-user-id user) group)
        (cons (geteuid) (getegid))))
  (define keep?
    (lambda (exception)
      (and (build-error? exception) (job-option job 'keep-failed? #f))))
  (call-with-chroot-area (job-store job) group
    (lambda (name area)
      (call-with-build-directory (job-store job) (job-drv job) owner
        (lambda (directory)
          (build-in job user name area directory))
        #:keep? keep?
        #:keep (lambda (directory) (keep job directory))))))

(define (failure exception)
  "Return the value that stands for @var{exception}."
  (if (build-error? exception)
      `(failed ,(build-error-kind exception) ,(fruix-error-message exception))
      `(failed transient ,(exception->text exception))))

(define (build-derivation! store host drv options publish cancellation)
  "Build the derivation in the file @var{drv}, a valid store path whose inputs
are valid, unless its outputs are valid already; return @code{built}, or
@code{(failed @var{kind} @var{message})} with a kind of @code{&build-error}.

@var{host} is a @code{<build-host>}.  @var{options} is an alist with the keys
@code{cores}, @code{timeout} and @code{max-silent-time} in seconds,
@code{max-log-size} in bytes, @code{keep-failed?}, and @code{client}, a pair of
user and group id to give a kept build directory to.  The build is given up
when the flag @var{cancellation} is set.  @var{publish} is called, in this
thread, with what happens: @code{(started @var{system} @var{log-file} @var{pid})},
@code{(log @var{bytevector})}, @code{(trace @var{text})} for a line of the build
trace, @code{(note @var{text})} for a line that everybody sees."
  (guard (exception (#t (failure exception)))
    (let ((job (make-job store host drv (read-derivation store drv) options
                         publish cancellation)))
      (if (built? job)
          'built
          (begin
            (check-buildable job)
            (call-protected job
              (lambda ()
                (if (built? job)
                    'built
                    (call-with-build-user (build-host-users host) cancellation
                      (lambda (user) (build-locked job user)))))))))))
