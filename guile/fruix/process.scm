;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The one way to start a program: no shell, no code of ours between fork
;;; and exec but async-signal-safe C++, hence safe whatever threads do.
;;;
;;; A <process> is a child that will be waited for.  Invariants:
;;;
;;; 1. One thread at a time waits, and the first reaps; so the process ID
;;;    stays that of this child until then.
;;; 2. It is reaped, its descriptor closed and its status set in one moment
;;;    as far as 'kill-process' can see; so no signal goes to whoever got the
;;;    numbers next.
;;; 3. Other parts of the program may wait for any child, as a handler of
;;;    SIGCHLD does, and reap it: its status is lost then, but its descriptor
;;;    still stands for it, and tells that it has ended.
;;; Code:

(define-module (fruix process)
  #:use-module (fruix primitives)
  #:use-module (ice-9 match)
  #:use-module (ice-9 threads)
  #:use-module (srfi srfi-9)
  #:use-module (srfi srfi-9 gnu)
  #:export (spawn-process
            perform-plan
            descriptor-number
            process?
            process-id
            process-descriptor
            process-ended?
            process-running?
            wait-process
            kill-process
            call-with-process))

(define-record-type <process>
  (make-process id descriptor waiting reaping status)
  process?
  (id         process-id)                         ;integer
  (descriptor process-descriptor)                 ;integer
  (waiting    process-waiting)                    ;mutex of the one who waits
  (reaping    process-reaping)                    ;mutex that guards STATUS
  (status     process-status set-process-status!)) ;integer | lost | #f

(set-record-type-printer! <process>
  (lambda (process port)
    (format port "#<process ~a ~a>" (process-id process)
            (or (process-status process) 'running))))

(define* (perform-plan program arguments environment plan
                       #:key executable relative)
  "Start the file @var{program} in a process that first performs @var{plan}, a
list of steps, each a list of a name, strings and integers.  Before them, the
plan tells where the process is born: @code{(\"namespaces\" @var{name} ...)}
of its own, and @code{(\"cgroup\" @var{directory})} if it is not to be in its
parent's.  @var{arguments}, from argv[0] on, and @var{environment},
@code{\"NAME=value\"}, are lists of strings or, for bytes that are not UTF-8,
bytevectors.  With @var{executable}, a descriptor, what is open there is
executed, and @var{program} is only its name; with @var{relative}, a process,
the new one joins the namespaces of that instead.

Return a process.  Raise a @code{system-error} that names the step and its
object if one fails, or @code{execve} if @var{program} cannot be executed; no
process is left then."
  (call-with-values (lambda () (split-birth plan))
    (lambda (birth steps)
      (match (%spawn program executable arguments environment birth
                     (and=> relative process-descriptor) steps)
        ((id . descriptor)
         (make-process id descriptor (make-mutex) (make-mutex) #f))))))

(define (split-birth plan)
  "Return what @var{plan} says about the birth of its process, as a pair of
namespaces and a cgroup, and its steps."
  (match plan
    ((("namespaces" . namespaces) ("cgroup" directory) . steps)
     (values (cons namespaces directory) steps))
    ((("namespaces" . namespaces) . steps)
     (values (cons namespaces #f) steps))))

(define (descriptor-number object)
  "Return the descriptor behind @var{object}: a port, an integer, or
@code{#f} for @file{/dev/null}, which is -1."
  (cond ((port? object) (fileno object))
        (else (or object -1))))

(define (find-program name)
  "Return the file name of the program @var{name}, looked up in @env{PATH} if
it has no slash; @var{name} itself if it is not found."
  (if (string-index name #\/)
      name
      (or (search-path (parse-path (getenv "PATH")) name) name)))

(define* (spawn-process program arguments
                        #:key (environment (environ)) directory
                        (input #f) (output 1) (error 2) (descriptors '())
                        session? death-signal)
  "Start @var{program}, which is looked up in @env{PATH} if it has no slash,
with @var{arguments}, a list of strings from argv[0] on, and return a process,
to be passed to @code{wait-process} once.

@var{environment} is a list of @code{\"NAME=value\"}, @var{directory} its
current directory if not @code{#f}.  @var{input}, @var{output} and @var{error}
are descriptors or ports, or @code{#f} for @file{/dev/null}; those in the list
@var{descriptors} become 3, 4...; all others are closed.  With
@var{session?}, it leads a session of its own.  @var{death-signal} is a signal
that it gets when the @emph{thread} that started it ends, or @code{#f}.

Signals are at their defaults in it.  Raise a @code{system-error} if the
program cannot be executed."
  (perform-plan
   (find-program program) arguments environment
   `(("namespaces")
     ("descriptors" ,@(map descriptor-number
                           (cons* input output error descriptors)))
     ,@(if session? '(("session")) '())
     ,@(if directory `(("chdir" ,directory)) '())
     ,@(if death-signal `(("death-signal" ,death-signal)) '()))))

(define (unless-errno errno default thunk)
  "Call @var{thunk} and return what it returned; @var{default} if it raises a
@code{system-error} with @var{errno}."
  (catch 'system-error
    thunk
    (lambda arguments
      (if (= (system-error-errno arguments) errno)
          default
          (apply throw arguments)))))

(define (await-exit process)
  "Wait until @var{process} has ended, and return @code{lost} if somebody else
has reaped it, or else @code{#f}."
  (unless-errno ECHILD 'lost
    (lambda ()
      (%await-exit (process-id process) (process-descriptor process))
      #f)))

(define (reap process)
  "Reap @var{process}, which has ended, and return its status, or @code{lost}
if somebody else has reaped it."
  (unless-errno ECHILD 'lost
    (lambda () (cdr (waitpid (process-id process))))))

(define (wait-process process)
  "Wait until @var{process} has ended and return its status, for
@code{status:exit-val} and @code{status:term-sig}, or @code{#f} if another
part of the program, such as a handler of @code{SIGCHLD}, has waited for it.
May be called again, and by several threads, with the same result."
  (with-mutex (process-waiting process)
    (unless (process-status process)
      (let ((lost (await-exit process)))
        (with-mutex (process-reaping process)
          (set-process-status! process (or lost (reap process)))
          (close-fdes (process-descriptor process)))))
    (match (process-status process)
      ('lost #f)
      (status status))))

(define (process-ended? process)
  "Return true if @var{process} has ended and been waited for."
  (and (process-status process) #t))

(define (process-running? process)
  "Return true unless @var{process} has ended, whether or not it has been
waited for."
  (with-mutex (process-reaping process)
    (and (not (process-status process))
         (null? (%poll `((,(process-descriptor process) readable)) 0)))))

(define (kill-process process signal)
  "Send @var{signal}, an integer such as @code{SIGTERM}, to @var{process} and
return true; do nothing and return @code{#f} if it has been waited for."
  (with-mutex (process-reaping process)
    (and (not (process-status process))
         (unless-errno ESRCH #f
           (lambda ()
             (%send-signal (process-id process) (process-descriptor process)
                           signal)
             #t)))))

(define (call-with-process process proc)
  "Call @var{proc} with @var{process} and return what it returned.  However
@var{proc} is left, @var{process} is then killed and waited for."
  (dynamic-wind
    (const #t)
    (lambda () (proc process))
    (lambda ()
      (kill-process process SIGKILL)
      (wait-process process))))
