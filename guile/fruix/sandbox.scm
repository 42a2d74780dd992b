;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Programs in sandboxes.  The description is in (fruix sandbox spec), which
;;; this module re-exports; what is done to bring it about is its plan.
;;;
;;; Everything that belongs to a sandbox belongs to its first process: when
;;; that ends, however it does, all others are killed and all mounts vanish.
;;; There is nothing to tear down.
;;; Code:

(define-module (fruix sandbox)
  #:use-module (fruix process)
  #:use-module (fruix sandbox plan)
  #:use-module (fruix sandbox spec)
  #:use-module (ice-9 match)
  #:re-export (sandbox
               sandbox?
               sandbox->sexp
               sexp->sandbox
               sandbox-plan)
  #:export (spawn-in-sandbox
            run-in-sandbox))

(define* (spawn-in-sandbox box program arguments #:key (output 1))
  "Start @var{program}, a file name inside the sandbox @var{box}, with
@var{arguments}, a list of strings from argv[0] on, and return a process
(@pxref{fruix process}).  @var{output}, a descriptor or port, or @code{#f}
for @file{/dev/null}, becomes its standard output and error; its input is
@file{/dev/null} and nothing else is open.  It is the first process of its PID
namespace and gets SIGKILL when the @emph{thread} that called this ends.

Raise a @code{system-error} if it cannot be started, nothing being left then:
@itemize
@item the message begins with @code{execve} when the program cannot be
executed;
@item it begins with @code{program-within} when the program does not exist or
is not in the directory where it must be;
@item any other names the step of the plan and the object that failed.
@end itemize"
  (match (sandbox-plan box)
    ((namespaces . steps)
     (let ((output (descriptor-number output)))
       (perform-plan program arguments (sandbox-environment box)
                     `(,namespaces
                       ("descriptors" -1 ,output ,output)
                       ,@steps))))))

(define* (run-in-sandbox box program arguments #:key (output 1))
  "Run @var{program} in the sandbox @var{box} as @code{spawn-in-sandbox} does,
and return its status once it has ended."
  (wait-process (spawn-in-sandbox box program arguments #:output output)))
