;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; One build that goes on: what it is to build, and with what.  All stages of
;;; a build are told by it.
;;; Code:

(define-module (fruix build job)
  #:use-module (fruix derivation)
  #:use-module (fruix errors)
  #:use-module (srfi srfi-9)
  #:export (make-job
            job-store
            job-host
            job-mode
            job-drv
            job-derivation
            job-cancellation
            job-option
            job-output-paths
            job-variable
            publish
            reject))

(define-record-type <job>
  (make-job store host mode drv derivation options publish cancellation)
  job?
  (store job-store)                     ;<store>
  (host job-host)                       ;<build-host>
  (mode job-mode)                       ;build | check | repair
  (drv job-drv)                         ;store path
  (derivation job-derivation)           ;<derivation>
  (options job-options)                 ;alist, see (fruix build)
  (publish job-publish)                 ;procedure that takes a message
  (cancellation job-cancellation))      ;flag

(define (job-option job name default)
  "Return the option @var{name}, a symbol, of @var{job}, or @var{default} if it
is missing or false."
  (or (assq-ref (job-options job) name) default))

(define (job-output-paths job)
  "Return the store paths of the outputs of @var{job}'s derivation."
  (map derivation-output-path (derivation-outputs (job-derivation job))))

(define (job-variable job name)
  "Return the value of @var{name} in the environment of @var{job}'s derivation,
or @code{#f}."
  (assoc-ref (derivation-environment (job-derivation job)) name))

(define (publish job message)
  "Tell those who follow @var{job} the @var{message}, a list."
  ((job-publish job) message))

(define (reject kind template . arguments)
  "Raise a @code{&build-error} of @var{kind}, a symbol, whose message is
@var{template} with @var{arguments} put in as by @code{format}."
  (raise-exception
   (make-build-error (apply format #f template arguments) kind)))
