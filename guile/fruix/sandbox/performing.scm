;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Performing the phases of a plan, with failures told as &sandbox-error:
;;; which step, on what, and why.
;;; Code:

(define-module (fruix sandbox performing)
  #:use-module (fruix config)
  #:use-module (fruix errors)
  #:use-module (fruix plan)
  #:use-module (fruix process)
  #:use-module (fruix sandbox check)
  #:use-module (fruix sandbox plan)
  #:use-module ((ice-9 binary-ports) #:select (get-u8))
  #:use-module (ice-9 match)
  #:use-module ((rnrs bytevectors) #:select (bytevector?))
  #:use-module (srfi srfi-9)
  #:export (call-with-step-errors
            perform-host-steps
            undo-host-steps
            start-program
            start-holder
            holder-process
            stop-holder))

(define (explanation who errno)
  "Return what to add to the text of an error whose name misleads, or \"\"."
  (if (and (string=? who "clone") (eqv? errno ENOSPC))
      " (a limit in /proc/sys/user, not a disk)"
      ""))

(define (step-error who template arguments errno)
  "Return the @code{&sandbox-error} for a @code{system-error} of these parts:
@var{who} is the name of a step, a colon and a call, or that of a call."
  (make-sandbox-error (format #f "sandbox: ~a: ~a~a" who
                              (apply format #f template arguments)
                              (explanation who errno))
                      #f
                      (match (string-index who #\:)
                        (#f who)
                        (colon (string-take who colon)))
                      errno))

(define (call-with-step-errors thunk)
  "Call @var{thunk}; a @code{system-error} that it raises becomes a
@code{&sandbox-error}."
  (catch 'system-error
    thunk
    (lambda (key who template arguments errno . _)
      (raise-exception
       (step-error who template arguments
                   (match errno ((number . _) number) (_ #f)))))))

(define (check-command command)
  "Raise a @code{&sandbox-error} unless @var{command} is a list of an absolute
file name and arguments."
  (match command
    (((? string? program) (or (? string?) (? bytevector?)) ...)
     (unless (string-prefix? "/" program)
       (refuse-field 'program "not an absolute file name: ~s" program)))
    (_ (refuse-field 'program "not a command: ~s" command))))

(define (perform-host-steps plan)
  "Perform the host's part of @var{plan} and return a receipt for
@code{undo-host-steps}."
  (call-with-step-errors
   (lambda () (perform-steps (plan-steps plan 'host)))))

(define (undo-host-steps receipt)
  "Undo what @var{receipt} tells."
  (call-with-step-errors
   (lambda () (undo-steps receipt))))

(define* (start-program plan phases command #:key program environment
                        descriptors terminal? relative joined)
  "Start @var{command}, a list of strings from argv[0] on, in a process that
goes through @var{phases} of @var{plan}: the file @var{program}, or else the
first of @var{command}, with @var{environment} and @var{descriptors}, integers.
With @var{terminal?}, the first of these becomes its controlling terminal; with
@var{relative}, a process, it joins the namespaces of that one, or those of the
kinds @var{joined} before it gets its own.  It gets SIGKILL when the thread that
called this ends."
  (check-command (if (and program (pair? command))
                     (cons program (cdr command))
                     command))
  (call-with-step-errors
   (lambda ()
     (perform-plan (or program (car command)) command environment
                   `(,@(plan-steps plan 'birth)
                     ("session")
                     ("descriptors" ,@descriptors)
                     ,@(if terminal? '(("terminal")) '())
                     ,@(apply plan-steps plan phases)
                     ("death-signal" ,SIGKILL))
                   #:relative relative #:joined joined))))

;; A process that does nothing until the other end of its socket is closed, as
;; it is when whoever started it is gone.
(define-record-type <holder>
  (make-holder process socket)
  holder?
  (process holder-process)                        ;<process>
  (socket holder-socket))                         ;port

(define (fork-holder plan socket)
  "Start the program that holds the sandbox of @var{plan}, with its end of
@var{socket}."
  (call-with-step-errors
   (lambda ()
     (call-with-closing-port (open %holder-file (logior O_RDONLY O_CLOEXEC))
       (lambda (executable)
         (perform-plan %holder-file '("fruix-holder") '()
                       `(,@(plan-steps plan 'birth)
                         ("session")
                         ("descriptors" ,(fileno socket))
                         ,@(plan-steps plan 'create)
                         ("joinable")
                         ,@(plan-steps plan 'enter 'drop))
                       #:executable (fileno executable)))))))

(define (await-holder holder)
  "Return @var{holder} once it is fit to share its namespaces."
  (when (eof-object? (get-u8 (holder-socket holder)))
    (stop-holder holder)
    (raise-exception
     (make-sandbox-error (format #f "sandbox: holder: ~a ended" %holder-file)
                         #f "holder" #f)))
  holder)

(define (start-holder plan)
  "Start the process that keeps the namespaces of the sandbox of @var{plan}
and return it, once it is fit to share them with programs."
  (match (socketpair AF_UNIX (logior SOCK_STREAM SOCK_CLOEXEC) 0)
    ((ours . theirs)
     (let ((process (on-failure (lambda () (close-port ours))
                      (lambda ()
                        (call-with-closing-port theirs
                          (lambda (theirs) (fork-holder plan theirs)))))))
       (await-holder (make-holder process ours))))))

(define (stop-holder holder)
  "Kill @var{holder}, and so all processes of its sandbox."
  (kill-process (holder-process holder) SIGKILL)
  (wait-process (holder-process holder))
  (close-port (holder-socket holder)))
