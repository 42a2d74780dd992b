;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Doing one task of the scheduler, from a derivation's file to registered
;;; outputs.  Here the store and the sandbox meet.
;;;
;;; Each stage is a procedure that is called with what it needs and gives back
;;; what it took: locks, build user, chroot area, build directory, log.  A
;;; derivation that cannot be built ends as a value, '(failed KIND MESSAGE)',
;;; whatever was raised on the way.
;;; Code:

(define-module (fruix build)
  #:use-module (fruix build builder)
  #:use-module (fruix build builtin)
  #:use-module (fruix build completion)
  #:use-module (fruix build directory)
  #:use-module (fruix build environment)
  #:use-module (fruix build host)
  #:use-module (fruix build inputs)
  #:use-module (fruix build job)
  #:use-module (fruix build network)
  #:use-module (fruix build outputs)
  #:use-module (fruix build plain)
  #:use-module (fruix build platform)
  #:use-module (fruix build protection)
  #:use-module (fruix build references-graph)
  #:use-module (fruix build remote)
  #:use-module (fruix build sandbox)
  #:use-module (fruix build stand-ins)
  #:use-module (fruix build substitution)
  #:use-module (fruix build users)
  #:use-module (fruix derivation)
  #:use-module (fruix errors)
  #:use-module (fruix files)
  #:use-module (fruix message)
  #:use-module (fruix octets)
  #:use-module ((fruix scheduler task) #:select (task-kind task-path))
  #:use-module (fruix store)
  #:use-module (fruix store staging)
  #:use-module (ice-9 binary-ports)
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:re-export (build-host
               build-user
               make-user-pool)
  #:export (perform-task!))

;;;
;;; Before the builder.
;;;

(define (check-system job)
  "Raise a @code{&build-error} if this machine cannot build @var{job}."
  (let ((host (build-host-system (job-host job)))
        (system (derivation-system (job-derivation job))))
    (unless (buildable-system? host system)
      (reject 'rejected "`~a' is for system `~a', and this is `~a'"
              (job-drv job) system host))))

(define (check-wanted-here job)
  "Raise a @code{&build-error} if this machine is not to build @var{job}: it
has no slots, and @var{job} does not insist on it."
  (when (and (eq? 'build (job-mode job))
             (zero? (job-option job 'max-jobs
                                (build-host-max-jobs (job-host job))))
             (not (equal? "1" (job-variable job "preferLocalBuild"))))
    (reject 'transient "cannot build `~a': the maximum number of jobs is 0, \
and no other machine takes it" (job-drv job))))

(define (built? job)
  (every (lambda (path) (valid-path? (job-store job) path))
         (job-output-paths job)))

(define (write-references-graphs job directory)
  "Write the files that @var{job}'s derivation wants into @var{directory}, in
which nobody runs yet."
  (for-each (match-lambda
              ((name . contents)
               (call-with-closing-port
                   (open (string-append directory "/" name)
                         (logior O_WRONLY O_CREAT O_EXCL O_NOFOLLOW O_CLOEXEC)
                         #o644)
                 (lambda (port)
                   (put-bytevector port (octets->bytevector contents))))))
            (references-graphs (job-store job) (job-derivation job))))

(define (builder-environment job directory)
  "Return the environment of @var{job}'s builder, which knows its build directory
as @var{directory}."
  (build-environment (job-derivation job)
                     #:store (store-directory (job-store job))
                     #:directory directory
                     #:cores (job-option job 'cores 0)))

(define (builder-personality job)
  (define host (job-host job))
  (system-personality (build-host-system host)
                      (derivation-system (job-derivation job))
                      #:impersonate-linux-2.6?
                      (build-host-impersonate-linux-2.6? host)))

;;;
;;; Builders.  Each procedure runs one to its end, and calls PROC with the
;;; directory that has its outputs, and what is to be replaced in them.
;;;

(define* (await-builder job user launch #:key (edit identity))
  "Run the builder of @var{job} by @var{launch}, logging what @var{edit} makes of
what it writes; return when it has succeeded and nothing of it, or of
@var{user}, runs any more."
  (let ((ending (run-builder job launch #:edit edit)))
    (when user
      (kill-build-user user))
    (check-ending job ending)))

(define (run-sandboxed job user area directory inputs proc)
  "Run the builder of @var{job} in a sandbox, with its build directory in
@var{directory}; it leaves its outputs in the chroot area @var{area}."
  (define store (job-store job))
  (define inside (build-directory-inside store (job-drv job)))
  (write-references-graphs job (build-directory-top directory))
  (call-with-build-network job area
                           (builder-identity (job-host job) user)
    (lambda (network)
      (let ((box (build-sandbox store (job-host job) (job-drv job)
                                #:area area #:directory directory
                                #:inputs inputs #:user user
                                #:network network
                                #:environment
                                (builder-environment job inside)
                                #:personality (builder-personality job))))
        (await-builder job user (sandbox-launcher box network)))))
  (proc (area-store area) '()))

(define (run-plainly job user area directory proc)
  "Run the builder of @var{job} in @var{directory} without a sandbox, and move
its outputs into the chroot area @var{area}."
  (write-references-graphs job directory)
  (proc (area-store area)
        (call-with-plain-outputs job user (area-store area)
          (lambda (replacements)
            (await-builder job user
                           (plain-launcher
                            (store-directory (job-store job))
                            #:user user #:directory directory
                            #:environment
                            (builder-environment job (text->octets directory))
                            #:personality (builder-personality job)
                            #:replacements replacements))
            (reverse-replacements replacements)))))

(define (run-builtin job user directory proc)
  "Run the builtin builder of @var{job} as @var{user} in the build directory
@var{directory}."
  (check-builtin job)
  (call-with-output-directory job (build-owner user)
    (lambda (place)
      (await-builder job user (builtin-launcher job user directory place)
                     #:edit (output-namer job place))
      (output-in-place job place)
      (proc place '()))))

;;;
;;; From the builder's start to its outputs.
;;;

(define (build-owner user)
  "Return the user and group id, a pair, of what @var{user}, or the daemon, has
for a build."
  (if user
      (cons (build-user-id user) (build-user-group user))
      (cons (geteuid) (getegid))))

(define (sandboxed? job)
  (and (build-host-chroot? (job-host job))
       (not (builtin? (job-derivation job)))))

(define (confined? job)
  "Return true if the builder of @var{job} meets nobody to whom it could give an
open file, and leaves nothing where somebody finds it."
  (and (sandboxed? job)
       (not (shares-directories? (job-store job) (job-host job)))))

(define (build-in job user name directory)
  "Build @var{job} as @var{user} in the chroot area called @var{name}, with the
build directory @var{directory}; return the @code{<staged-output>}s."
  (define inputs (input-closure job))
  (define area (staged-file (store-staging (job-store job)) name))
  (define (read outputs replacements)
    (read-outputs! job name outputs (car (build-owner user)) inputs
                   #:replacements replacements
                   #:copy? (not (confined? job))))
  (cond ((builtin? (job-derivation job))
         (run-builtin job user directory read))
        ((sandboxed? job)
         (run-sandboxed job user area directory inputs read))
        (else
         (run-plainly job user area directory read))))

(define (keep job directory)
  "Leave the build directory @var{directory} of @var{job}, which failed, to its
client."
  (publish job `(note ,(format #f "note: keeping build directory `~a'"
                               (text->octets directory))))
  (guard (exception (#t (publish job `(note ,(exception->octets exception)))))
    (unless (keep-build-directory directory (job-option job 'client #f)
                                  #:top? (sandboxed? job))
      (publish job '(note "note: it belongs to the daemon, which may not give \
files away")))))

(define (build-once job user proc)
  "Build @var{job} as @var{user}, and call @var{proc} with the
@code{<staged-output>}s, which are gone when it returns."
  (define keep?
    (lambda (exception)
      (and (build-error? exception) (job-option job 'keep-failed? #f))))
  (call-with-chroot-area (job-store job) (and user (build-user-group user))
    (lambda (name)
      (proc (call-with-build-directory (job-store job) (job-drv job)
                                       (build-owner user)
              (lambda (directory)
                (build-in job user name directory))
              #:top? (sandboxed? job)
              #:keep? keep?
              #:keep (lambda (directory) (keep job directory)))))))

(define (rounds job)
  "Return how many times @var{job} is built."
  (if (and (eq? 'build (job-mode job))
           (not (fixed-output-derivation? (job-derivation job))))
      (+ 1 (job-option job 'repeat 0))
      1))

(define (build-here job)
  "Build @var{job}, the locks of whose outputs are held, as often as wanted."
  (check-system job)
  (check-wanted-here job)
  (call-with-build-user (build-host-users (job-host job))
                        (job-option job 'client #f)
                        (job-cancellation job)
    (lambda (user)
      (build-once job user
        (lambda (outputs)
          (let repeat ((left (- (rounds job) 1)))
            (unless (zero? left)
              (build-once job user
                (lambda (others) (check-same job others outputs)))
              (repeat (- left 1))))
          (complete job outputs))))
    #:confined? (confined? job)))

;;;
;;; Failures.
;;;

(define (check-cached-failure job)
  (when (and (eq? 'build (job-mode job))
             (build-host-cache-failures? (job-host job))
             (any (lambda (path) (failed-path? (job-store job) path))
                  (job-output-paths job)))
    (reject 'cached "builder for `~a' failed previously (cached)"
            (job-drv job))))

(define (remember-failure job exception)
  "Note that building @var{job} has failed with @var{exception}, if that means
that it always will."
  (when (and (build-host-cache-failures? (job-host job))
             (build-error? exception)
             (memq (build-error-kind exception) '(failed output))
             (not (fixed-output-derivation? (job-derivation job))))
    (record-failed-paths! (job-store job) (job-output-paths job))))

(define (failure exception)
  "Return the value that stands for @var{exception}."
  (if (build-error? exception)
      `(failed ,(build-error-kind exception) ,(fruix-error-message exception))
      `(failed transient ,(exception->octets exception))))

;;;
;;; Tasks.
;;;

(define (done? job)
  "Return true if there is nothing to do for @var{job}."
  (and (eq? 'build (job-mode job))
       (built? job)))

(define (build-somewhere job)
  "Build @var{job}, the locks of whose outputs are held, and return
@code{built}; or @code{busy}."
  (check-cached-failure job)
  (guard (exception (#t (remember-failure job exception)
                        (raise-exception exception)))
    (match (build-elsewhere job)
      ('declined
       (build-here job)
       'built)
      (result result))))

(define (build! job)
  "Build @var{job} unless that has been done.  Return @code{built}; or
@code{postponed} after some time in which nothing was held that others need,
neither locks nor a slot."
  (match (if (done? job)
             'built
             (call-protected job (job-drv job) (job-output-paths job)
               (lambda ()
                 (if (done? job) 'built (build-somewhere job)))))
    ('busy (await-machines job))
    (result result)))

(define (perform-task! store host task options publish cancellation)
  "Do @var{task}, a task of @code{(fruix scheduler task)}, in @var{store}, where
what it needs is valid; return @code{built}, @code{postponed} if it is to be
tried again, or @code{(failed @var{kind} @var{message})} with a kind of
@code{&build-error}.

@var{host} is a @code{<build-host>}.  @var{options} is an alist with the keys
@code{cores}, @code{timeout} and @code{max-silent-time} in seconds,
@code{max-log-size} in bytes, @code{max-jobs}, @code{keep-failed?},
@code{repeat}, the number of builds after the first, @code{offload?},
@code{agents}, a pool of @code{(fruix agent)},
@code{agent-options}, an alist of octet strings, @code{offers}, a procedure from
store paths to @code{<substitutable>}s, and @code{client}, a pair of user and
group id to give a kept build directory to.  The task is given up when the flag
@var{cancellation} is set.  @var{publish} is called, in this thread, with what
happens: @code{(started @var{system} @var{log-file} @var{pid})}, @code{(log
@var{bytevector})}, @code{(trace @var{text})} for a line of the build trace,
@code{(note @var{text})} for a line that everybody sees, @code{(told)} when a
note has said why the task fails, and @code{(released)} when others do the work,
another machine or another daemon, or a machine is waited for."
  (define path (task-path task))
  (define (job mode)
    (make-job store host mode path (read-derivation store path) options
              publish cancellation))
  (guard (exception (#t (failure exception)))
    (match (task-kind task)
      ((and mode (or 'build 'check 'repair))
       (build! (job mode)))
      ((and mode (or 'substitute 'replace))
       (substitute! (make-job store host mode path #f options publish
                              cancellation))))))
