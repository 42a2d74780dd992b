;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Getting one item from a server: 'guix substitute' fetches it, and knows
;;; whom to trust; what it brings is unpacked where only the daemon can get,
;;; and gets its name when it has the hash that was promised.
;;;
;;; An item that is valid already is left alone, unless it is to be replaced.
;;; Code:

(define-module (fruix build substitution)
  #:use-module (fruix agent substitute)
  #:use-module (fruix base16)
  #:use-module (fruix base32)
  #:use-module (fruix build job)
  #:use-module (fruix build protection)
  #:use-module (fruix durable)
  #:use-module (fruix errors)
  #:use-module (fruix flag)
  #:use-module (fruix nar)
  #:use-module (fruix octets)
  #:use-module (fruix store)
  #:use-module (fruix store staging)
  #:use-module (fruix tree)
  #:use-module ((fruix tree-error) #:select (tree-error?))
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 match)
  #:export (substitute!))

(define (trace job template . arguments)
  (publish job `(trace ,(apply format #f template arguments))))

(define (give-up job status template . arguments)
  "Say that the item of @var{job} could not be substituted, because of
@var{status}, what the agent said, and @var{template} with @var{arguments}."
  (define reason (apply format #f template arguments))
  (trace job "@ substituter-failed ~a ~a ~a" (job-drv job) status reason)
  (reject 'substitute "cannot substitute `~a': ~a" (job-drv job) reason))

(define (hash-mismatch job status algorithm expected actual)
  (trace job "@ hash-mismatch ~a ~a ~a ~a" (job-drv job)
         algorithm expected actual)
  (give-up job status "hash mismatch: expected ~a, got ~a" expected actual))

(define (fetch job destination)
  "Have the item of @var{job} fetched to @var{destination}; return the
algorithm and digest of its hash, the size of its archive, and the status line."
  (call-with-values
      (lambda ()
        (fetch-substitute! (job-option job 'agents #f)
                           (job-option job 'agent-options '())
                           (job-drv job) destination
                           (lambda (line)
                             (publish job `(log ,(octets->bytevector line))))
                           (flag-event (job-cancellation job))
                           #:timeout (job-option job 'timeout 0)
                           #:max-silent-time
                           (job-option job 'max-silent-time 0)))
    (lambda (result status)
      (match result
        (('success algorithm digest size)
         (values algorithm digest size status))
        (('hash-mismatch algorithm expected actual)
         (hash-mismatch job status algorithm expected actual))
        (('not-found)
         (give-up job status "no server has it"))))))

(define (ingest job name algorithm)
  "Take over what is called @var{name} in the staging directory; return its
@code{<nar-result>}, with a digest under @var{algorithm}."
  (define staging (store-staging (job-store job)))
  (guard (error ((tree-error? error)
                 (give-up job "refused" "~a" (fruix-error-message error))))
    (ingest-tree! (staging-descriptor staging) name
                  #:owner (geteuid)
                  #:links-fd (staging-links-descriptor staging)
                  #:hash-algorithm algorithm)))

(define (offer job)
  "Return the @code{<substitutable>} of the item of @var{job}."
  (or ((job-option job 'offers (const #f)) (job-drv job))
      (give-up job "not-found" "nobody offers it any more")))

(define (register job name result size)
  "Make what is called @var{name} in the staging directory the item of
@var{job}."
  (define store (job-store job))
  (define known (offer job))
  (define item
    (path-info (job-drv job)
               (bytevector->base16-string (nar-result-hash result))
               ;; What the server says, unless it does not know.
               (if (zero? size) (nar-result-size result) size)
               #:deriver (substitutable-deriver known)
               #:references (substitutable-references known)))
  (define replace? (eq? 'replace (job-mode job)))
  (when replace?
    ;; It is valid all the time, and so is not looked at after a power cut.
    (make-durable (staging-descriptor (store-staging store)) (list name)))
  (call-withdrawing store (list (job-drv job))
    (lambda ()
      ((if replace? replace-in-store! move-into-store!)
       (store-staging store) name (job-drv job))
      (register-items! store (list item)))))

(define (substitute-staged job name)
  "Substitute the item of @var{job}, using @var{name} in the staging
directory."
  (call-with-values
      (lambda ()
        (fetch job (staged-file (store-staging (job-store job)) name)))
    (lambda (algorithm digest size status)
      (let ((result (ingest job name algorithm)))
        (unless (equal? digest (nar-result-digest result))
          (hash-mismatch job status algorithm
                         (bytevector->nix-base32-string digest)
                         (bytevector->nix-base32-string
                          (nar-result-digest result))))
        (register job name result size)))))

(define (substitute-locked job)
  "Substitute the item of @var{job}, which is locked."
  (trace job "@ substituter-started ~a substitute" (job-drv job))
  (guard (exception
          ((build-error? exception)
           (when (eq? 'timeout (build-error-kind exception))
             (trace job "@ substituter-failed ~a timeout" (job-drv job)))
           (raise-exception exception))
          ((fruix-error? exception)
           ;; Behind the first line is what the agent said last, which was
           ;; heard when it did.
           (match (string-split (fruix-error-message exception) #\newline)
             ((line . _) (give-up job "failed" "~a" line)))))
    (call-with-staged (store-staging (job-store job))
      (lambda (name) (substitute-staged job name))))
  (trace job "@ substituter-succeeded ~a" (job-drv job)))

(define (substitute! job)
  "Make the item that is the path of @var{job} valid, or, in mode
@code{replace}, make it anew.  Return @code{built}; or @code{postponed} if
others are making it.  Raise a @code{&build-error}, of kind @code{substitute}
unless it took too long or was cancelled, if that fails."
  (define item (job-drv job))
  (define (done?)
    (and (eq? 'substitute (job-mode job))
         (valid-path? (job-store job) item)))
  (if (done?)
      'built
      (call-protected job item (list item)
        (lambda ()
          (unless (done?)
            (substitute-locked job))
          'built))))
