;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The operations that build and substitute: from the client's list to tasks
;;; for the scheduler, and what becomes of them.
;;;
;;; A plan may turn out to be wrong: a substitute that was promised is not
;;; there.  Then a client that wants so has the rest planned anew, without it,
;;; when all else in the plan has been done; what cannot be built is not tried
;;; again.
;;; Code:

(define-module (fruix session building)
  #:use-module (fruix errors)
  #:use-module (fruix scheduler loop)
  #:use-module ((fruix scheduler task) #:select (task-path))
  #:use-module (fruix session client)
  #:use-module (fruix session plan)
  #:use-module (fruix session settings)
  #:use-module (fruix session substitutes)
  #:use-module (fruix session watch)
  #:use-module (fruix sorted-set)
  #:use-module (fruix store)
  #:use-module ((fruix store path) #:select (derivation-path?))
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:export (build-paths
            repair-items
            ensure-valid))

(define (setting-of client name)
  (setting (client-settings client) name))

;;;
;;; One plan.
;;;

(define (keep-going client plan)
  "Return after which failures what PLAN says is gone on with for CLIENT, as
'submit!' takes it."
  (cond ((setting-of client 'keep-going?) #t)
        ((or (plan-preliminary? plan) (setting-of client 'fallback?))
         'substitutes)
        (else #f)))

(define (follow-plan client watch plan)
  "Have the goals of PLAN done; return the results, an alist from goals."
  (call-with-subscription
   (client-scheduler client) (client-uid client) (client-pid client)
   (lambda (subscription mailbox)
     (submit! (client-scheduler client) subscription
              (plan-nodes plan) (plan-goals plan)
              (keep-going client plan)
              (acons 'offers (plan-offers plan)
                     (client-build-options client))
              #:jobs (setting-of client 'max-jobs))
     (follow watch mailbox))))

(define (report-missing client plan)
  (for-each (lambda (path)
              (send-text client
                         (if (derivation-path? path)
                             (string-append "cannot build missing derivation `"
                                            path "'")
                             (string-append "cannot repair path `" path "': \
neither a substitute nor its derivation is there"))))
            (plan-missing plan)))

(define (failed-goals client watch plan)
  "Have the goals of PLAN done; return the paths of those that failed."
  (filter-map (match-lambda
                ((goal . ('failed . _)) (task-path goal))
                (_ #f))
              (follow-plan client watch plan)))

(define (carry-out client watch plan)
  "Do what PLAN says, but for what WATCH knows to fail; return the paths of what
failed."
  (define missing (if (plan-preliminary? plan) '() (plan-missing plan)))
  (unless (plan-preliminary? plan)
    (report-missing client plan))
  (call-with-values
      (lambda ()
        (plan-without plan (map first (watch-failed-builds watch))))
    (lambda (plan failed)
      (append failed missing
              (if (or (null? (plan-goals plan))
                      (and (pair? missing)
                           (not (setting-of client 'keep-going?))))
                  '()
                  (failed-goals client watch plan))))))

;;;
;;; Failures.
;;;

(define (exit-status kinds)
  "Return the status for failures of KINDS."
  (cond ((memq 'timeout kinds) 101)
        ((any (lambda (kind) (memq kind kinds)) '(failed cached rejected))
         100)
        (else 1)))

(define (quoted paths)
  (string-join (map (lambda (path) (string-append "`" path "'"))
                    (sorted-set paths))
               ", "))

(define (lost-derivation store lost)
  "Return a derivation that has one of LOST, items, as an output, or #f."
  (any (lambda (item)
         (match (valid-derivers store item)
           ((drv . _) drv)
           (() #f)))
       lost))

(define (failure-text client failed lost status)
  "Return what to say of FAILED, a list of paths, when the items LOST could not
be substituted, and STATUS is that of the request."
  (match (and (= status 1) (lost-derivation (client-store client) lost))
    (#f (string-append "build of " (quoted failed) " failed"))
    ;; Clients show no more than this to those who want to read little.
    (drv (string-append "some substitutes for the outputs of derivation `" drv
                        "' failed (usually happens due to networking issues); \
try `--fallback' to build derivation from source "))))

(define (raise-failure client watch failed)
  "Raise the error for FAILED, a list of paths, after what WATCH has seen."
  (match (watch-failure-text watch 'nondeterministic)
    (#f
     (let ((status (exit-status (watch-failure-kinds watch))))
       (raise-exception
        (make-protocol-error (failure-text client failed
                                           (watch-failed-substitutes watch)
                                           status)
                             status))))
    (text (fail "~a" text))))

;;;
;;; The operations.
;;;

(define (worth-another-plan? client watch plan)
  "Return true if what failed of PLAN, as WATCH knows, may be had otherwise."
  (and (pair? (watch-failed-substitutes watch))
       (or (plan-preliminary? plan)
           (and (setting-of client 'fallback?)
                (or (setting-of client 'keep-going?)
                    (null? (watch-failed-builds watch)))))))

(define (do-until-done client make-plan)
  "Carry out the plan that MAKE-PLAN, a procedure that takes what the plan must
not substitute, returns; and further ones as long as that gets on."
  (let loop ((refused '()) (watch (make-watch client)))
    (let* ((plan (make-plan refused))
           (failed (carry-out client watch plan)))
      (cond ((and (null? failed) (not (plan-preliminary? plan)))
             #t)
            ((or (null? failed) (worth-another-plan? client watch plan))
             (loop (append (watch-failed-substitutes watch) refused)
                   (make-watch client (watch-failed-builds watch))))
            (else (raise-failure client watch failed))))))

(define (build client requests mode)
  (do-until-done client
    (lambda (refused)
      (plan-builds (client-store client) requests
                   #:mode mode
                   #:substitutable (asker client refused)))))

(define (repair-items client damaged)
  "Have @var{damaged}, items that are valid but not what they were, made anew,
telling @var{client} how it goes.  Raise a @code{&protocol-error} if that
fails for one."
  (unless (null? damaged)
    (do-until-done client
      (lambda (refused)
        (plan-repairs (client-store client) damaged
                      (asker client refused))))))

(define (requested-items store requests)
  "Return the outputs of the derivations in REQUESTS, and the items in it."
  (append-map (lambda (request)
                (let ((path (first (string-split request #\!))))
                  (if (derivation-path? path)
                      (map cdr (query-derivation-outputs store path))
                      (list path))))
              requests))

(define (repair client requests)
  "Have all that REQUESTS name, and what that refers to, made anew if it is not
what it was."
  (define store (client-store client))
  (repair-items client
                (damaged-items store
                               (closure store
                                        (requested-items store requests))
                               #:report (lambda (line)
                                          (send-text client line))
                               #:pulse (lambda () (check-presence client)))))

(define (build-paths client requests mode)
  "Build or substitute what @var{requests}, a list of octet strings, name in
the sense of @code{plan-builds}, telling @var{client} how it goes.  If
@var{mode} is @code{check}, build what is there again, and compare; if it is
@code{repair}, see to it that what is there is as it was registered.  Raise a
@code{&protocol-error} with the exit status of @command{guix build} if that
fails."
  (match mode
    ((or 'normal 'check) (build client requests mode))
    ('repair
     (build client requests 'normal)
     (repair client requests))))

(define (ensure-valid client path)
  "Substitute @var{path} unless it is valid; nothing is built for it.  Raise
@code{&fruix-error} if nobody has it."
  (define store (client-store client))
  (unless (valid-path? store path)
    (do-until-done client
      (lambda (refused)
        (plan-items store (list path) (asker client refused))))
    (unless (valid-path? store path)
      (fail "path `~a' does not exist and cannot be created" path))))
