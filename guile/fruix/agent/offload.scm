;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Offloading: offering builds to 'guix offload', which has other machines do
;;; them.
;;;
;;; An agent that declines a build, or asks to be tried later, can be offered
;;; the next.  One that accepts is given the names of what it needs and what
;;; it is to make, and from then on is that build: it is done when it ends.
;;; Code:

(define-module (fruix agent offload)
  #:use-module (fruix agent conversation)
  #:use-module (fruix agent pool)
  #:use-module (fruix agent process)
  #:use-module (fruix errors)
  #:use-module ((fruix process) #:select (process-id))
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-9)
  #:export (offer-build
            remote-build-process-id
            run-remote-build!
            close-remote-build!))

(define-record-type <remote-build>
  (make-remote-build agent drv timeout max-silent-time)
  remote-build?
  (agent remote-build-agent)                      ;<agent>
  (drv remote-build-drv)                          ;store path
  (timeout remote-build-timeout)                  ;seconds
  (max-silent-time remote-build-max-silent-time)) ;seconds

(define (check-word text)
  ;; A blank would end the word, a newline the request.
  (unless (string-every char-set:graphic text)
    (fail "cannot offload a build with ~s in its request" text))
  text)

(define (request local? system drv features)
  (format #f "~a ~a ~a ~a\n" (if local? 1 0) (check-word system)
          (check-word drv) (string-join (map check-word features) ",")))

;; The other machine's build trace would come as part of the log, and who
;; reads that would see how builds begin and end twice.
(define %no-trace "0")

(define (read-answer agent note)
  "Return what AGENT answers to an offer; pass other lines to NOTE."
  (match (agent-read-line! agent)
    ("# accept" 'accept)
    ("# decline" 'decline)
    ("# postpone" 'postpone)
    ((? (lambda (line) (string-prefix? "# " line)) line)
     (fail "`guix offload' answered `~a' to an offer" line))
    (line
     (note (string-append line "\n"))
     (read-answer agent note))))

(define* (offer-build pool system drv features note
                      #:key (own-system system) local? cancellation
                      (timeout 0) (max-silent-time 0))
  "Offer the build of the derivation @var{drv}, a store path, for
@var{system}, a string, which needs machines with @var{features}, a list of
strings, to other machines.  Return @code{decline}, @code{postpone}, or a
@code{<remote-build>} that has been accepted, for @code{run-remote-build!} and
then @code{close-remote-build!}.

@var{pool} is where its agent comes from; @var{note} is called with lines for
the user: octet strings.  @var{own-system} is the daemon's system;
@var{local?} tells whether it could build now.  @var{timeout} and
@var{max-silent-time} are those of the build, in seconds; 0 means none.  Raise a
@code{&build-error} of kind @code{cancelled} when the event @var{cancellation}
happens, which is as for @code{begin-talk!}; a @code{&fruix-error} if the agent
cannot be run, ends, or does not make sense."
  (let* ((text (request local? system drv features))
         (lease (take-agent! pool
                             (list "offload" own-system
                                   (number->string max-silent-time)
                                   %no-trace
                                   (number->string timeout))
                             '()
                             #:reply-numbers '(1 2)
                             #:purpose "offload builds"))
         (agent (lease-agent lease)))
    (match (on-failure (lambda () (close-agent! agent))
             (lambda ()
               (begin-talk! agent #:cancellation cancellation)
               (agent-send! agent text)
               (read-answer agent note)))
      ('accept (make-remote-build agent drv timeout max-silent-time))
      (answer
       (give-back-agent! pool lease)
       answer))))

(define (remote-build-process-id build)
  "Return the number of the process that is the remote build @var{build}."
  (process-id (agent-process (remote-build-agent build))))

(define (words paths)
  (string-append (string-concatenate
                  (map (lambda (path)
                         (string-append (check-word path) " "))
                       paths))
                 "\n"))

(define (close-remote-build! build)
  "Kill the remote build @var{build}, unless it is over, and free what is kept
of it.  This must be done once, whether it was run or not."
  (close-agent! (remote-build-agent build)))

(define* (run-remote-build! build inputs outputs log note #:key cancellation)
  "Run the remote build @var{build} to its end, and return its wait status: 0
if the outputs have been made, exit code 100 if the build has failed for
good, 101 if it took too long; or @code{#f} if another part of the program has
waited for it.  @var{inputs} is the list of all store paths that the build
needs, @var{outputs} of those that it is to make.  @var{log} is called with
octet strings, what the builder has written; @var{note} with lines for the user,
octet strings, too.  Raise a @code{&build-error} of kind @code{cancelled} when
the event @var{cancellation} happens, and of kind @code{timeout} when it takes
longer, or is silent for longer, than it may."
  (define agent (remote-build-agent build))
  (begin-talk! agent #:note note #:log log #:cancellation cancellation
               #:subject (format #f "building of `~a'"
                                 (remote-build-drv build))
               #:timeout (remote-build-timeout build)
               #:max-silent-time (remote-build-max-silent-time build))
  (agent-send! agent (string-append (words inputs) (words outputs)))
  (agent-end-requests! agent)
  (agent-await-end! agent))
