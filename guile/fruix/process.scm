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
  #:use-module ((fruix errors) #:select (unless-errno))
  #:use-module ((fruix octets) #:select (octets->bytevector))
  #:use-module (fruix primitives)
  #:use-module ((fruix thread) #:select (with-lock))
  #:use-module (ice-9 match)
  #:use-module ((ice-9 threads) #:select (make-mutex))
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:use-module (srfi srfi-9 gnu)
  #:use-module (srfi srfi-11)
  #:export (find-program
            raise-descriptor-limit!
            spawn-process
            perform-plan
            descriptor-number
            descriptor-numbers
            process?
            process-id
            process-descriptor
            process-ended?
            process-running?
            wait-process
            kill-process
            kill-process-group
            call-with-process
            environment-with))

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

;; How many descriptors programs may have at first, if not as many as this
;; process.
(define %descriptor-limit #f)

(define (raise-descriptor-limit!)
  "Let this process have as many descriptors as the system allows it.  Programs
that it starts later have the limit that it had before: some do something with
each descriptor that there could be.  They can raise it, too (setrlimit(2))."
  (call-with-values (lambda () (getrlimit 'nofile))
    (lambda (soft hard)
      (set! %descriptor-limit soft)
      (setrlimit 'nofile hard hard))))

(define (inherited-limits)
  (if %descriptor-limit
      `(("soft-limit" "open-files" ,%descriptor-limit))
      '()))

(define* (perform-plan program arguments environment plan
                       #:key executable relative joined)
  "Start the file @var{program} in a process that first performs @var{plan}, a
list of steps, each a list of a name, strings and integers.  Before them, the
plan tells where the process is born: @code{(\"namespaces\" @var{name} ...)}
of its own, @code{(\"cgroup\" @var{directory})} if it is not to be in its
parent's, and, for a user namespace, @code{(\"user-map\" @var{uids} @var{gids}
@var{mapper} ...)}, strings: a line of uid_map and one of gid_map, and a
command to be called with the process ID as its first argument, which may map
more groups than that (newgidmap(1)), or nothing.  @var{arguments}, from argv[0]
on, and @var{environment}, @code{\"NAME=value\"}, are lists of strings or, for
bytes that are not UTF-8, bytevectors; an @var{environment} of @code{#f} is that
of this process.  With @var{executable}, a descriptor, what is open there is
executed, and @var{program} is only its name.  With @var{relative}, a process,
the new one joins the namespaces of that instead; or, before it gets its own,
those of the kinds @var{joined}, a list of strings.

Return a process.  Raise a @code{system-error} that names the step and its
object if one fails, or @code{execve} if @var{program} cannot be executed; no
process is left then."
  (let-values (((namespaces cgroup maps steps) (split-birth plan)))
    (match (%spawn program executable arguments environment
                   (cond (joined
                          (list namespaces cgroup maps
                                (process-descriptor relative) joined))
                         (relative
                          (list '() cgroup '()
                                (process-descriptor relative) namespaces))
                         (else (list namespaces cgroup maps #f '())))
                   ;; Last, as there may be more to close.
                   (append steps (inherited-limits)))
      ((id . descriptor)
       (make-process id descriptor (make-mutex) (make-mutex) #f)))))

(define (take-step name steps)
  "Return the arguments of the first of @var{steps} if it is called @var{name},
else @code{#f}, and the other steps."
  (match steps
    ((((? (lambda (first) (string=? first name))) . arguments) . rest)
     (values arguments rest))
    (_ (values #f steps))))

(define (split-birth plan)
  "Return what @var{plan} says about the birth of its process, its namespaces,
a cgroup or @code{#f}, and maps of a user namespace or @code{()}; and its
steps."
  (let*-values (((namespaces steps) (take-step "namespaces" plan))
                ((cgroup steps) (take-step "cgroup" steps))
                ((maps steps) (take-step "user-map" steps)))
    (values namespaces (and=> cgroup first) (or maps '()) steps)))

(define (descriptor-number object)
  "Return the descriptor behind @var{object}: a port, an integer, or
@code{#f} for @file{/dev/null}, which is -1."
  (cond ((port? object) (fileno object))
        (else (or object -1))))

(define %maximum-descriptor 255)

(define (check-numbers numbers)
  "Raise an error unless @var{numbers} are those of descriptors beyond the
standard ones, each there once."
  (for-each (lambda (number)
              (unless (and (exact-integer? number)
                           (<= 3 number %maximum-descriptor))
                (scm-error 'out-of-range "descriptors"
                           "not a descriptor from 3 to ~a: ~s"
                           (list %maximum-descriptor number)
                           (list number))))
            numbers)
  (unless (= (length numbers) (length (delete-duplicates numbers)))
    (scm-error 'misc-error "descriptors" "a descriptor is there twice: ~s"
               (list numbers) #f)))

(define (descriptor-numbers input output error others)
  "Return what the step @code{\"descriptors\"} takes: the descriptor behind
each of @var{input}, @var{output}, @var{error}, and those in @var{others}, an
alist from 3 or more to such objects; -2 in the gaps, which remain closed.
Raise an @code{out-of-range} error for any other number."
  (check-numbers (map car others))
  (let ((sources `((0 . ,input) (1 . ,output) (2 . ,error) ,@others)))
    (list-tabulate (+ 1 (apply max (map car sources)))
                   (lambda (number)
                     (match (assv number sources)
                       ((_ . object) (descriptor-number object))
                       (#f -2))))))

(define (find-program name)
  "Return the file name of the program @var{name}, looked up in @env{PATH} if
it has no slash, or @code{#f} if it is not found there."
  (if (string-index name #\/)
      name
      (search-path (parse-path (getenv "PATH")) name)))

(define (optional-step name argument)
  "Return a list of the step @var{name} with @var{argument}, or of nothing if
that is @code{#f}."
  (if argument `((,name ,argument)) '()))

;; The leader of a session leads a process group already, and may not start
;; another.
(define (group-steps session? process-group?)
  (cond (session? '(("session")))
        (process-group? '(("process-group")))
        (else '())))

(define (limit-steps limits)
  (map (match-lambda
         ((resource . value) `("limit" ,(symbol->string resource) ,value)))
       limits))

(define (credential-steps user group groups)
  (cond ((and user group) `(("credentials" ,user ,group ,@groups)))
        ((or user group (pair? groups))
         (scm-error 'misc-error "spawn-process"
                    "#:user and #:group belong together" '() #f))
        (else '())))

(define* (spawn-process program arguments
                        #:key environment directory
                        (input #f) (output 1) (error 2) (descriptors '())
                        session? process-group? (limits '()) umask
                        user group (groups '()) no-new-privileges?
                        death-signal)
  "Start @var{program}, which is looked up in @env{PATH} if it has no slash,
with @var{arguments}, a list of strings from argv[0] on, and return a process,
to be passed to @code{wait-process} once.

@table @var
@item environment
A list of @code{\"NAME=value\"}; by default that of this process.
@item input
@itemx output
@itemx error
A descriptor, a port, or @code{#f} for @file{/dev/null}, for each of the
standard descriptors.
@item descriptors
An alist from a number, 3 to 255, to what becomes the descriptor of that
number.  All others are closed.
@item session?
@itemx process-group?
Whether it leads a session of its own, or only a process group.
@item limits
An alist from a resource to a number, its limit both soft and hard
(setrlimit(2)): @code{address-space}, @code{core}, @code{cpu}, @code{data},
@code{file-size}, @code{open-files}, @code{processes} or @code{stack}.
@item umask
Its file mode creation mask.
@item user
@itemx group
@itemx groups
The user ID, group ID and supplementary group IDs that it takes on for good;
with a @var{user} there must be a @var{group}, and no other groups remain.
That is verified, and needs root.  @var{user} is not 0.
@item no-new-privileges?
Whether set-user-ID bits and the like have no effect for it and its children.
@item directory
Its current directory, which it enters as @var{user}.
@item death-signal
A signal that it gets when the @emph{thread} that started it ends; on FreeBSD,
when the whole process does.
@end table

Signals are at their defaults in it.  Raise a @code{system-error} that names
the step and its object if one of these fails, or @code{execve} if the program
cannot be executed; no process is left then."
  (perform-plan
   (or (find-program program) program) arguments environment
   ;; What may need root comes before the credentials change.  The directory
   ;; comes after: root must not enter for a user what that user cannot, and
   ;; cannot enter all that the user can, on NFS.
   `(("namespaces")
     ,@(group-steps session? process-group?)
     ("descriptors" ,@(descriptor-numbers input output error descriptors))
     ,@(limit-steps limits)
     ,@(optional-step "umask" umask)
     ,@(credential-steps user group groups)
     ,@(if no-new-privileges? '(("no-new-privileges")) '())
     ,@(optional-step "chdir" directory)
     ,@(optional-step "death-signal" death-signal))))

(define (await-exit process)
  "Wait until @var{process} has ended, and return @code{lost} if somebody else
has reaped it, or else @code{#f}."
  (unless-errno (list ECHILD) 'lost
    (lambda ()
      (%await-exit (process-id process) (process-descriptor process))
      #f)))

(define (reap process)
  "Reap @var{process}, which has ended, and return its status, or @code{lost}
if somebody else has reaped it."
  (unless-errno (list ECHILD) 'lost
    (lambda () (cdr (waitpid (process-id process))))))

(define (ends-within? process seconds)
  "Return true if @var{process} has ended, or does within @var{seconds}."
  ;; Meanwhile another thread may wait, and close the descriptor.
  (let ((copy (with-lock (process-reaping process)
                (and (not (process-status process))
                     (dup->fdes (process-descriptor process))))))
    (or (not copy)
        (dynamic-wind
          (const #t)
          (lambda ()
            (pair? (%poll `((,copy readable))
                          (inexact->exact (round (* 1000 seconds))))))
          (lambda () (close-fdes copy))))))

(define (await-status process)
  "Wait until @var{process} has ended, and reap it if nobody has; return its
status, or @code{lost}."
  (with-lock (process-waiting process)
    (unless (process-status process)
      (let ((lost (await-exit process)))
        (with-lock (process-reaping process)
          (set-process-status! process (or lost (reap process)))
          (close-fdes (process-descriptor process)))))
    (process-status process)))

(define* (wait-process process #:key timeout)
  "Wait until @var{process} has ended and return its status, for
@code{status:exit-val} and @code{status:term-sig}, or @code{#f} if another
part of the program, such as a handler of @code{SIGCHLD}, has waited for it.
May be called again, and by several threads, with the same result.

With @var{timeout}, a number of seconds, also return @code{#f} if it has not
ended by then; @code{process-ended?} tells which it was.  No signal is needed
for that: its descriptor is polled (pidfd_open(2), pdfork(2))."
  (and (or (not timeout) (ends-within? process timeout))
       (match (await-status process)
         ('lost #f)
         (status status))))

(define (process-ended? process)
  "Return true if @var{process} has ended and been waited for."
  (and (process-status process) #t))

(define (process-running? process)
  "Return true unless @var{process} has ended, whether or not it has been
waited for."
  (with-lock (process-reaping process)
    (and (not (process-status process))
         (null? (%poll `((,(process-descriptor process) readable)) 0)))))

(define (kill-process process signal)
  "Send @var{signal}, an integer such as @code{SIGTERM}, to @var{process} and
return true; do nothing and return @code{#f} if it has been waited for."
  (with-lock (process-reaping process)
    (and (not (process-status process))
         (unless-errno (list ESRCH) #f
           (lambda ()
             (%send-signal (process-id process) (process-descriptor process)
                           signal)
             #t)))))

;; The ID of a group is nobody else's as long as a process of the group is
;; there, and IDs that are free come round again late.
(define (kill-process-group process)
  "Kill all processes, if there are any, of the process group that
@var{process} leads or, if it has ended just now, has led; see kill(2)."
  (catch 'system-error
    (lambda () (kill (- (process-id process)) SIGKILL))
    (const #f)))

(define (call-with-process process proc)
  "Call @var{proc} with @var{process} and return what it returned.  However
@var{proc} is left, @var{process} is then killed and waited for."
  (dynamic-wind
    (const #t)
    (lambda () (proc process))
    (lambda ()
      (kill-process process SIGKILL)
      (wait-process process))))

(define (environment)
  "Return the environment of this process."
  ;; Guile since 3.0.10 warns of threads that might change it meanwhile.
  (parameterize ((current-warning-port (%make-void-port "w")))
    (environ)))

(define (environment-with additions)
  "Return the environment of this process with @var{additions}, a list of
octet strings @code{NAME=VALUE}, in place of what it has under these names: a
list for @code{spawn-process}."
  (define (name variable)
    (string-take variable (or (string-index variable #\=)
                              (string-length variable))))
  (let ((names (map name additions)))
    (append (map octets->bytevector additions)
            (remove (lambda (variable) (member (name variable) names))
                    (environment)))))
