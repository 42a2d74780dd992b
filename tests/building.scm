;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; The operation that builds, with a real store and scheduler and builds that
;;; end as their names say: what is planned, what clients hear, with which
;;; status requests end, and what becomes of builds whose client leaves.

(use-modules (fruix derivation)
             (fruix descriptors)
             (fruix flag)
             (fruix mailbox)
             (fruix protocol wire)
             (fruix scheduler loop)
             (fruix store)
             (fruix store layout)
             (ice-9 match)
             (ice-9 threads)
             (rnrs bytevectors)
             (srfi srfi-64)
             (tests support)
             (tests worker-client))

;; What the builds of this file tell, and what one of them waits for.
(define %news (make-mailbox))
(define %gate (make-mailbox))

(define (build drv options publish cancellation)
  "Pretend to build DRV."
  (publish '(started "x86_64-linux" "/log/drv.gz" 4711))
  (publish (list 'log (string->utf8 "hello\n")))
  (match (string-drop (basename drv ".drv") 33)
    ("fine" 'built)
    ("fails" '(failed failed "builder failed"))
    ("late" '(failed timeout "timed out"))
    ("lost" '(failed output "output is missing"))
    ("odd"
     (publish '(note "note: this one is odd"))
     (publish '(trace "@ hash-mismatch x"))
     '(failed rejected "rejected"))
    ("limited"
     (mailbox-put! %news 'started)
     (mailbox-get! %gate)
     (if (= 2 (assq-ref options 'timeout))
         '(failed timeout "timed out after 2 seconds")
         'built))
    ("endless"
     (mailbox-put! %news 'started)
     (poll-descriptors `((,(flag-descriptor cancellation) readable)) 10000)
     (mailbox-put! %news (if (flag-set? cancellation) 'cancelled 'forgotten))
     '(failed cancelled "cancelled"))))

(define (add-drv store name inputs)
  "Add a derivation called NAME that needs INPUTS, derivations, to STORE;
return its path."
  (call-with-values
      (lambda ()
        (make-derivation "/gnu/store" name "/bin/sh" '()
                         #:inputs (map (lambda (drv) (list drv "out")) inputs)
                         #:lookup (lambda (drv) (derivation-hash store drv))))
    (lambda (derivation drv text)
      (add-text! store (string-append name ".drv") (string->utf8 text) inputs)
      drv)))

(define (outcome port . requests)
  "Return the reply to a request to build REQUESTS, and its log."
  (call-with-values (lambda () (request port read-int 9 requests 0))
    (lambda (result log data) (cons result log))))

(define (quote-path drv)
  (string-append "`" drv "'"))

(define (failure status . drvs)
  (list (string-append "build of " (string-join (map quote-path drvs) ", ")
                       " failed")
        status))

(define (trace word drv . rest)
  (string-append "@ build-" word " " drv " -" (string-concatenate rest) "\n"))

(define (started drv)
  (trace "started" drv " x86_64-linux /log/drv.gz 4711"))

(define (run store scheduler)
  (define fine (add-drv store "fine" '()))
  (define fails (add-drv store "fails" '()))
  (define late (add-drv store "late" '()))
  (define lost (add-drv store "lost" '()))
  (define odd (add-drv store "odd" '()))
  (define limited (add-drv store "limited" '()))
  (define endless (add-drv store "endless" '()))
  (define user (add-drv store "fine" (list fails)))
  (define item (add-text! store "item" (string->utf8 "") '()))

  (define-syntax-rule (test-session name expected (port option ...) body)
    (test-equal name expected
      (call-with-session store
        (lambda (port)
          (set-options port option ...)
          body)
        #:scheduler scheduler)))

  ;; What clients hear.
  (test-session "a build, with traces and framed output"
    (list 1 (started fine) "@ build-log 4711 6\nhello\n"
          (trace "succeeded" fine))
    (port #:settings '(("multiplexed-build-output" . "true")))
    (outcome port fine))
  (test-session "without traces, raw output"
    '(1 "hello\n")
    (port #:print-build-trace 0)
    (outcome port fine))
  (test-equal "output above the verbosity is not forwarded"
    '(1)
    (call-with-session store
      (lambda (port)
        ;; Verbosity 0, build verbosity 1.
        (request port #f 19 0 0 0 0 0 1 0 0 0 '())
        (outcome port fine))
      #:scheduler scheduler))
  (test-session "notes and traces of the builder's thread"
    (list (failure 100 odd) (started odd) "hello\n" "note: this one is odd\n"
          "@ hash-mismatch x\n" "rejected\n"
          (trace "failed" odd " 0 rejected"))
    (port)
    (outcome port odd))

  ;; Statuses.
  (test-session "builder failed"
    (list (failure 100 fails) (started fails) "hello\n" "builder failed\n"
          (trace "failed" fails " 1 builder failed"))
    (port)
    (outcome port fails))
  (test-session "timeout" (failure 101 late)
    (port)
    (car (outcome port late)))
  (test-session "wrong output" (failure 1 lost)
    (port)
    (car (outcome port lost)))
  (test-session "a timeout counts more than a failure"
    (apply failure 101 (sort (list fails late) string<?))
    (port #:keep-going 1)
    (car (outcome port fails late)))
  (test-session "one goal of two fails, going on" (failure 100 fails)
    (port #:keep-going 1)
    (car (outcome port fine fails)))
  (test-session "an input fails: the goal failed, with the input's status"
    (list (failure 100 user) #t)
    (port)
    (match (outcome port user)
      ((error started log failed trace text)
       (list error (string-prefix? "cannot build derivation" text)))))

  ;; What is planned.
  (test-session "an item that is no derivation: nothing is done" '(1)
    (port)
    (outcome port item))
  (test-session "an item that is not there: nothing is done" '(1)
    (port)
    (outcome port (string-append "/gnu/store/" (make-string 32 #\0) "-x")))
  (let ((missing (string-append "/gnu/store/" (make-string 32 #\0) "-x.drv")))
    (test-session "a missing derivation"
      (list (failure 1 missing)
            (string-append "cannot build missing derivation "
                           (quote-path missing) "\n"))
      (port)
      (outcome port missing)))
  (test-session "one output by name" '(1 "hello\n")
    (port #:print-build-trace 0)
    (outcome port (string-append fine "!out")))
  (test-session "an output that there is not: the session goes on"
    (list (list (string-append "derivation `" fine "' has no output `doc'") 1)
          1)
    (port)
    (let ((error (car (outcome port (string-append fine "!doc")))))
      (list error (car (outcome port fine)))))

  (test-session "a derivation that is there is not built to have it" '(1)
    (port)
    (call-with-values (lambda () (request port read-int 10 fails))
      (lambda (result log data) (cons result log))))
  (let ((output (string-append fine "!out")))
    (test-session "nor are its outputs to have something else"
      (list (list (string-append "path `" output "' does not exist and cannot \
be created")
                  1))
      (port)
      (call-with-values (lambda () (request port read-int 10 output))
        (lambda (result log data) (cons result log)))))

  ;; Several clients.
  (define-syntax-rule (with-two-sessions (a b) body ...)
    (call-with-session store
      (lambda (a)
        (call-with-session store
          (lambda (b) body ...)
          #:scheduler scheduler #:process (+ 1 (getpid))))
      #:scheduler scheduler))
  (test-equal "nobody's build fails because of another's limits"
    (list (failure 101 limited) 1
          (string-append "note: trying again what failed for another client: \
timed out after 2 seconds\n"
                         (started limited) "hello\n"
                         (trace "succeeded" limited)))
    (with-two-sessions (hasty patient)
      (set-options hasty #:settings '(("build-timeout" . "2")))
      (set-options patient)
      (say hasty 9 (list limited) 0)
      (mailbox-get! %news)
      (say patient 9 (list limited) 0)
      (read-int patient)
      (read-octets patient)             ;so it follows
      (mailbox-put! %gate 'open)
      (let ((failure (receive-reply hasty read-int)))
        (mailbox-get! %news)
        (mailbox-put! %gate 'open)
        (call-with-values (lambda () (receive-reply patient read-int))
          (lambda (result log data)
            (list failure result (string-concatenate log)))))))
  (test-equal "who waits for a slot is told so, once"
    '(1 "waiting for locks or build slots...\n" "hello\n")
    (with-two-sessions (first second)
      (set-options first)
      (set-options second #:print-build-trace 0)
      (say first 9 (list endless) 0)
      (mailbox-get! %news)
      (say second 9 (list fine) 0)
      (sleep 11)
      (shutdown first 2)
      (mailbox-get! %news)
      (call-with-values (lambda () (receive-reply second read-int))
        (lambda (result log data) (cons result log)))))

  ;; Modes.
  (test-session "build mode that is not there: the session goes on" 1
    (port)
    (begin
      (result-of port read-int 9 (list fine) 2)
      (car (outcome port fine))))
  (test-equal "repairing is not for everyone, and ends the session"
    '(("repairing is a privileged operation" 1) #t)
    (call-with-session store
      (lambda (port)
        (let ((error (result-of port read-int 9 (list fine) 1)))
          (list error (ended? port))))
      #:scheduler scheduler
      #:trusted? #f))

  ;; Clients that leave.
  (test-equal "a client leaves: its build is cancelled" '(started cancelled)
    (call-with-session store
      (lambda (port)
        (say port 9 (list endless) 0)
        (let ((first (mailbox-get! %news #:timeout 10)))
          (shutdown port 2)
          (list first (mailbox-get! %news #:timeout 10))))
      #:scheduler scheduler))
  (test-equal "a request sent ahead does not look like leaving"
    '(started ("hello\n") started cancelled)
    (call-with-session store
      (lambda (port)
        (say port 9 (list endless) 0 1 item)
        (let* ((first (mailbox-get! %news #:timeout 10))
               (log (begin (read-int port) (list (read-octets port))))
               (other (call-with-session store
                        (lambda (other)
                          (set-options other)
                          (say other 9 (list endless) 0)
                          ;; Told at once that the build runs already.
                          (read-int other)
                          'started)
                        #:scheduler scheduler
                        #:process 1)))
          (shutdown port 2)
          (list first log other (mailbox-get! %news #:timeout 10))))
      #:scheduler scheduler)))

(test-begin "building")
(sigaction SIGPIPE SIG_IGN)
(call-with-temporary-directory
 (lambda (root)
   (call-with-store (make-layout #:root root)
     (lambda (store)
       (let ((scheduler (start-scheduler #:build build)))
         (run store scheduler)
         (stop-scheduler! scheduler))))))
(test-end "building")
