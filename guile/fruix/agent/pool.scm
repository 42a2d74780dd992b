;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The agents that a daemon has started, kept for the next who needs one: a
;;; program of Guix takes a second to start.
;;;
;;; 1. A pool has a thread that starts all of its agents: on Linux, they are
;;;    killed when the thread that started them ends, and others come and go.
;;; 2. Who takes an agent has it alone until it is given back.
;;; 3. An agent is as good as a new one: it runs, owes no reply, was started
;;;    with the same arguments and environment, and since then none of the
;;;    files changed that agents read when they start.
;;; 4. Idle agents are few, and do not stay for long.
;;; Code:

(define-module (fruix agent pool)
  #:use-module (fruix agent process)
  #:use-module (fruix agent program)
  #:use-module (fruix errors)
  #:use-module (fruix mailbox)
  #:use-module (fruix thread)
  #:use-module (ice-9 match)
  #:use-module (ice-9 threads)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:export (make-agent-pool
            close-agent-pool!
            close-idle-agents!
            take-agent!
            give-back-agent!
            lease-agent
            call-with-agent))

(define-record-type <pool>
  (%make-pool mutex requests environment files idle open?)
  pool?
  (mutex pool-mutex)
  (requests pool-requests)              ;mailbox of (THUNK . MAILBOX)
  (environment pool-environment)        ;octet strings 'NAME=VALUE'
  (files pool-files)                    ;names of files that agents read
  (idle pool-idle set-pool-idle!)       ;list of <lease>, newest first
  (open? pool-open? set-pool-open?!))   ;boolean

(define-record-type <lease>
  (make-lease agent key since)
  lease?
  (agent lease-agent)                   ;<agent>
  (key lease-key)                       ;what it is good for
  (since lease-since))                  ;seconds since the epoch: when idle

;; How many agents may be idle, and for how many seconds.
(define %idle-limit 8)
(define %idle-time 30)


;;;
;;; The thread.
;;;

(define (serve pool)
  "Call the thunks that others want to be called in this thread, until there
are no more."
  (match (mailbox-get! (pool-requests pool) #:timeout %idle-time)
    ((? eof-object?) #t)
    (#f
     (close-idle-agents! pool #:idle-time %idle-time)
     (serve pool))
    ((thunk . answer)
     (mailbox-put! answer (call-catching thunk))
     (serve pool))))

(define (call-in-thread pool thunk)
  "Call THUNK in the thread of POOL, and return what it returned."
  (let ((answer (make-mailbox)))
    (unless (mailbox-put! (pool-requests pool) (cons thunk answer))
      (fail "the agents have been closed"))
    ((mailbox-get! answer))))

(define* (make-agent-pool #:key (environment '()) (files '()))
  "Return a new pool of agents, whose environment is that of this process with
@var{environment}, a list of octet strings @code{NAME=VALUE}, on top.  When
one of @var{files}, a list of file names, changes, the agents are not used
again."
  (let ((pool (%make-pool (make-mutex) (make-mailbox) environment files
                          '() #t)))
    (start-thread (lambda () (serve pool)))
    pool))

(define (close-agent-pool! pool)
  "Close the idle agents of @var{pool}, and its thread: on Linux, agents that
somebody still talks to are killed; on other systems, when this process ends."
  (with-lock (pool-mutex pool)
    (set-pool-open?! pool #f))
  (close-idle-agents! pool)
  (mailbox-close! (pool-requests pool)))


;;;
;;; Taking and giving back.
;;;

(define (file-state file)
  "Return what changes when FILE is written or replaced."
  (match (stat file #f)
    (#f #f)
    (status
     (map (lambda (field) (field status))
          (list stat:dev stat:ino stat:size stat:mtime stat:mtimensec
                stat:ctime stat:ctimensec)))))

(define (remove-idle! pool unwanted?)
  "Take the idle agents that UNWANTED? holds for from POOL, and return their
leases."
  (with-lock (pool-mutex pool)
    (call-with-values (lambda () (partition unwanted? (pool-idle pool)))
      (lambda (unwanted others)
        (set-pool-idle! pool others)
        unwanted))))

(define* (close-idle-agents! pool #:key (idle-time 0))
  "Close the agents of @var{pool} that have not been used for @var{idle-time}
seconds."
  (define limit (- (current-time) idle-time))
  (for-each (lambda (lease) (close-agent! (lease-agent lease)))
            (remove-idle! pool
                          (lambda (lease) (<= (lease-since lease) limit)))))

(define (take-idle! pool key)
  "Take an idle agent that is good for KEY from POOL and return its lease, or
#f."
  (with-lock (pool-mutex pool)
    (let ((lease (find (lambda (lease) (equal? key (lease-key lease)))
                       (pool-idle pool))))
      (when lease
        (set-pool-idle! pool (delq lease (pool-idle pool))))
      lease)))

(define (start pool key purpose)
  "Start an agent that is good for KEY, and return its lease."
  (match key
    ((arguments environment reply-numbers _)
     (let ((program (guix-program purpose)))
       (make-lease (call-in-thread pool
                     (lambda ()
                       (start-agent program arguments environment
                                    reply-numbers)))
                   key #f)))))

(define* (take-agent! pool arguments environment
                      #:key (reply-numbers '(4)) (purpose "do this"))
  "Take an agent from @var{pool} that runs @command{guix} with
@var{arguments}, a list of strings, and @var{environment}, as for
@code{start-agent}, on top of that of the pool; or start one.
@var{reply-numbers} is as for @code{start-agent}.  Return a lease, which is to
be given back to @code{give-back-agent!} unless its agent, its
@code{lease-agent}, is closed.  Raise a @code{&fruix-error} that names
@var{purpose}, the end of a sentence, if there is no such program."
  (define key
    (list arguments (append environment (pool-environment pool))
          reply-numbers (map file-state (pool-files pool))))
  (let loop ()
    (match (take-idle! pool key)
      (#f (start pool key purpose))
      (lease
       (if (agent-healthy? (lease-agent lease))
           lease
           (begin
             (close-agent! (lease-agent lease))
             (loop)))))))

(define (add-idle! pool lease)
  "Add LEASE to the idle agents of POOL; return the list of those that are now
too many."
  (with-lock (pool-mutex pool)
    (if (pool-open? pool)
        (let* ((idle (cons (make-lease (lease-agent lease) (lease-key lease)
                                       (current-time))
                           (pool-idle pool)))
               (kept (min %idle-limit (length idle))))
          (set-pool-idle! pool (take idle kept))
          (drop idle kept))
        (list lease))))

(define (give-back-agent! pool lease)
  "Give the agent of @var{lease}, which has replied to all that it was asked,
back to @var{pool}."
  (for-each (lambda (lease) (close-agent! (lease-agent lease)))
            (if (agent-healthy? (lease-agent lease))
                (add-idle! pool lease)
                (list lease))))

(define* (call-with-agent pool arguments environment proc
                          #:key (reply-numbers '(4)) (purpose "do this"))
  "Call @var{proc} with an agent taken from @var{pool} as @code{take-agent!}
does, and return what it returned.  The agent is given back then, or, if
@var{proc} raises an exception, closed."
  (let* ((lease (take-agent! pool arguments environment
                             #:reply-numbers reply-numbers
                             #:purpose purpose))
         (agent (lease-agent lease))
         (value (on-failure (lambda () (close-agent! agent))
                  (lambda () (proc agent)))))
    (give-back-agent! pool lease)
    value))
