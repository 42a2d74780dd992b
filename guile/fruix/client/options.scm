;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; How the daemon is to build for one connection.
;;; Code:

(define-module (fruix client options)
  #:use-module ((fruix client connection) #:select (call-operation))
  #:use-module ((fruix octets) #:select (text->octets))
  #:use-module (fruix protocol wire)
  #:export (set-build-options))

(define* (set-build-options connection
                            #:key keep-failed? keep-going? fallback?
                            (verbosity 0) (build-verbosity 0)
                            (offload? #t) (use-substitutes? #t)
                            (print-build-trace? #t) (multiplexed? #t)
                            max-jobs cores timeout max-silent-time rounds
                            substitute-urls (settings '()))
  "Set how the daemon builds for @var{connection}: @var{keep-failed?} keeps
the directory of a failed build; @var{keep-going?} goes on with what does not
depend on it; @var{fallback?} builds when substitution fails.  Builders'
output is sent if @var{verbosity} is @var{build-verbosity} or more.
@var{print-build-trace?} asks for the lines that tell of each build, and
@var{multiplexed?} for builders' output marked by its source.  @var{max-jobs},
@var{cores}, @var{timeout} and @var{max-silent-time} (in seconds), and
@var{rounds} are integers, or false to leave the daemon's own settings;
@var{substitute-urls} is a list of strings or false.  @var{settings} is an
alist of strings: more settings, by the daemon's names for them."
  (define (setting name value)
    (if value
        (list (cons name (if (number? value)
                             (number->string value)
                             value)))
        '()))
  (define (in-octets pair)
    (cons (text->octets (car pair)) (text->octets (cdr pair))))
  (define all-settings
    (append (setting "print-extended-build-trace"
                     (and print-build-trace? 1))
            (setting "multiplexed-build-output" (and multiplexed? "true"))
            (setting "build-max-jobs" max-jobs)
            (setting "build-cores" cores)
            (setting "build-timeout" timeout)
            (setting "build-max-silent-time" max-silent-time)
            (setting "build-repeat" (and rounds (- rounds 1)))
            (setting "substitute-urls"
                     (and substitute-urls (string-join substitute-urls)))
            settings))
  (call-operation connection 19
                  (lambda (port)
                    (write-boolean port keep-failed?)
                    (write-boolean port keep-going?)
                    (write-boolean port fallback?)
                    (write-int port verbosity)
                    (write-boolean port offload?)
                    (write-int port build-verbosity)
                    (write-int port 0)            ;log type, of old
                    (write-boolean port print-build-trace?)
                    (write-boolean port use-substitutes?)
                    (write-octets-pairs port (map in-octets all-settings)))
                  (const *unspecified*)))
