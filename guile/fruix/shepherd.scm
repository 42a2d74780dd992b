;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Services of the GNU Shepherd that run in sandboxes.  Shepherd need not be
;;; installed to load this module, and nothing of it is used but:
;;;
;;; 1. It calls constructors and destructors in its main thread, usually in a
;;;    fiber, and lasts as long as that thread: so processes may die with it.
;;; 2. A constructor may return a process ID.  Shepherd waits for any child,
;;;    and so reaps that process; the destructor lets it.
;;; 3. While a fiber sleeps, others run.
;;; Code:

(define-module (fruix shepherd)
  #:use-module (fruix clock)
  #:use-module ((fruix errors) #:select (on-failure))
  #:use-module (fruix files)
  #:use-module (fruix process)
  #:use-module (fruix sandbox)
  #:use-module ((fruix sandbox check) #:select (refuse-field))
  #:use-module ((fruix sandbox spec) #:select (sandbox-root))
  #:use-module (ice-9 match)
  #:export (make-sandbox-constructor
            make-sandbox-destructor))

;; What was started and not yet stopped: from the root of a sandbox to a pair
;; of the open sandbox and the service's process.  It is the module's, for
;; constructor and destructor are made apart, and anew when definitions are
;; loaded again.
(define %started (make-hash-table))

(define (close-started root)
  "Close the sandbox that was started on @var{root}."
  (match (hash-ref %started root)
    ((open . _)
     (hash-remove! %started root)
     (close-sandbox open))))

(define (clear root)
  "Close what is left on @var{root} of a service that ended by itself."
  (match (hash-ref %started root)
    (#f #t)
    ((_ . process)
     (when (process-running? process)
       (refuse-field 'root "~a is in use by process ~a"
                     root (process-id process)))
     (close-started root))))

(define (call-with-log file proc)
  "Call @var{proc} with two descriptors, for the output and the errors of a
service whose log is @var{file}; with our own if that is @code{#f}."
  (if file
      (let ((log (open-fdes file
                            (logior O_WRONLY O_CREAT O_APPEND O_CLOEXEC)
                            #o640)))
        (dynamic-wind
          (const #t)
          (lambda () (proc log log))
          (lambda () (close-fdes log))))
      (proc 1 2)))

(define* (make-sandbox-constructor box command #:key environment log-file)
  "Return a constructor for a service of Shepherd, the twin of its
@code{make-forkexec-constructor}: a procedure of any arguments that opens the
sandbox @var{box}, starts @var{command}, a list of strings as for
@code{spawn-in-sandbox}, in it, and returns the process ID.  User, group and
directory are those of the sandbox, and so is the environment unless
@var{environment}, a list of @code{\"NAME=value\"}, is given.  Output is
appended to the file @var{log-file}, which is created with the mode 0640 if it
is missing, or else goes where Shepherd's own goes.

When the program ends by itself, the rest of the sandbox stays until the
service is started again, or Shepherd ends.  On FreeBSD, Shepherd does not
notice such an end, as no @code{SIGCHLD} tells of processes that have
descriptors (pdfork(2)).

The procedure raises a @code{&sandbox-error} if the program cannot be started,
or one runs on the same root, and a @code{system-error} if the log file cannot
be opened; nothing is left then."
  (lambda arguments
    (clear (sandbox-root box))
    (call-with-log log-file
      (lambda (output error)
        (let* ((open (open-sandbox box))
               (process
                (on-failure (lambda () (close-sandbox open))
                  (lambda ()
                    (spawn-in-sandbox open command
                                      #:environment environment
                                      #:input #f
                                      #:output output
                                      #:error error)))))
          (hash-set! %started (sandbox-root box) (cons open process))
          (process-id process))))))

(define (pause)
  "Let a moment pass; if we are in a fiber, others run meanwhile."
  (match (resolve-module '(fibers) #f #:ensure #f)
    (#f (usleep 10000))
    (fibers ((module-ref fibers 'sleep) 0.01))))

(define (ends-within? process seconds)
  "Return true if @var{process} ends within @var{seconds}."
  (define deadline (+ (now) seconds))
  (let loop ()
    (cond ((not (process-running? process)) #t)
          ((>= (now) deadline) #f)
          (else (pause) (loop)))))

(define (terminate process grace-period)
  "Ask @var{process} to end, and make it end after @var{grace-period}
seconds."
  (kill-process process SIGTERM)
  (unless (ends-within? process grace-period)
    (kill-process process SIGKILL)
    (ends-within? process grace-period))
  ;; For Shepherd to reap it, and so to learn of its end.
  (pause))

(define* (make-sandbox-destructor box #:key (grace-period 5))
  "Return a destructor for a service of Shepherd whose constructor was made
with the sandbox @var{box}, the twin of @code{make-kill-destructor}: a
procedure of any arguments that sends SIGTERM to the program, and SIGKILL if it
has not ended after @var{grace-period} seconds, closes the sandbox, so that
whatever else ran in it is dead, and returns @code{#f}, as Shepherd wants of a
service that has stopped.  Other services go on meanwhile.  The procedure
raises a @code{&sandbox-error} if something is left of the sandbox."
  (lambda arguments
    (match (hash-ref %started (sandbox-root box))
      (#f #f)
      ((_ . process)
       (terminate process grace-period)
       (close-started (sandbox-root box))
       #f))))
