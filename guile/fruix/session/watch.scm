;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What a session hears from the scheduler while one request is worked on, and
;;; what its client is told of it.
;;;
;;; While it waits, the session watches two things: its mailbox, and whether
;;; the client is still there.  A client that leaves gives up its builds.
;;; Code:

(define-module (fruix session watch)
  #:use-module (fruix descriptors)
  #:use-module (fruix errors)
  #:use-module (fruix mailbox)
  #:use-module (fruix protocol wire)
  #:use-module ((fruix scheduler task) #:select (task-kind task-path))
  #:use-module (fruix session client)
  #:use-module (fruix session settings)
  #:use-module (fruix session traces)
  #:use-module (fruix store)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:export (make-watch
            follow
            watch-failure-kinds
            watch-failure-text
            watch-failed-builds
            watch-failed-substitutes))

;; What a session remembers during one request.
(define-record-type <watch>
  (%make-watch client under-way waiting? pids told failures)
  watch?
  (client watch-client)
  (under-way watch-under-way)           ;hash table: TASK -> #t, heard of, and
                                        ;not of its end
  (waiting? watch-waiting? set-watch-waiting?!) ;was its client told that
                                        ;nothing is under way?
  (pids watch-pids)                     ;hash table: TASK -> pid of its builder
  (told watch-told)                     ;hash table: TASK -> #t, its client
                                        ;has been told why it fails
  (failures watch-failures set-watch-failures!)) ;list of (TASK KIND TEXT)

(define* (make-watch client #:optional (failures '()))
  "Return a watch that tells @var{client} what it hears, and has heard of
@var{failures}, as from @code{watch-failed-builds}, before."
  (%make-watch client (make-hash-table) #f (make-hash-table)
               (make-hash-table) failures))

(define (watch-failure-kinds watch)
  "Return the list of kinds of all failures that @var{watch} has heard of."
  (map second (watch-failures watch)))

(define (watch-failure-text watch kind)
  "Return the text of a failure of @var{kind} that @var{watch} has heard of, or
@code{#f}."
  (match (find (match-lambda ((_ its-kind _) (eq? kind its-kind)))
               (watch-failures watch))
    (#f #f)
    ((_ _ text) text)))

(define (substitution? task)
  (memq (task-kind task) '(substitute replace)))

(define (watch-failed-builds watch)
  "Return the failures of builds that @var{watch} has heard of: a list of tasks,
kinds and texts."
  (remove (match-lambda
            ((task kind _)
             (or (substitution? task) (eq? kind 'cancelled))))
          (watch-failures watch)))

(define (watch-failed-substitutes watch)
  "Return the items whose substitution failed."
  (filter-map (match-lambda
                ((task kind _)
                 (and (substitution? task)
                      (not (eq? kind 'cancelled))
                      (task-path task))))
              (watch-failures watch)))

(define (setting-of watch name)
  (setting (client-settings (watch-client watch)) name))

(define (send-trace watch line)
  (when (and line (setting-of watch 'print-build-trace?))
    (send-text (watch-client watch) line)))

(define (show-locks watch)
  "Show whoever looks at the processes which locks are held for the client of
WATCH."
  (define client (watch-client watch))
  (define (locks task)
    (map (match-lambda
           ((_ . output) (path-lock-file (client-store client) output)))
         (query-derivation-outputs (client-store client) (task-path task))))
  (when (client-show-files client)
    ((client-show-files client)
     (append-map locks
                 (hash-map->list (lambda (task _) task)
                                 (watch-pids watch))))))

(define (note-start! watch task pid)
  "Remember the builder PID of TASK."
  (hash-set! (watch-pids watch) task pid)
  (show-locks watch))

(define (note-end! watch task)
  "Forget the builder of TASK; return whether there was one."
  (let ((pid (hash-ref (watch-pids watch) task)))
    (when pid
      (hash-remove! (watch-pids watch) task)
      (show-locks watch))
    pid))

(define (send-output watch task bytes)
  (when (>= (setting-of watch 'verbosity) (setting-of watch 'build-verbosity))
    (let ((pid (hash-ref (watch-pids watch) task)))
      (apply send-log (watch-client watch)
             (if (and pid (setting-of watch 'multiplexed?))
                 (log->frame pid bytes)
                 (list bytes))))))

(define (note-failure! watch task kind text)
  (note-end! watch task)
  (set-watch-failures! watch
                       (cons (list task kind text) (watch-failures watch)))
  (unless (hash-ref (watch-told watch) task)
    (send-text (watch-client watch) text))
  (unless (substitution? task)
    (send-trace watch (failure->trace (task-path task) kind text))))

(define (note-retry! watch task text)
  "Note that TASK has failed for another client because of TEXT."
  (note-end! watch task)
  (hash-remove! (watch-told watch) task)
  (send-text (watch-client watch)
             (string-append "note: trying again what failed for another \
client: " text)))

(define (report-consequences watch results)
  "Tell the client of WATCH which goals were not even tried."
  (for-each (match-lambda
              ((goal 'failed 'dependency text)
               (send-text (watch-client watch) text))
              (_ #t))
            results))

(define (keep-track! watch message)
  "Remember what is under way in WATCH after MESSAGE."
  (match message
    (((or 'finished 'retried) task . _)
     (hash-remove! (watch-under-way watch) task))
    (('done . _) #t)
    ((_ task . _)
     (hash-set! (watch-under-way watch) task #t)
     (set-watch-waiting?! watch #f))))

(define (handle watch message)
  "Tell the client of WATCH what MESSAGE says.  Return the results of the
request if these have come, an alist, else #f."
  (match message
    (('started task system log-file pid)
     (note-start! watch task pid)
     (send-trace watch
                 (started->trace (task-path task) system log-file pid))
     #f)
    (('log task bytes)
     (send-output watch task bytes)
     #f)
    (('trace task text)
     (send-trace watch text)
     #f)
    (('note task text)
     (send-text (watch-client watch) text)
     #f)
    (('told task)
     (hash-set! (watch-told watch) task #t)
     #f)
    (('finished task 'built)
     (when (note-end! watch task)
       (send-trace watch (string-append "@ build-succeeded "
                                        (task-path task) " -")))
     #f)
    (('finished task ('failed kind text))
     (note-failure! watch task kind text)
     #f)
    (('retried task text)
     (note-retry! watch task text)
     #f)
    (('done _ results)
     (report-consequences watch results)
     results)))

;;;
;;; Waiting.
;;;

;; Milliseconds in which nothing is under way before the client hears of it.
(define %patience 5000)

(define (await client mailbox milliseconds)
  "Wait until MAILBOX has a message, at most for MILLISECONDS, -1 being for
ever, and return whether it has one; raise &connection-closed if CLIENT goes
away before."
  (define departure (client-departure client))
  (force-output (client-port client))
  (let ((events (poll-descriptors
                 (list departure `(,(mailbox-descriptor mailbox) readable))
                 milliseconds)))
    (when (assv (car departure) events)
      (connection-lost))
    (pair? events)))

(define (idle? watch)
  (zero? (hash-count (const #t) (watch-under-way watch))))

(define (wait-for-news watch mailbox)
  "Wait until MAILBOX has a message.  If nothing is under way, the client of
WATCH is told so after a while, but once."
  (define client (watch-client watch))
  (if (or (watch-waiting? watch) (not (idle? watch)))
      (await client mailbox -1)
      (unless (await client mailbox %patience)
        (set-watch-waiting?! watch #t)
        ;; Clients know the beginning of this line.
        (send-text client "waiting for locks or build slots..."))))

(define (follow watch mailbox)
  "Tell the client of WATCH what comes into MAILBOX until all is done; return
the results."
  (let loop ()
    (match (mailbox-get! mailbox #:timeout 0)
      (#f
       (wait-for-news watch mailbox)
       (loop))
      ((? eof-object?)
       (fail "the daemon is stopping"))
      (message
       (keep-track! watch message)
       (or (handle watch message)
           (loop))))))
