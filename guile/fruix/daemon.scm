;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The daemon: one process with a store, a scheduler, the sockets, and a
;;; thread for each connection.
;;;
;;; The main thread accepts connections and waits for signals.  To stop, it
;;; closes in order what others need: first no new clients, then no builds,
;;; then no sessions, then no store.
;;; Code:

(define-module (fruix daemon)
  #:use-module (fruix agent)
  #:use-module (fruix control)
  #:use-module ((fruix credentials) #:select (withhold-privileges!))
  #:use-module (fruix daemon connections)
  #:use-module (fruix daemon discovery)
  #:use-module (fruix daemon peers)
  #:use-module (fruix daemon sockets)
  #:use-module (fruix daemon session-process)
  #:use-module ((fruix descriptors) #:select (wait-milliseconds))
  #:use-module (fruix errors)
  #:use-module (fruix flag)
  #:use-module (fruix heap)
  #:use-module ((fruix octets) #:select (text->octets))
  #:use-module (fruix process)
  #:use-module ((fruix sandbox) #:select (sweep-sandboxes))
  #:use-module (fruix scheduler loop)
  #:use-module (fruix session)
  #:use-module (fruix session client)
  #:use-module (fruix session settings)
  #:use-module (fruix store)
  #:use-module (fruix store layout)
  #:use-module (fruix thread)
  #:use-module (fruix worker)
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 match)
  #:use-module ((ice-9 threads) #:select (current-thread
                                       thread-exited?))
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:export (run-daemon))

;; Bytes that are gathered before they are written on a connection.
(define %buffer-size 32768)

;; Seconds that sessions have to end when the daemon stops.
(define %end-time 10)

;; What all connections share.
(define-record-type <service>
  (make-service store scheduler agents settings max-jobs builders
                connections session-name)
  service?
  (store service-store)
  (scheduler service-scheduler)
  (agents service-agents)               ;pool of (fruix agent)
  (settings service-settings)           ;of a new session
  (max-jobs service-max-jobs)           ;integer
  (builders service-builders)           ;user ids that are no clients'
  (connections service-connections)
  (session-name service-session-name))  ;string, or #f

(define (report template . arguments)
  "Tell the administrator."
  ;; In one piece, as other threads report, too.
  (display (string-append (basename (first (command-line))) ": "
                          (apply format #f template arguments) "\n")
           (current-error-port))
  (force-output (current-error-port)))

;;;
;;; Connections.
;;;

(define (call-with-presence service peer proc)
  "Call PROC, which serves PEER, while there is something for others to see
of that if SERVICE is to show it.  PROC takes the procedure that shows files,
or #f."
  (if (and (service-session-name service)
           (positive? (peer-pid peer)))
      (call-with-session-process (service-session-name service) (peer-pid peer)
                                 proc)
      (proc #f)))

(define (serve-worker service connection port peer)
  "Serve the worker protocol on PORT."
  (define (->client show-files)
    (lambda (minor)
      (make-client port minor (peer-user peer)
                   (peer-pid peer) (peer-uid peer) (peer-gid peer)
                   (peer-trusted? peer)
                   (service-store service)
                   (service-scheduler service)
                   (service-agents service)
                   show-files
                   (service-settings service))))
  (define (welcomed)
    (greeted! (service-connections service) connection))
  (let ((exception (call-with-presence service peer
                     (lambda (show-files)
                       (serve-client port (->client show-files) welcomed)))))
    (when exception
      (report "session of ~a: ~a" (peer->text peer)
              (exception->text exception)))))

(define (serve-controller service connection port peer)
  "Serve the control protocol on PORT."
  (greeted! (service-connections service) connection)
  (serve-control port (service-store service) (service-scheduler service)
                 `((max-jobs . ,(service-max-jobs service))
                   (connections
                    . ,(connection-count (service-connections service))))))

;; The graph of the whole store, for one, is needed rarely.
(define (give-back-memory-after thread)
  "Give back the memory that only THREAD needs, once that has ended."
  (run-in-worker
   (lambda ()
     ;; What it returns can be had before it has left its stack.
     (while (not (thread-exited? thread))
       (wait-milliseconds 10))
     (give-back-memory!))))

(define (serve-in-thread service serve connection port peer)
  "Call SERVE with CONNECTION, on PORT, and PEER in a new thread, which closes
the connection in the end."
  (define (end)
    (close-connection! (service-connections service) connection))
  (guard (exception (#t (end)
                        (raise-exception exception)))
    (start-thread
     (lambda ()
       (guard (exception (#t #f))       ;the connection broke
         (setvbuf port 'block %buffer-size)
         (serve service connection port peer))
       (end)
       (when (heap-large?)
         (give-back-memory-after (current-thread)))))))

(define (start-connection service serve port peer)
  "Serve PEER, newly connected on PORT, unless there are too many, or a builder
has found a way to the socket."
  (when (memv (peer-uid peer) (service-builders service))
    (fail "~a is a build user" (peer->text peer)))
  (let ((connection (open-connection! (service-connections service)
                                      port (peer-user peer))))
    (unless connection
      (fail "~a has too many connections, or all have" (peer->text peer)))
    (serve-in-thread service serve connection port peer)))

(define (accept-connection service serve listener)
  (match (accept listener SOCK_CLOEXEC)
    ((port . address)
     (guard (exception (#t (close-port port)
                           (raise-exception exception)))
       (start-connection service serve port (peer port address))))))

(define (make-complainer)
  "Return a procedure that tells the administrator its argument, a text, as the
reason for which a connection was refused, unless another one was told in the
same second: clients decide how often."
  (define last #f)
  (lambda (text)
    (let ((now (current-time)))
      (unless (eqv? now last)
        (set! last now)
        (report "connection refused: ~a" text)))))

(define (try-to-accept-connection service serve listener complain)
  "Accept a connection as far as the system and we allow it; else COMPLAIN."
  (guard (exception (#t (complain (exception->text exception))
                        ;; When the system did not allow it, its client is
                        ;; still there: do not spin.  When we did not, others
                        ;; must not wait for that.
                        (unless (fruix-error? exception)
                          (wait-milliseconds 10))))
    (accept-connection service serve listener)))

;;;
;;; Life of the daemon.
;;;

(define (prepare-process)
  "Make this process one that many clients can use."
  (withhold-privileges!)
  (reserve-stack!)
  (collect-rarely!)
  (umask #o022)
  ;; Other modules warn there, too, of what the administrator should know now.
  (setvbuf (current-error-port) 'line)
  ;; Both are errors of a call, too, and need not be more.
  (sigaction SIGPIPE SIG_IGN)
  (sigaction SIGXFSZ SIG_IGN)
  (raise-descriptor-limit!))

(define (call-until-signal proc)
  "Call PROC with a flag that is set when a signal has asked the daemon to
stop, and a thunk that returns the signal's number then."
  (define stop (make-flag))
  (define signal #f)
  (define (handle number)
    (call-with-blocked-asyncs
     (lambda ()
       (set! signal number)
       (flag-set! stop))))
  (for-each (lambda (signal) (sigaction signal handle))
            (list SIGTERM SIGINT SIGHUP))
  (proc stop (lambda () signal)))

(define (accept-connections service listeners stop)
  "Accept connections until the flag STOP is set.  LISTENERS is an alist from
listening sockets to procedures that serve a connection."
  (define connections (service-connections service))
  (define complain (make-complainer))
  ;; A handler may run between a look at the flag and 'select'.
  (define stop-descriptor (flag-descriptor stop))
  (let loop ()
    (unless (flag-set? stop)
      (let ((deadline (next-deadline connections)))
        ;; Guile's own, since a signal's handler runs inside it.
        (match (select (cons stop-descriptor (map car listeners)) '() '()
                       (and deadline (max 0 (- deadline (current-time)))))
          ((ready _ _)
           (shut-down-late! connections)
           (for-each (lambda (listener)
                       (try-to-accept-connection
                        service (assq-ref listeners listener) listener
                        complain))
                     (filter port? ready))
           (loop)))))))

(define (protocol-server protocol)
  "Return the procedure that serves connections of PROTOCOL."
  (match protocol
    ('worker serve-worker)
    ('control serve-controller)))

(define (client-addresses listeners)
  "Return where clients of the worker protocol find LISTENERS, strings."
  (filter-map (match-lambda
                ((listener . 'worker) (listener->text listener))
                (_ #f))
              listeners))

(define (serve-until-signal service listeners)
  (call-until-signal
   (lambda (stop signal)
     (report "listening on ~a"
             (string-join (client-addresses listeners) ", "))
     (accept-connections service
                         (map (match-lambda
                                ((listener . protocol)
                                 (cons (listener-port listener)
                                       (protocol-server protocol))))
                              listeners)
                         stop)
     (report "stopping after signal ~a" (signal))))
  ;; At once: the next daemon may be starting.
  (for-each close-listener (map car listeners))
  (stop-scheduler! (service-scheduler service))
  (shut-down-all! (service-connections service))
  (unless (wait-for-end (service-connections service) %end-time)
    (report "~a connections did not end in time"
            (connection-count (service-connections service)))))

(define (call-with-discovery layout wanted? thunk)
  "Call THUNK, if WANTED? while 'guix discover' looks for servers."
  (define process
    (guard (exception (#t (report "warning: ~a" (exception->text exception))
                          #f))
      (and wanted? (start-discovery layout))))
  (if process
      (call-with-process process (lambda _ (thunk)))
      (thunk)))

(define (make-agents layout)
  "Return a pool of programs of Guix that find what they need where LAYOUT
says, whatever they would do by themselves."
  (define configuration (layout-configuration-directory layout))
  (make-agent-pool
   #:environment
   (list (string-append "GUIX_CONFIGURATION_DIRECTORY="
                        (text->octets configuration))
         (string-append "GUIX_DATABASE_DIRECTORY="
                        (text->octets (layout-database-directory layout)))
         (string-append "GUIX_STATE_DIRECTORY="
                        (text->octets (layout-state-directory layout))))
   ;; Which keys are authorized is read by most when they start.
   #:files (list (string-append configuration "/acl"))))

;; Descriptors that go with a connection whose client waits for a build: its
;; own, two of its thread, one of its roots, two of its mailbox, and some of
;; what it is doing.
(define %descriptors-each 10)

(define (make-enough-connections)
  "Return a set of at most as many connections as there are descriptors for."
  (call-with-values (lambda () (getrlimit 'nofile))
    (lambda (descriptors _)
      (let ((limit (min 1000 (quotient (or descriptors 10000)
                                       %descriptors-each))))
        (make-connections #:limit limit
                          #:user-limit (min 200 (quotient limit 2)))))))

(define* (run-daemon layout listeners build #:key
                     build-group
                     (deduplicate? #t)
                     (builders '())
                     (max-jobs 1)
                     (settings %default-settings)
                     session-name)
  "Serve the store of @var{layout}, a @code{<layout>} of absolute names, on
@var{listeners}, which @code{call-with-listeners} gave, until SIGTERM, SIGINT
or SIGHUP; return when all builds and sessions have ended.
@var{build} is called in a new thread with the store, a task, options, a
procedure to publish messages with, and a cancellation, as
@code{(fruix scheduler loop)} says; @var{max-jobs} such calls go on at a time.
@var{build-group} is the number of the group of the build users, if there is
one; @var{builders}, a list of the ids of users that are refused as clients,
since they run builders; @var{deduplicate?}, whether equal files are shared.
@var{settings} are those of a new session; with @code{discover?} among them,
@command{guix discover} runs meanwhile.  With @var{session-name}, a string, a
process of that name stands in for each session of a client on this machine,
with the client's process ID as its argument; only Linux has this.  This is to
be called before there are other threads."
  (prepare-process)
  (let* ((store (open-store layout #:build-group build-group
                            #:deduplicate? deduplicate?
                            #:release sweep-sandboxes))
         (agents (make-agents layout))
         (scheduler (start-scheduler
                     #:max-jobs max-jobs
                     #:build (lambda arguments
                               (apply build store arguments)))))
    (call-with-discovery layout (setting settings 'discover?)
      (lambda ()
        (serve-until-signal
         (make-service store scheduler agents settings max-jobs builders
                       (make-enough-connections) session-name)
         listeners)))
    (close-agent-pool! agents)
    (dynamic-wind
      (const #t)
      (lambda () (sync-store! store))
      (lambda () (close-store! store)))))
