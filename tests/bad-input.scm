;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; What hostile clients get from a daemon over its real sockets; after each
;;; of them the daemon answers another client, and has neither a descriptor
;;; nor a thread more than before.

(use-modules (fruix protocol wire)
             (ice-9 binary-ports)
             (ice-9 match)
             (rnrs bytevectors)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests daemon-support)
             (tests support)
             (tests worker-client))

(define %item
  (string-append "/gnu/store/" (make-string 32 #\0) "-none"))

(define %largest #vu8(255 255 255 255 255 255 255 255))

(define (resources daemon)
  (list (open-descriptors daemon) (threads daemon)))

(define (build-two daemon)
  "Have DAEMON build for two clients at once: it keeps what each of these and
each build needed."
  (call-with-client daemon
    (lambda (one)
      (start-build one (add-script one "one" "sleep 1; echo > $out"))
      (call-with-client daemon
        (lambda (other)
          (result-of other read-int 9
                     (list (add-script other "two" "sleep 1; echo > $out"))
                     0))))))

(define (settled daemon)
  "Return the resources of DAEMON when it has served some clients and rests."
  (build-two daemon)
  (for-each (lambda (_) (alive? daemon)) (iota 3))
  (let loop ((last #f))
    (let ((now (resources daemon)))
      (if (equal? now last)
          now
          (begin
            (usleep 50000)
            (loop now))))))

;; A thread has a pipe to be woken up by.
(define (no-more? now before)
  "Return true if NOW, resources, are no more than BEFORE, but for what two idle
workers have: as many stay as were ever busy at once."
  (match (map - now before)
    ((descriptors threads)
     (and (<= threads 2)
          (<= descriptors (* 2 (max 0 threads)))))))

(define (error-of reply)
  "Return whether REPLY is an error, with status 1."
  (match reply
    (((? string?) 1) 'error)
    (other other)))

;; Each takes a greeted connection and returns what to compare with its
;; second element.
(define %attacks
  `(("unknown operation" (error #t)
     ,(lambda (port)
        (let ((error (error-of (result-of port #f 1000))))
          (list error (ended? port)))))
    ("client that goes on writing after an unknown operation" (error #t)
     ,(lambda (port)
        (say port 1000)
        ;; More than the buffers of a socket hold.
        (put-bytevector port (make-bytevector (ash 1 22)))
        (force-output port)
        (let ((error (error-of (receive-reply port))))
          (list error (ended? port)))))
    ("path outside the store" (error #t)
     ,(lambda (port)
        (let ((error (error-of (result-of port #f 5 "/etc/shadow"))))
          (list error (ended? port)))))
    ("path that climbs out of the store" (error #t)
     ,(lambda (port)
        (let ((error (error-of (result-of port #f 5 "/gnu/store/../../etc"))))
          (list error (ended? port)))))
    ("string of 2^64 - 1 bytes" (error #t)
     ,(lambda (port)
        (let ((error (error-of (result-of port #f 1 %largest))))
          (list error (ended? port)))))
    ("string of 2 GiB that never comes" #t
     ,(lambda (port)
        (say port 8 "name" (ash 1 31))
        (error-of (receive-reply port))
        (ended? port)))
    ("text of 64 MiB announced, and the connection closed" #t
     ,(lambda (port)
        (say port 8 "name" (ash 1 26) #vu8(1 2 3 4 5 6 7 8))
        (shutdown port 1)
        (ended? port)))
    ("list of 2^32 - 1 paths" (error #t)
     ,(lambda (port)
        (let ((error (error-of (result-of port #f 31 #xffffffff))))
          (list error (ended? port)))))
    ("list of 10^6 items that never come" #t
     ,(lambda (port)
        (say port 31 1000000 "/gnu/store/x")
        (shutdown port 1)
        (ended? port)))
    ("string with NUL bytes" (error #f)
     ,(lambda (port)
        (let ((error (error-of (result-of port #f 1
                                          "/gnu/store/\x00;\x00"))))
          (list error (result-of port read-boolean 1 %item)))))
    ("derivation that never ends" error
     ,(lambda (port)
        (error-of (result-of port #f 8 "x.drv" "Derive([(\"out" '()))))
    ("text called ../x" error
     ,(lambda (port)
        (error-of (result-of port #f 8 "../x" "x" '()))))
    ("archive with an entry called .." (error #t)
     ,(lambda (port)
        (say port 7 "x" 1 1 "sha256" "nix-archive-1" "(" "type" "directory"
             "entry" "(" "name" ".." "node" "(" "type" "regular" "contents"
             "" ")" ")" ")")
        (let ((error (error-of (receive-reply port))))
          (list error (ended? port)))))
    ("archive with 10^5 nested directories" error
     ,(lambda (port)
        (let ((level (call-with-values open-bytevector-output-port
                       (lambda (level bytes)
                         (for-each (lambda (token) (write-octets level token))
                                   '("(" "type" "directory" "entry" "("
                                     "name" "a" "node"))
                         (bytes)))))
          (catch 'system-error          ;the daemon does not read it all
            (lambda ()
              (say port 7 "x" 1 1 "sha256" "nix-archive-1")
              (for-each (lambda (_) (put-bytevector port level))
                        (iota 100000))
              (force-output port))
            (const #f))
          (error-of (receive-reply port)))))
    ("requests sent ahead" (#f #f #f)
     ,(lambda (port)
        (say port 1 %item 1 %item 1 %item)
        (let* ((one (receive-reply port read-boolean))
               (two (receive-reply port read-boolean)))
          (list one two (receive-reply port read-boolean)))))
    ("half a request, and gone" #t
     ,(lambda (port)
        (put-bytevector port #vu8(1 0 0))
        (force-output port)
        #t))))

(define (silent-clients daemon count)
  "Return COUNT connections whose clients say nothing, or half a request."
  (map (lambda (number)
         (let ((port (connect-to daemon)))
           (when (odd? number)
             (greet port)
             (put-bytevector port #vu8(5 0 0))
             (force-output port))
           port))
       (iota count)))

(define (run daemon)
  (define before (settled daemon))
  (define-syntax-rule (test-unharmed name)
    (begin
      (test-assert (string-append name ": the daemon lives") (alive? daemon))
      (test-assert (string-append name ": nothing is left")
        (wait-until (lambda () (no-more? (resources daemon) before))))))

  (test-assert "wrong magic: closed without a word"
    (call-with-client daemon
      (lambda (port)
        (say port #x12345678)
        (ended? port))
      #:greet? #f))
  (test-unharmed "wrong magic")

  (for-each (match-lambda
              ((name expected attack)
               (test-equal name expected (call-with-client daemon attack))
               (test-unharmed name)))
            %attacks)

  (let ((silent (silent-clients daemon 20)))
    (test-assert "20 silent clients: others are served" (alive? daemon))
    (for-each close-port silent))
  (test-unharmed "silent clients")

  (test-assert "malformed control request"
    (call-with-controller daemon
      (lambda (control)
        (match (control '(ps (ps (ps "x"))))
          (('error _) #t)))))
  (test-unharmed "control request")

  (test-assert "a client that dies while it builds: its builder dies"
    (let ((pid (call-with-client daemon
                 (lambda (port)
                   (start-build port
                                (add-script port "sleeper" "sleep 1000"))))))
      (and pid (wait-until (lambda () (not (running? pid)))))))
  (test-unharmed "client that dies")

  (test-assert "a client that does not read: others are served, and build"
    (call-with-client daemon
      (lambda (deaf)
        (start-build deaf (add-script deaf "chatter" "yes"))
        (call-with-client daemon
          (lambda (port)
            (and (alive? daemon)
                 (eqv? 1 (result-of port read-int 9
                                    (list (add-script port "quick"
                                                      "echo > $out"))
                                    0))))))))
  (test-unharmed "client that does not read"))

(test-begin "bad-input")
(sigaction SIGPIPE SIG_IGN)
(call-with-daemon run
  #:prepare install-shell
  #:options (append %build-users %host-directories '("--max-jobs=2")))
(test-end "bad-input")
