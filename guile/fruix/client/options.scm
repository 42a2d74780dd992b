;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; How the daemon is to build for one connection.
;;; Code:

(define-module (fruix client options)
  #:use-module ((fruix client connection) #:select (call-operation))
  #:use-module ((fruix octets) #:select (text->octets))
  #:use-module (fruix protocol wire)
  #:use-module (ice-9 match)
  #:use-module ((srfi srfi-1) #:select (filter-map))
  #:export (set-build-options))

(define (encode-settings settings)
  "Return the alist SETTINGS, from strings to strings and numbers, as it is
sent, without those that are #f."
  (define (encode value)
    (text->octets (if (number? value) (number->string value) value)))
  (filter-map (match-lambda
                ((_ . #f) #f)
                ((name . value) (cons (encode name) (encode value))))
              settings))

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
  (define all-settings
    `(("print-extended-build-trace" . ,(and print-build-trace? 1))
      ("multiplexed-build-output" . ,(and multiplexed? "true"))
      ("build-max-jobs" . ,max-jobs)
      ("build-cores" . ,cores)
      ("build-timeout" . ,timeout)
      ("build-max-silent-time" . ,max-silent-time)
      ("build-repeat" . ,(and rounds (- rounds 1)))
      ("substitute-urls" . ,(and=> substitute-urls string-join))
      ,@settings))
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
                    (write-octets-pairs port
                                         (encode-settings all-settings)))
                  (const *unspecified*)))
