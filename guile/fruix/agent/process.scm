;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Agents: programs that serve the daemon, each a process of its own that is
;;; sent requests on its standard input.  Its replies come from descriptors
;;; that were agreed on, and what it has to tell people from the others:
;;; messages.
;;;
;;; 1. An agent does not outlive the thread that started it, on Linux, or this
;;;    process, elsewhere.
;;; 2. It leads a session, so a process group: all of that is killed when it
;;;    is closed.
;;; Code:

(define-module (fruix agent process)
  #:use-module (fruix agent channel)
  #:use-module (fruix descriptors)
  #:use-module (fruix errors)
  #:use-module (fruix process)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-9)
  #:export (start-agent
            agent-name
            agent-process
            agent-input
            agent-messages
            agent-replies
            agent-talk
            set-agent-talk!
            agent-healthy?
            agent-end-requests!
            end-agent!
            close-agent!))

(define-record-type <agent>
  (make-agent name process input messages replies talk)
  agent?
  (name agent-name)                     ;string: its command
  (process agent-process)               ;<process>
  (input agent-input set-agent-input!)  ;descriptor | #f
  (messages agent-messages)             ;<channel>
  (replies agent-replies)               ;<channel>
  (talk agent-talk set-agent-talk!))    ;of (fruix agent conversation) | #f

(define (call-with-pipes count proc . pipes)
  "Call PROC with COUNT new pipes, pairs of descriptors, which are closed if
it raises an exception."
  (if (zero? count)
      (apply proc pipes)
      (call-with-values make-pipe
        (lambda (read write)
          (on-failure (lambda ()
                        (close-fdes read)
                        (close-fdes write))
            (lambda ()
              (apply call-with-pipes (- count 1) proc
                     (cons read write) pipes)))))))

(define (spawn-agent program arguments environment input end)
  "Start PROGRAM with its descriptors 1, 2 and 4 being what END returns for
these numbers."
  (spawn-process program (cons program arguments)
                 #:environment (environment-with environment)
                 #:directory "/" #:session? #t #:no-new-privileges? #t
                 #:death-signal SIGKILL
                 #:input input #:output (end 1) #:error (end 2)
                 #:descriptors `((4 . ,(end 4)))))

(define (start-agent program arguments environment reply-numbers)
  "Start @var{program}, a file name, with @var{arguments}, a list of strings
without argv[0], and return it as an agent.  Its environment is that of this
process, with @var{environment}, a list of octet strings @code{NAME=VALUE}, on
top.  @var{reply-numbers} tells which of its descriptors 1, 2 and 4 carry
replies; the others carry messages.  It is killed when the thread that called
this ends, on Linux, or this process, elsewhere.  Raise a @code{system-error}
if it cannot be started."
  (call-with-pipes 3
    (match-lambda*
      (((input . requests) (replies . replies-end) (messages . messages-end))
       ;; Never wait for it to read while it waits for us to do so.
       (fcntl requests F_SETFL (logior O_NONBLOCK (fcntl requests F_GETFL)))
       (let ((process (spawn-agent program arguments environment input
                                   (lambda (number)
                                     (if (memv number reply-numbers)
                                         replies-end
                                         messages-end)))))
         (for-each close-fdes (list input replies-end messages-end))
         (make-agent (string-join (cons "guix" arguments)) process requests
                     (make-channel messages) (make-channel replies) #f))))))

(define (agent-end-requests! agent)
  "Tell @var{agent} that there are no more requests."
  (and=> (agent-input agent) close-fdes)
  (set-agent-input! agent #f))

(define (end-agent! agent)
  "Kill @var{agent} and its process group; return its wait status, or
@code{#f} if another part of the program has waited for it.  What it has said
can still be read."
  (define process (agent-process agent))
  (agent-end-requests! agent)
  (unless (process-ended? process)
    ;; It was not waited for: the number is still that of its group.
    (kill-process-group process))
  (wait-process process))

(define (close-agent! agent)
  "End @var{agent}: close its input, kill it and all of its process group, and
wait for it."
  (end-agent! agent)
  (channel-close! (agent-messages agent))
  (channel-close! (agent-replies agent)))

(define (agent-healthy? agent)
  "Return true if @var{agent}, which has replied to all that it was asked, can
be sent another request: it runs, and has said no more than that."
  (let ((replies (agent-replies agent)))
    (and (agent-input agent)
         (channel-open? replies)
         (zero? (channel-size replies))
         (null? (poll-descriptors
                 (map (lambda (descriptor) (list descriptor 'readable))
                      (list (channel-descriptor replies)
                            (process-descriptor (agent-process agent))))
                 0)))))
