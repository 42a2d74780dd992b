;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Talking to an agent: requests, replies and messages.
;;;
;;; 1. Who talks says first who hears the messages, and what ends the wait.
;;; 2. Messages are heard whenever anything is awaited, and no write waits for
;;;    the agent to read: neither side waits for the other in a circle.
;;; 3. When a procedure here raises an exception, the state of the talk is
;;;    unknown, and the agent only good to be closed.
;;; Code:

(define-module (fruix agent conversation)
  #:use-module (fruix agent channel)
  #:use-module (fruix agent process)
  #:use-module (fruix clock)
  #:use-module (fruix descriptors)
  #:use-module (fruix errors)
  #:use-module (fruix octets)
  #:use-module (fruix process)
  #:use-module (ice-9 match)
  #:use-module (rnrs bytevectors)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:export (begin-talk!
            agent-send!
            agent-read-line!
            agent-read-through!
            agent-read!
            agent-await-end!))

(define-record-type <talk>
  (make-talk subject note log cancellation timeout deadline max-silent-time
             heard received last-words)
  talk?
  (subject talk-subject)                ;string: what may take too long
  (note talk-note)                      ;procedure: octets of a line
  (log talk-log)                        ;procedure: octets | #f
  (cancellation talk-cancellation)      ;(DESCRIPTOR EVENT ...) | #f
  (timeout talk-timeout)                ;seconds
  (deadline talk-deadline)              ;as 'now' | #f
  (max-silent-time talk-max-silent-time)  ;seconds | #f
  (heard talk-heard set-talk-heard!)    ;as 'now': when it last said something
  (received talk-received set-talk-received!) ;bytes since the last request
  (last-words talk-last-words set-talk-last-words!)) ;lines, newest first

;; Bytes of a reply that are held at once; of a message, that are heard as
;; one; and of all replies to one request.
(define %reply-limit (expt 2 20))
(define %message-limit (expt 2 16))
(define %replies-limit (expt 2 28))

;; Lines of messages that are kept to tell how an agent ended, and their size.
(define %last-words 10)
(define %last-word-size 1000)

;; Milliseconds that an agent that has closed its replies has to end.
(define %ending-time 2000)

;; Reads that its last messages may take.
(define %last-reads 64)

(define %newline (char-set #\newline))
(define %line-ends (char-set #\newline #\return))

(define* (begin-talk! agent #:key (note (const #t)) log cancellation
                      (subject (format #f "`~a'" (agent-name agent)))
                      (timeout 0) (max-silent-time 0))
  "Begin to talk with @var{agent}.  @var{note} is called with each line of its
messages, an octet string that ends with its newline or carriage return unless
the end of the output, or a size of 64 KiB, cuts it short.  With @var{log}, a
procedure, it is the replies that are passed to @var{note} so, and the
messages to @var{log}, octets as they come.  Waiting raises a
@code{&build-error} of kind @code{cancelled} when @var{cancellation} happens, a
descriptor and events as for @code{poll-descriptors}, and one of kind
@code{timeout} after @var{timeout} seconds, or when the agent says nothing for
@var{max-silent-time} seconds; 0 means no limit.  What takes too long is called
@var{subject}, a string, in their texts."
  (define (limit seconds)
    (and (positive? seconds) seconds))
  (set-agent-talk! agent
                   (make-talk subject note log cancellation timeout
                              (and=> (limit timeout)
                                     (lambda (seconds) (+ (now) seconds)))
                              (limit max-silent-time)
                              (now) 0 '())))


;;;
;;; Hearing.
;;;

(define (readable descriptor)
  (list descriptor 'readable))

(define (open-channels agent)
  (filter channel-open? (list (agent-messages agent) (agent-replies agent))))

(define (process-end agent)
  "Return what to poll for the end of AGENT."
  (readable (process-descriptor (agent-process agent))))

(define (remember! agent line)
  "Keep LINE as what AGENT said last."
  (define talk (agent-talk agent))
  (let ((text (string-trim-both line)))
    (unless (string-null? text)
      (let ((words (cons (string-take text (min %last-word-size
                                                (string-length text)))
                         (talk-last-words talk))))
        (set-talk-last-words! talk
                              (take words (min %last-words
                                               (length words))))))))

(define (hear-lines! agent channel)
  "Pass on the lines that CHANNEL of AGENT holds."
  (define (hear line)
    (remember! agent line)
    ((talk-note (agent-talk agent)) line))
  (let loop ()
    (match (channel-take-through! channel %line-ends)
      (#f
       (when (or (not (channel-open? channel))
                 (> (channel-size channel) %message-limit))
         (let ((rest (channel-take-all! channel)))
           (unless (string-null? rest)
             (hear rest)))))
      (line
       (hear line)
       (loop)))))

(define (hear! agent channel)
  "Pass on what CHANNEL of AGENT holds, unless it is for who asked."
  (let ((log (talk-log (agent-talk agent)))
        (replies? (eq? channel (agent-replies agent))))
    (cond ((if log replies? (not replies?))
           (hear-lines! agent channel))
          (log (log (channel-take-all! channel))))))

(define (take-in! agent channel)
  "Read from CHANNEL of AGENT, which is ready, and pass it on."
  (define talk (agent-talk agent))
  (let ((count (channel-fill! channel)))
    (set-talk-heard! talk (now))
    (when (eq? channel (agent-replies agent))
      (set-talk-received! talk (+ count (talk-received talk))))
    (hear! agent channel)))

(define (drain! agent channel)
  "Pass on what CHANNEL of AGENT, which has ended, still has to give."
  (let loop ((left %last-reads))
    (when (and (positive? left)
               (channel-open? channel)
               (pair? (poll-descriptors
                       (list (readable (channel-descriptor channel))) 0)))
      (take-in! agent channel)
      (loop (- left 1))))
  (when (channel-open? channel)
    ;; Somebody else has the pipe.
    (channel-ended! channel)
    (hear! agent channel)))

(define (take-in-ready! agent events)
  "Take in what EVENTS, a result of 'poll-descriptors', says is there."
  (match (filter (lambda (channel)
                   (assv (channel-descriptor channel) events))
                 (open-channels agent))
    (()
     (when (assv (process-descriptor (agent-process agent)) events)
       (for-each (lambda (channel) (drain! agent channel))
                 (open-channels agent))))
    (ready
     (for-each (lambda (channel) (take-in! agent channel)) ready))))


;;;
;;; Waiting.
;;;

(define (stop kind template . arguments)
  (raise-exception
   (make-build-error (apply format #f template arguments) kind)))

(define (check-time agent)
  "Raise an exception if the talk with AGENT has taken too long."
  (define talk (agent-talk agent))
  (define subject (talk-subject talk))
  (define silence (talk-max-silent-time talk))
  (cond ((and=> (talk-deadline talk)
                (lambda (deadline) (<= deadline (now))))
         (stop 'timeout "~a timed out after ~a seconds"
               subject (talk-timeout talk)))
        ((and silence (<= (+ (talk-heard talk) silence) (now)))
         (stop 'timeout "~a timed out after ~a seconds of silence"
               subject silence))))

(define (check-cancellation agent events)
  "Raise an exception if EVENTS, a result of 'poll-descriptors', has what
cancels the talk with AGENT."
  (match (talk-cancellation (agent-talk agent))
    (#f #t)
    ((descriptor . _)
     (when (assv descriptor events)
       (stop 'cancelled "~a was cancelled"
             (talk-subject (agent-talk agent)))))))

(define (milliseconds-left talk)
  "Return the time until the limits of TALK end it, for poll(2)."
  (match (filter identity
                 (list (talk-deadline talk)
                       (and=> (talk-max-silent-time talk)
                              (lambda (silence)
                                (+ silence (talk-heard talk))))))
    (() -1)
    (times
     (inexact->exact (ceiling (max 0 (* 1000 (- (apply min times)
                                                (now)))))))))

(define* (await! agent #:key writable?)
  "Wait until AGENT says something, and take it in, or, with WRITABLE?, until
it takes something.  Return what is ready, as 'poll-descriptors' does."
  (define talk (agent-talk agent))
  (define (watch channel)
    (readable (channel-descriptor channel)))
  (check-time agent)
  (let ((events
         (poll-descriptors
          `(,(process-end agent)
            ,@(map watch (open-channels agent))
            ,@(or (and=> (talk-cancellation talk) list) '())
            ,@(if writable? `((,(agent-input agent) writable)) '()))
          (milliseconds-left talk))))
    (check-cancellation agent events)
    (take-in-ready! agent events)
    (when (or (> (channel-size (agent-replies agent)) %reply-limit)
              (> (talk-received (agent-talk agent)) %replies-limit))
      (fail "`~a' says too much" (agent-name agent)))
    events))

(define (hear-out! agent)
  "Wait a little for the end of AGENT, then kill it; take in what it said last
and return its wait status, or #f."
  (poll-descriptors (list (process-end agent)) %ending-time)
  (let ((status (end-agent! agent)))
    (for-each (lambda (channel) (drain! agent channel))
              (open-channels agent))
    status))

(define (fail-for-ended agent)
  "Raise the error that tells how AGENT ended when it should have replied."
  (let ((status (hear-out! agent)))
    (fail "`~a' ended unexpectedly~a~{~%~a~}"
          (agent-name agent)
          (cond ((not status) "")
                ((status:exit-val status)
                 => (lambda (code) (format #f " with exit code ~a" code)))
                (else
                 (format #f " by signal ~a" (status:term-sig status))))
          (reverse (talk-last-words (agent-talk agent))))))

(define (await-reply! agent take)
  "Wait until TAKE, a procedure of the channel of AGENT's replies, returns
true, and return that."
  (let loop ()
    (cond ((take (agent-replies agent)))
          ((channel-open? (agent-replies agent))
           (await! agent)
           (loop))
          (else (fail-for-ended agent)))))


;;;
;;; Talking.
;;;

(define (write-some descriptor bytes start)
  "Write to DESCRIPTOR what it takes of BYTES from START; return how much, or
#f if nobody reads there any more."
  (catch 'system-error
    (lambda () (write-descriptor descriptor bytes start))
    (lambda arguments
      (match (system-error-errno arguments)
        ((? (lambda (errno) (= errno EAGAIN))) 0)
        ((? (lambda (errno) (= errno EPIPE))) #f)
        (_ (apply throw arguments))))))

(define (agent-send! agent octets)
  "Send @var{octets}, a request, to @var{agent}.  Raise a @code{&fruix-error}
if it has ended."
  (define bytes (octets->bytevector octets))
  (set-talk-received! (agent-talk agent) 0)
  (let loop ((start 0))
    (when (< start (bytevector-length bytes))
      (let ((events (await! agent #:writable? #t)))
        (loop (if (assv (agent-input agent) events)
                  (+ start (or (write-some (agent-input agent) bytes start)
                               (fail-for-ended agent)))
                  start))))))

(define (agent-read-line! agent)
  "Return the next line of the replies of @var{agent}, an octet string without
its newline.  Raise a @code{&fruix-error} if the agent ends before, whose text
tells how, and what it said last."
  (string-drop-right
   (await-reply! agent
                 (lambda (replies)
                   (channel-take-through! replies %newline)))
   1))

(define (agent-read-through! agent char)
  "Return what @var{agent} replies up to the next @var{char}, without that, as
@code{agent-read-line!} does."
  (string-drop-right
   (await-reply! agent
                 (lambda (replies)
                   (channel-take-through! replies (char-set char))))
   1))

(define (agent-read! agent size)
  "Return the next @var{size} bytes, at most 64 KiB, that @var{agent} replies,
an octet string.  Raise a @code{&fruix-error} as @code{agent-read-line!}
does."
  (await-reply! agent
                (lambda (replies)
                  (channel-take! replies size))))

(define (agent-await-end! agent)
  "Pass on what @var{agent} says until it ends; return its wait status, or
@code{#f} if another part of the program has waited for it."
  (let loop ()
    (if (process-running? (agent-process agent))
        (begin
          (await! agent)
          (loop))
        (hear-out! agent))))
