;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The plan of a sandbox: what is done, in order, to bring it about on a
;;; system.  Plain data, made without privileges on any system, so that it
;;; can be shown and compared.
;;;
;;; A plan is an alist of phases, each a list of steps:
;;;
;;;   host      by whoever opens the sandbox; undone when it is closed
;;;   birth     the namespaces and the cgroup in which a process is born, and
;;;             as whom
;;;   create    by the first process, and gone with the last one
;;;   enter     by every process
;;;   program   by a process that will execute a program of the sandbox
;;;   drop      by every process: the end of its privileges
;;; Code:

(define-module (fruix sandbox plan)
  #:use-module (fruix config)
  #:use-module (fruix sandbox check)
  #:use-module (fruix sandbox facts)
  #:use-module (fruix sandbox freebsd)
  #:use-module (fruix sandbox linux)
  #:use-module ((srfi srfi-1) #:select (append-map))
  #:export (sandbox-plan
            sandbox-shortcomings
            plan-steps))

(define (default-facts box system)
  "Return facts for the plan of @var{box} on @var{system}."
  (if (eq? system %platform)
      (host-facts box)
      (assq-ref %typical-facts system)))

(define (refuse-system system)
  (refuse-field 'system "no sandboxes on ~a" system))

(define* (sandbox-plan box #:key (system %platform)
                       (facts (default-facts box system)))
  "Return the plan of the sandbox @var{box} on @var{system}, @code{linux} or
@code{freebsd}, the one at hand by default: an alist of phases and their steps,
each a list of a name, strings and integers.  Nothing is done.  @var{facts},
about this host or a typical one, are described in @ref{fruix sandbox facts}.
Raise a @code{&sandbox-error} if that system cannot do what @var{box} asks
for."
  (case system
    ((linux) (linux-plan box facts))
    ((freebsd) (freebsd-plan box facts))
    (else (refuse-system system))))

(define* (sandbox-shortcomings box #:key (system %platform)
                               (facts (default-facts box system)))
  "Return a list of strings, each telling in what respect @var{box} is less on
@var{system} than it asks for, and why.  The arguments are those of
@code{sandbox-plan}, which does not refuse these."
  (case system
    ((linux) (linux-shortcomings box facts))
    ((freebsd) (freebsd-shortcomings box facts))
    (else (refuse-system system))))

(define (plan-steps plan . phases)
  "Return the steps of @var{phases}, symbols, of @var{plan}, one after the
other."
  (append-map (lambda (phase) (assq-ref plan phase)) phases))
