;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Programs that work on a terminal.
;;;
;;; Whoever holds a terminal can type into it (TIOCSTI, TIOCLINUX), and what
;;; reads it next, such as a shell outside of the sandbox, obeys.  A program
;;; therefore never gets its user's terminal: it gets a pseudo-terminal of its
;;; own, and what passes between the two is bytes.
;;; Code:

(define-module (fruix terminal)
  #:use-module ((fruix errors) #:select (on-failure))
  #:use-module (fruix primitives)
  #:use-module (fruix process)
  #:use-module (ice-9 match)
  #:export (terminal?
            run-on-terminal))

(define (terminal? object)
  "Return true if @var{object}, a port, a descriptor or @code{#f}, is a
terminal (isatty(3))."
  (cond ((not object) #f)
        ((port? object) (and (file-port? object) (isatty? object)))
        (else
         (let* ((port (fdes->inport (dup->fdes object)))
                (answer (isatty? port)))
           (close-port port)
           answer))))

(define (call-closing descriptor proc)
  "Call @var{proc} with @var{descriptor}, close that however @var{proc} is
left, and return what @var{proc} returned."
  (dynamic-wind
    (const #t)
    (lambda () (proc descriptor))
    (lambda () (close-fdes descriptor))))

(define (relay user master process)
  "Copy between the terminals @var{user} and @var{master} until @var{process}
has ended; end it if that fails."
  (on-failure (lambda ()
                (kill-process process SIGKILL)
                (wait-process process))
    (lambda ()
      (%relay-terminal user master (process-descriptor process)))))

(define (run-on-terminal user start)
  "Let the user of the terminal @var{user}, a port or a descriptor that is
open for reading and writing, work with a program, and return the program's
status once it has ended, as @code{wait-process} does.

@var{start} is called with a descriptor, the slave side of a new terminal of
the same size and in the same mode.  It must start a process and return that,
with the terminal as its descriptors 0, 1 and 2 and the steps
@code{(\"session\")} and @code{(\"terminal\")} in its plan; then the keys that
interrupt or suspend have their effect in there.

Meanwhile @var{user} is in raw mode and the new terminal follows its size.
That ends when the process ends, even if others still use its terminal, or
when either terminal hangs up.  The new terminal then hangs up, and the
process, if there still is one, gets SIGHUP.

Raise a @code{system-error}, nothing being left then: @code{ENOTTY} from
@code{tcgetattr} if @var{user} is no terminal, and what @var{start} raises
(posix_openpt(3); termios(3) or termios(4))."
  (let ((user (descriptor-number user)))
    (match (%posix-openpt user)
      ((master . slave)
       (wait-process
        (call-closing master
          (lambda (master)
            (let ((process (call-closing slave start)))
              (relay user master process)
              process))))))))
