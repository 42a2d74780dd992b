;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Programs in sandboxes.  The description is in (fruix sandbox spec), which
;;; this module re-exports; what is done to bring it about is its plan.
;;;
;;; A sandbox is used in one of two ways.  Open, it stays: programs enter it
;;; one after the other or side by side, until it is closed.  Or it is made
;;; for one program, whose end is its own.  Either way:
;;;
;;; 1. When it is closed, whatever ran in it is dead, and what the host did
;;;    for it is undone.
;;; 2. If it cannot be made whole, nothing is left of it.
;;; 3. It ends with the process that opened it.
;;; Code:

(define-module (fruix sandbox)
  #:use-module ((fruix errors) #:select (on-failure write-warning))
  #:use-module (fruix process)
  #:use-module (fruix sandbox check)
  #:use-module (fruix sandbox facts)
  #:use-module (fruix sandbox performing)
  #:use-module (fruix sandbox plan)
  #:use-module (fruix sandbox spec)
  #:use-module (fruix sandbox sweep)
  #:use-module (fruix terminal)
  #:use-module ((fruix thread) #:select (with-lock))
  #:use-module (ice-9 threads)
  #:use-module ((srfi srfi-1) #:select (remove))
  #:use-module (srfi srfi-9)
  #:use-module (srfi srfi-9 gnu)
  #:re-export (sandbox
               sandbox?
               sandbox->sexp
               sexp->sandbox
               sandbox-plan
               sandbox-shortcomings
               sweep-sandboxes)
  #:export (open-sandbox
            open-sandbox?
            close-sandbox
            call-with-sandbox
            spawn-in-sandbox
            run-in-sandbox
            call-with-sandboxed-program))

(define-record-type <open-sandbox>
  (make-open-sandbox box plan receipt holder mutex processes)
  open-sandbox?
  (box open-sandbox-box)                          ;<sandbox>
  (plan open-sandbox-plan)                        ;see (fruix sandbox plan)
  (receipt open-sandbox-receipt)                  ;see (fruix plan)
  (holder open-sandbox-holder)                    ;<holder> | #f
  (mutex open-sandbox-mutex)                      ;guards PROCESSES
  (processes open-sandbox-processes               ;<process>es in it; #f once
             set-open-sandbox-processes!))        ;it is closed

(set-record-type-printer! <open-sandbox>
  (lambda (open port)
    (format port "#<open-sandbox ~a ~a>"
            (sandbox-root (open-sandbox-box open))
            (if (open-sandbox-processes open) 'open 'closed))))

(define* (announced-plan box #:optional network)
  "Return the plan of @var{box}, having warned of its shortcomings;
@var{network} is a descriptor of the network that it gets, if that was made
before."
  (let* ((facts (acons 'network network (host-facts box)))
         (plan (sandbox-plan box #:facts facts)))
    (for-each (lambda (text) (write-warning "~a" text))
              (sandbox-shortcomings box #:facts facts))
    plan))

(define (needs-holder? plan)
  "Return true if a sandbox of @var{plan} lasts as long as its processes."
  (pair? (assq-ref plan 'create)))

(define (open-sandbox box)
  "Make the sandbox @var{box}, a value that @code{sandbox} returned, and return
it open: programs can then enter it with @code{run-in-sandbox}, until
@code{close-sandbox}.  The sandbox does not outlive this process.  What
@code{sandbox-shortcomings} tells is written to @code{current-warning-port}.
Raise a @code{&sandbox-error} that names the step if it cannot be made; nothing
is left then."
  (let* ((plan (announced-plan box))
         (receipt (perform-host-steps plan)))
    (on-failure (lambda () (undo-host-steps receipt))
      (lambda ()
        (make-open-sandbox box plan receipt
                           (and (needs-holder? plan) (start-holder plan))
                           (make-mutex) '())))))

(define (close-sandbox open)
  "Kill whatever runs in @var{open}, a sandbox that @code{open-sandbox}
returned, and undo all that was done for it.  Nothing is done if it was closed
before.  Raise a @code{&sandbox-error} if something is left."
  ;; A program that is about to start can be stopped from inside, and until it
  ;; goes on or dies, whoever starts it has the mutex.
  (and=> (open-sandbox-holder open)
         (lambda (holder)
           (kill-process (holder-process holder) SIGKILL)))
  (let ((processes (with-lock (open-sandbox-mutex open)
                     (let ((processes (open-sandbox-processes open)))
                       (set-open-sandbox-processes! open #f)
                       processes))))
    (when processes
      ;; FreeBSD keeps a jail as long as a process of it has not been reaped.
      (for-each (lambda (process)
                  (kill-process process SIGKILL)
                  (wait-process process))
                processes)
      (when (open-sandbox-holder open)
        (stop-holder (open-sandbox-holder open)))
      (undo-host-steps (open-sandbox-receipt open)))))

(define (call-with-sandbox box proc)
  "Open the sandbox @var{box}, call @var{proc} with what @code{open-sandbox}
returned, close it however @var{proc} is left, and return what @var{proc}
returned."
  (let ((open (open-sandbox box)))
    (dynamic-wind
      (const #t)
      (lambda () (proc open))
      (lambda () (close-sandbox open)))))

(define (remember process open)
  "Note that @var{process} runs in @var{open}; forget those that have ended."
  (set-open-sandbox-processes!
   open
   (cons process
         (remove process-ended? (open-sandbox-processes open)))))

(define* (spawn-in-sandbox open command #:key program environment
                           (input 0) (output 1) (error 2) (descriptors '())
                           terminal?)
  "Start @var{command}, a list of strings, in @var{open}, a sandbox that
@code{open-sandbox} returned, and return its process (@pxref{fruix process}).
The first string is the absolute file name of the program inside, unless
@var{program} is; the strings are its arguments from argv[0] on.
@var{environment} is a list of @code{\"NAME=value\"}, by default that of the
sandbox.

@var{input}, @var{output} and @var{error} are descriptors or ports, or
@code{#f} for @file{/dev/null}; @var{descriptors} is an alist from a number, 3
to 255, to what becomes the descriptor of that number; all others are closed.
With @var{terminal?}, @var{input} becomes its controlling terminal.  It gets
SIGKILL when the @emph{thread} that called this ends.

Raise a @code{&sandbox-error} if it cannot be started: its step is
@code{execve}, @code{program-within} for a program that is not where it must
be, or @code{interpreters}, if the program is to blame."
  (with-lock (open-sandbox-mutex open)
    (unless (open-sandbox-processes open)
      (refuse-field 'root "~a is closed"
                    (sandbox-root (open-sandbox-box open))))
    (let ((process
           (start-program
            (open-sandbox-plan open) '(enter program drop) command
            #:program program
            #:environment (or environment
                              (sandbox-environment (open-sandbox-box open)))
            #:descriptors (descriptor-numbers input output error descriptors)
            #:terminal? terminal?
            #:relative (and=> (open-sandbox-holder open) holder-process))))
      (remember process open)
      process)))

(define (network-namespaces box)
  "Return the kinds of namespaces that a process of @var{box} joins to be in a
network of another process, for which a user namespace has to be inside of that
one's."
  (unless (eq? (sandbox-network box) 'host)
    (refuse-field 'network "must be host to be that of a process, not ~a"
                  (sandbox-network box)))
  (if (sandbox-mapping box) '("user" "net") '("net")))

(define* (call-with-sandboxed-program box command proc #:key program
                                      environment (input 0) (output 1)
                                      (error 2) (descriptors '())
                                      network network-of)
  "Make the sandbox @var{box} for @var{command} alone, and call @var{proc} with
its process; the arguments are those of @code{spawn-in-sandbox}.  However
@var{proc} is left, the program and all that it started are dead afterwards,
and nothing is left of the sandbox; then return what @var{proc} returned.  On
Linux the program is the first process of the sandbox, with the process ID 1.

If @var{network} is not @code{#f}, it is a descriptor of the network that
@var{box} gets (@pxref{fruix network}), which asks for @code{loopback} and has
no mapping.  If @var{network-of}, a process (@pxref{fruix sandbox outside}),
is not @code{#f}, its network is there instead of that of the host, which
@var{box} asks for."
  (let* ((plan (announced-plan box network))
         (receipt (perform-host-steps plan)))
    (dynamic-wind
      (const #t)
      (lambda ()
        (call-with-process
         (start-program
          plan '(create enter program drop) command
          #:program program
          #:environment (or environment (sandbox-environment box))
          #:descriptors (descriptor-numbers input output error descriptors)
          #:relative network-of
          #:joined (and network-of (network-namespaces box)))
         proc))
      (lambda () (undo-host-steps receipt)))))

(define (run-inside open command proc . options)
  "Call @var{proc} with the process of @var{command} in @var{open}."
  (proc (apply spawn-in-sandbox open command options)))

(define* (run-on-own-terminal open command user #:key program environment
                              (descriptors '()))
  "Run @var{command} in @var{open} on a terminal of its own, with which the
terminal @var{user} is connected, and return its status."
  (run-on-terminal user
    (lambda (terminal)
      (spawn-in-sandbox open command
                        #:program program #:environment environment
                        #:descriptors descriptors
                        #:input terminal #:output terminal #:error terminal
                        #:terminal? #t))))

(define* (run-in-sandbox box command #:key program environment (input 0)
                         (output 1) (error 2) (descriptors '()))
  "Run @var{command} in @var{box}, an open sandbox, or one that is made for it
and gone with it, and return its status, for @code{status:exit-val} and
@code{status:term-sig}, once it has ended.  The arguments are those of
@code{spawn-in-sandbox}.  If @var{input}, @var{output} and @var{error} are
terminals, it works interactively on a terminal of its own, connected with
@var{input} (@pxref{fruix terminal})."
  (cond ((and (terminal? input) (terminal? output) (terminal? error))
         (let ((run (lambda (open)
                      (run-on-own-terminal open command input
                                           #:program program
                                           #:environment environment
                                           #:descriptors descriptors))))
           (if (open-sandbox? box) (run box) (call-with-sandbox box run))))
        (else
         ((if (open-sandbox? box) run-inside call-with-sandboxed-program)
          box command wait-process
          #:program program #:environment environment
          #:input input #:output output #:error error
          #:descriptors descriptors))))
