;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What becomes of staged outputs, which are right as far as one can see: they
;;; are registered, or compared with those of another build of the same
;;; derivation, or they replace what was damaged.
;;;
;;; Outputs are moved into the store when all of them are known to be wanted,
;;; and registered together.
;;; Code:

(define-module (fruix build completion)
  #:use-module (fruix build job)
  #:use-module (fruix build outputs)
  #:use-module (fruix durable)
  #:use-module (fruix store)
  #:use-module (fruix store staging)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:export (complete
            check-same))

(define (install! store output path)
  "Make the staged @var{output} what has the name @var{path} in @var{store}."
  (move-into-store! (store-staging store) (staged-output-name output) path))

(define (replace! store output path)
  "Do the same when @var{path} is valid, and may be in use."
  (replace-in-store! (store-staging store) (staged-output-name output) path))

(define (install-all! job outputs)
  (define store (job-store job))
  (define items (map staged-output-item outputs))
  (define repair? (eq? 'repair (job-mode job)))
  (when repair?
    ;; The items are valid all the time, and so are not looked at after a
    ;; power cut.
    (make-durable (staging-descriptor (store-staging store))
                  (map staged-output-name outputs)))
  (call-withdrawing store (map path-info-path items)
    (lambda ()
      (for-each (lambda (output item)
                  ((if repair? replace! install!)
                   store output (path-info-path item)))
                outputs items)
      (register-items! store items))))

(define (same? a b)
  "Return true if the items @var{a} and @var{b} have the same contents."
  (and (string=? (path-info-hash a) (path-info-hash b))
       (equal? (path-info-references a) (path-info-references b))))

(define (keep! job output)
  "Leave the staged @var{output}, which is not what was expected, to the client
beside the one that was, if it wants it; return a text that says so."
  (if (job-option job 'keep-failed? #f)
      (let ((kept (string-append (path-info-path (staged-output-item output))
                                 "-check")))
        (install! (job-store job) output kept)
        (string-append "; see `" kept "'"))
      ""))

(define (check-same job outputs others)
  "Raise a @code{&build-error} unless @var{outputs}, of one round of @var{job},
are like @var{others}, of the first one."
  (for-each
   (lambda (output other)
     (let ((item (staged-output-item output)))
       (unless (same? item (staged-output-item other))
         ;; Another client may not want to know.
         (reject 'unrepeatable
                 "output `~a' of `~a' differs from that of the first round~a"
                 (path-info-path item) (job-drv job) (keep! job other)))))
   outputs others))

(define (check-against-store job outputs)
  "Raise a @code{&build-error} unless @var{outputs} are what is registered."
  (for-each
   (lambda (output)
     (let* ((item (staged-output-item output))
            (path (path-info-path item))
            (known (query-path-info (job-store job) path)))
       (unless (string=? (path-info-hash item) (path-info-hash known))
         (reject 'nondeterministic
                 "derivation `~a' may not be deterministic: output `~a' \
differs~a"
                 (job-drv job) path (keep! job output)))))
   outputs))

(define (complete job outputs)
  "Do with @var{outputs}, @code{<staged-output>}s, what the mode of @var{job}
wants.  Raise a @code{&build-error} if they are compared and differ."
  (match (job-mode job)
    ((or 'build 'repair) (install-all! job outputs))
    ('check (check-against-store job outputs))))
