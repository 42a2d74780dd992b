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
  #:use-module (fruix build directory)
  #:use-module (fruix build environment)
  #:use-module (fruix build host)
  #:use-module (fruix build log)
  #:use-module (fruix build outputs)
  #:use-module (fruix build platform)
  #:use-module (fruix build references-graph)
  #:use-module (fruix build sandbox)
  #:use-module (fruix build supervision)
  #:use-module (fruix build users)
  #:use-module (fruix credentials)
  #:use-module (fruix derivation)
  #:use-module (fruix descriptors)
  #:use-module (fruix errors)
  #:use-module (fruix flag)
  #:use-module (fruix octets)
  #:use-module (fruix process)
  #:use-module (fruix sandbox)
  #:use-module (fruix store)
  #:use-module (fruix store layout)
  #:use-module (fruix store lock)
  #:use-module (fruix store path)
  #:use-module (ice-9 binary-ports)
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 match)
  #:use-module (rnrs bytevectors)
  #:use-module (srfi srfi-1)
  #:re-export (build-host
               make-user-pool)
  #:export (build-derivation!))

(define (reject kind template . arguments)
  (raise-exception
   (make-build-error (apply format #f template arguments) kind)))

;;;
;;; Before the builder.
;;;

(define (check-buildable host drv derivation)
  (let ((system (derivation-system derivation))
        (builder (derivation-builder derivation)))
    (unless (buildable-system? (build-host-system host) system)
      (reject 'rejected "`~a' is for system `~a', and this is `~a'"
              drv system (build-host-system host)))
    (when (string-prefix? "builtin:" builder)
      (reject 'rejected "`~a' needs the builder `~a', which is not available"
              drv builder))))

(define (output-paths derivation)
  (map derivation-output-path (derivation-outputs derivation)))

(define (built? store derivation)
  (every (lambda (path) (valid-path? store path))
         (output-paths derivation)))

(define (input-closure store derivation)
  "Return all the items that the builder of @var{derivation} may see."
  (define (input-outputs input)
    (match input
      ((drv . names)
       (let ((outputs (derivation-outputs (read-derivation store drv))))
         (filter-map (lambda (output)
                       (and (member (derivation-output-name output) names)
                            (derivation-output-path output)))
                     outputs)))))
  (closure store
           (append (append-map input-outputs (derivation-inputs derivation))
                   (derivation-sources derivation))))

(define (write-references-graphs store derivation directory)
  (for-each (match-lambda
              ((name . contents)
               (call-with-port
                   (open (string-append directory "/" name)
                         (logior O_WRONLY O_CREAT O_EXCL O_NOFOLLOW)
                         #o644)
                 (lambda (port)
                   (put-bytevector port (octets->bytevector contents))))))
            (references-graphs store derivation)))

;; How long to wait before trying again to lock outputs, in milliseconds.
(define %patience 200)

(define (lock-outputs store paths cancellation)
  "Return locks on the output @var{paths}.  Another daemon may have them for as
long as a build takes: wait, but not longer than for @var{cancellation}."
  (cond ((lock-paths store paths #:wait? #f))
        ((pair? (poll-descriptors
                 `((,(flag-descriptor cancellation) readable)) %patience))
         (reject 'cancelled "cancelled while waiting for locks"))
        (else (lock-outputs store paths cancellation))))

;;;
;;; The builder.
;;;

(define (option options name default)
  (let ((value (assq-ref options name)))
    (or value default)))

(define (describe-end drv derivation status)
  "Raise the @code{&build-error} for a builder of @var{drv} that ended with
@var{status}, as @code{supervise} returns it, unless that is success."
  (match status
    (0 #t)
    ((? integer?)
     ;; A fixed output may come from the network: try again some other time.
     (reject (if (fixed-output-derivation? derivation) 'transient 'failed)
             (if (status:exit-val status)
                 "builder for `~a' failed with exit code ~a"
                 "builder for `~a' failed due to signal ~a")
             drv (or (status:exit-val status) (status:term-sig status))))
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

(define (start-builder drv derivation box output)
  "Start the builder of @var{derivation} in the sandbox @var{box}, its output
going to the descriptor @var{output}."
  (define builder (derivation-builder derivation))
  (catch 'system-error
    (lambda ()
      (spawn-in-sandbox box builder
                        (cons (basename builder)
                              (map octets->bytevector
                                   (derivation-arguments derivation)))
                        #:output output))
    (lambda (key who template arguments errno)
      ;; Whoever wrote the derivation is to blame if there is no such program.
      (reject (if (any (lambda (step) (string-prefix? step who))
                       '("execve" "program-within"))
                  'failed
                  'transient)
              "cannot start the builder of `~a': ~a: ~?"
              drv who template arguments))))

(define (call-with-builder drv derivation box proc)
  "Start the builder of @var{derivation} in the sandbox @var{box} and call
@var{proc} with its process and a descriptor of the pipe that it writes to."
  (call-with-values make-pipe
    (lambda (input output)
      (dynamic-wind
        (const #t)
        (lambda ()
          (proc (dynamic-wind
                  (const #t)
                  (lambda () (start-builder drv derivation box output))
                  (lambda () (close-fdes output)))
                input))
        (lambda () (close-fdes input))))))

(define (run-builder store host drv derivation box options publish cancellation)
  "Run the builder of @var{derivation} in @var{box} to its end, logging what it
writes; return as @code{supervise} does."
  (call-with-build-log (store-layout store) drv
                       (build-host-log-compression host)
    (lambda (file write)
      (call-with-builder drv derivation box
        (lambda (process log)
          (publish `(started ,(derivation-system derivation) ,file
                             ,(process-id process)))
          (supervise process log
                     (lambda (bytes)
                       (write bytes (bytevector-length bytes))
                       (publish `(log ,bytes)))
                     #:cancel-descriptor (flag-descriptor cancellation)
                     #:timeout (option options 'timeout 0)
                     #:max-silent-time (option options 'max-silent-time 0)
                     #:max-log-size (option options 'max-log-size 0)))))))

(define (build-in store host drv derivation user name area directory options
                  publish cancellation)
  "Build @var{derivation} as @var{user} in the chroot area called @var{name},
whose file name is @var{area}, with the build directory @var{directory}."
  (define inputs (input-closure store derivation))
  (define box
    (build-sandbox store host drv
                   #:area area #:directory directory #:inputs inputs
                   #:user user
                   #:environment
                   (build-environment derivation
                                      #:store (store-directory store)
                                      #:directory
                                      (build-directory-inside store drv)
                                      #:cores (option options 'cores 0))
                   #:personality
                   (system-personality (build-host-system host)
                                       (derivation-system derivation))))
  (write-references-graphs store derivation (build-directory-top directory))
  (describe-end drv derivation
                (run-builder store host drv derivation box options
                             publish cancellation))
  (when user
    (kill-user (car user)))
  (register-outputs! store drv derivation name
                     (if user (car user) (geteuid)) inputs publish)
  'built)

;;;
;;; All of it.
;;;

(define (call-keeping-failed directory options publish keep! thunk)
  "Call @var{thunk}; if it raises a @code{&build-error} and @var{options} say
so, hand the build directory @var{directory} over to the client, and call
@var{keep!}."
  (with-exception-handler
      (lambda (exception)
        (when (and (build-error? exception)
                   (option options 'keep-failed? #f))
          (keep!)
          (publish `(note ,(format #f "note: keeping build directory `~a'"
                                   directory)))
          (keep-build-directory directory (assq-ref options 'client)))
        (raise-exception exception))
    thunk
    #:unwind? #t))

(define (build-locked store host drv derivation user options publish
                      cancellation)
  "Build @var{derivation}, the locks of whose outputs are held, as
@var{user}."
  (define owner (or user (cons (geteuid) (getegid))))
  (define kept? #f)
  (call-with-chroot-area store (and user (cdr user))
    (lambda (name area)
      (call-with-build-directory store drv owner
        (lambda (directory)
          (call-keeping-failed directory options publish
                               (lambda () (set! kept? #t))
            (lambda ()
              (build-in store host drv derivation user name area directory
                        options publish cancellation))))
        #:keep? (lambda () kept?)))))

(define (call-protected store drv derivation cancellation thunk)
  "Call @var{thunk} while no collector deletes @var{drv} or its outputs, and
nobody else builds them."
  (call-with-temporary-roots store
    (lambda ()
      (let ((outputs (output-paths derivation)))
        (for-each (lambda (path) (add-temp-root! store path))
                  (cons drv outputs))
        (call-holding-locks (lock-outputs store outputs cancellation)
                            thunk)))))

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
when the flag @var{cancellation} is set.  @var{publish} is called, in this thread,
with what happens: @code{(started @var{system} @var{log-file} @var{pid})},
@code{(log @var{bytevector})}, @code{(trace @var{text})} for a line of the build
trace, @code{(note @var{text})} for a line that everybody sees."
  (guard (exception (#t (failure exception)))
    (let ((derivation (read-derivation store drv)))
      (if (built? store derivation)
          'built
          (begin
            (check-buildable host drv derivation)
            (call-protected store drv derivation cancellation
              (lambda ()
                (if (built? store derivation)
                    'built
                    (call-with-build-user
                     (build-host-users host) cancellation
                     (lambda (user)
                       (build-locked store host drv derivation user options
                                     publish cancellation)))))))))))
