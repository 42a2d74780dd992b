;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The operation that builds: from the client's list of derivations to builds
;;; by the scheduler, and from what happens there to what the client hears.
;;;
;;; While it waits, the session watches two things: its mailbox, and whether
;;; the client is still there.  A client that leaves gives up its builds.
;;; Code:

(define-module (fruix session building)
  #:use-module (fruix descriptors)
  #:use-module (fruix errors)
  #:use-module (fruix mailbox)
  #:use-module (fruix octets)
  #:use-module (fruix protocol wire)
  #:use-module (fruix scheduler loop)
  #:use-module (fruix session client)
  #:use-module (fruix session plan)
  #:use-module (fruix session settings)
  #:use-module (fruix session traces)
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:export (build-paths))

;; What a session remembers during one request.
(define-record-type <watch>
  (make-watch client pids kinds)
  watch?
  (client watch-client)
  (pids watch-pids)                     ;hash table: DRV -> pid of its builder
  (kinds watch-kinds set-watch-kinds!)) ;kinds of all failures

(define (setting-of watch name)
  (setting (client-settings (watch-client watch)) name))

(define (send-trace watch line)
  (when (and line (setting-of watch 'print-build-trace?))
    (send-text (watch-client watch) line)))

(define (note-end watch drv)
  "Forget DRV's builder; return whether there was one."
  (let ((pid (hash-ref (watch-pids watch) drv)))
    (hash-remove! (watch-pids watch) drv)
    pid))

(define (send-output watch drv bytes)
  (when (>= (setting-of watch 'verbosity) (setting-of watch 'build-verbosity))
    (let ((pid (hash-ref (watch-pids watch) drv)))
      (send-log (watch-client watch)
                (if (and pid (setting-of watch 'multiplexed?))
                    (log->frame pid bytes)
                    bytes)))))

(define (report-consequences watch results)
  "Tell the client of WATCH which goals were not even tried."
  (for-each (match-lambda
              ((goal 'failed 'dependency text)
               (send-text (watch-client watch) text))
              (_ #t))
            results))

(define (handle watch message)
  "Tell the client of WATCH what MESSAGE says.  Return the results of the
request if these have come, an alist, else #f."
  (match message
    (('started drv system log-file pid)
     (hash-set! (watch-pids watch) drv pid)
     (send-trace watch (started->trace drv system log-file pid))
     #f)
    (('log drv bytes)
     (send-output watch drv bytes)
     #f)
    (('trace drv text)
     (send-trace watch text)
     #f)
    (('note drv text)
     (send-text (watch-client watch) text)
     #f)
    (('finished drv 'built)
     (when (note-end watch drv)
       (send-trace watch (string-append "@ build-succeeded " drv " -")))
     #f)
    (('finished drv ('failed kind text))
     (note-end watch drv)
     (set-watch-kinds! watch (cons kind (watch-kinds watch)))
     (send-text (watch-client watch) text)
     (send-trace watch (failure->trace drv kind text))
     #f)
    (('finished drv _)
     (note-end watch drv)
     #f)
    (('done _ results)
     (report-consequences watch results)
     results)))

;;;
;;; Waiting.
;;;

(define (wait-for-news port mailbox)
  "Wait until MAILBOX has a message; raise &connection-closed if the client on
PORT goes away before."
  (let ((descriptor (mailbox-descriptor mailbox)))
    (force-output port)
    (match (poll-descriptors `((,(fileno port) peer-closed)
                               (,descriptor readable))
                             -1)
      ((((? (lambda (ready) (= ready (fileno port)))) . _) . _)
       (connection-lost))
      (_ #t))))

(define (follow watch mailbox)
  "Tell the client of WATCH what comes into MAILBOX until all is done; return
the results."
  (define port (client-port (watch-client watch)))
  (let loop ()
    (match (mailbox-get! mailbox #:timeout 0)
      (#f
       (wait-for-news port mailbox)
       (loop))
      ((? eof-object?)
       (fail "the daemon is stopping"))
      (message
       (or (handle watch message)
           (loop))))))

(define (build client watch plan)
  "Have the goals of PLAN built; return the results, an alist from goals."
  (call-with-subscription
   (client-scheduler client) (client-uid client) (client-pid client)
   (lambda (subscription mailbox)
     (let ((settings (client-settings client)))
       (submit! (client-scheduler client) subscription
                (plan-nodes plan) (plan-goals plan)
                (setting settings 'keep-going?)
                (build-options settings (client-uid client)
                               (client-gid client)))
       (follow watch mailbox)))))

;;;
;;; The operation.
;;;

(define (exit-status kinds)
  "Return the status for failures of KINDS."
  (cond ((memq 'timeout kinds) 101)
        ((any (lambda (kind) (memq kind kinds)) '(failed cached rejected))
         100)
        (else 1)))

(define (quoted paths)
  (string-join (map (lambda (path) (string-append "`" path "'"))
                    (sort paths string<?))
               ", "))

(define (check-supported client mode)
  (unless (eq? mode 'normal)
    (fail "build mode `~a' is not available" mode))
  (unless (zero? (setting (client-settings client) 'repeat))
    (fail "building more than once is not available")))

(define (report-missing watch plan)
  (for-each (lambda (drv)
              (send-text (watch-client watch)
                         (string-append "cannot build missing derivation `"
                                        drv "'")))
            (plan-missing plan)))

(define (build-plan client watch plan)
  "Build what PLAN says; return the list of goals that failed."
  (define keep-going? (setting (client-settings client) 'keep-going?))
  (define missing (plan-missing plan))
  (report-missing watch plan)
  (cond ((or (null? (plan-goals plan))
             (and (pair? missing) (not keep-going?)))
         missing)
        (else
         (append missing
                 (filter-map (match-lambda
                               ((goal . ('failed . _)) goal)
                               (_ #f))
                             (build client watch plan))))))

(define (build-paths client requests mode)
  "Build what @var{requests}, a list of octet strings, name in the sense of
@code{plan-builds}, telling @var{client} how it goes.  Raise a
@code{&protocol-error} with the exit status of @command{guix build} if a goal
could not be built, and a @code{&fruix-error} if @var{mode} is not
@code{normal}."
  (check-supported client mode)
  (let ((plan (plan-builds (client-store client) requests))
        (watch (make-watch client (make-hash-table) '())))
    (match (build-plan client watch plan)
      (() #t)
      (failed
       (raise-exception
        (make-protocol-error (string-append "build of " (quoted failed)
                                            " failed")
                             (exit-status (watch-kinds watch))))))))
