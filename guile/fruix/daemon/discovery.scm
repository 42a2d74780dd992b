;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; 'guix discover', which looks for substitute servers on the local network
;;; and writes down what it finds, as long as the daemon runs.
;;; Code:

(define-module (fruix daemon discovery)
  #:use-module (fruix agent program)
  #:use-module ((fruix octets) #:select (text->octets))
  #:use-module (fruix process)
  #:use-module (fruix store layout)
  #:export (start-discovery))

(define (start-discovery layout)
  "Start @command{guix discover}, which writes to the state directory of
@var{layout}, and return its process.  It ends with the thread that calls
this.  Raise a @code{&fruix-error} if there is no @command{guix}, and a
@code{system-error} if it cannot be executed."
  (spawn-process (guix-program "discover substitute servers")
                 '("guix" "discover")
                 #:environment
                 (environment-with
                  (list (string-append "GUIX_STATE_DIRECTORY="
                                       (text->octets
                                        (layout-state-directory layout)))))
                 #:death-signal SIGTERM))
