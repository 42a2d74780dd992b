;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; One session over a real socket, on a real store: greetings of old and new
;;; clients, which errors end the session, and what hostile clients get.

(use-modules (fruix derivation)
             (fruix octets)
             (fruix protocol wire)
             (fruix session plan)
             (fruix store)
             (fruix store layout)
             (fruix thread)
             (ice-9 binary-ports)
             (ice-9 format)
             (ice-9 match)
             (ice-9 threads)
             (rnrs bytevectors)
             (srfi srfi-64)
             (tests support)
             (tests worker-client))

(define %plain "/gnu/store/glshlyk2nr5ss7r20dwvvz8nx70w9jbr-plain")
(define %item "/gnu/store/7rn2da2dnrdg09mla5zbsrg7jvz54hmr-sh")

(define (alive? port)
  (equal? #f (result-of port read-boolean 1 %item)))

(define (outcome store . words)
  "Send WORDS, a request, and return the reply if it is an error, and whether
the session went on."
  (call-with-session store
    (lambda (port)
      (let ((error (apply result-of port #f words)))
        (list error (if (ended? port) 'ended 'goes-on))))))

(define not-in-store
  '("path `/etc/passwd' is not in the store" 1))

;; More than a socket takes.
(define %large (make-bytevector (* 3 1024 1024) 65))

(define %user 35001)

(define* (call-with-sessions store count proc
                             #:key (user %user) address)
  "Call PROC with a list of COUNT ports of clients of STORE, of USER or at
ADDRESS."
  (let loop ((left count) (ports '()))
    (if (zero? left)
        (proc ports)
        (call-with-session store
          (lambda (port) (loop (- left 1) (cons port ports)))
          #:user user #:address address))))

(define* (turns-taken #:optional (user %user))
  ((@@ (fruix session turns) count-of) user))

(define (add-large-derivation store number)
  "Add a derivation with 8 MiB of environment, and return its path."
  (call-with-values
      (lambda ()
        (make-derivation "/gnu/store" (format #f "large-~a" number) "/bin/sh"
                         '() #:environment `(("large" . ,%eight-mebibytes))))
    (lambda (derivation drv text)
      (add-text! store (format #f "large-~a.drv" number)
                 (octets->bytevector text) '()))))

(define %eight-mebibytes (make-string (* 8 1024 1024) #\x))

(define (heap-used)
  (gc)
  (let ((statistics (gc-stats)))
    (- (assq-ref statistics 'heap-size)
       (assq-ref statistics 'heap-free-size))))

(define (heap-size)
  (assq-ref (gc-stats) 'heap-size))

;; As many names of outputs as a store path has room for.
(define %commas
  (map (lambda (n) (format #f "/gnu/store/~5,'0d.drv!~a" n
                           (make-string 230 #\,)))
       (iota 20000)))

(define (run store)
  ;; Greetings.
  (test-equal "greeting"
    (list %daemon-magic %protocol-version %message-last)
    (call-with-session store greet #:greet? #f))
  (test-equal "greeting that asks for a processor"
    (list %daemon-magic %protocol-version %message-last)
    (call-with-session store
      (lambda (port) (greet port #:extra '(1 3 1)))
      #:greet? #f))
  (test-equal "greeting of a client before 0x0b"
    (list %daemon-magic %protocol-version %message-last)
    (call-with-session store
      (lambda (port) (greet port #:minor #xa #:extra '()))
      #:greet? #f))
  (test-assert "wrong magic: closed without a word"
    (call-with-session store
      (lambda (port)
        (say port 1)
        (ended? port))
      #:greet? #f))

  (test-assert "names of outputs take little memory"
    (call-with-session store
      (lambda (port)
        (set-options port)
        (let ((before (heap-size)))
          (say port 9 %commas 0)
          (read-int port)               ;that there are no such derivations
          (< (- (heap-size) before) (* 150 1024 1024))))))

  (test-assert "a plan does not hold the text of derivations"
    (let* ((drvs (map (lambda (number) (add-large-derivation store number))
                      (iota 10)))
           (before (heap-used))
           (plan (plan-builds store drvs))
           (after (heap-used)))
      (and (= 10 (length (plan-goals plan)))
           (< (- after before) (* 5 8 1024 1024)))))

  (test-equal "four large requests of a user are served, a fifth waits"
    '(#f #t #t)
    (call-with-sessions store 5
      (match-lambda
        ((late first . others)
         (for-each (lambda (port)
                     (say port 8 "large" (bytevector-length %large)))
                   (cons first others))
         (wait-until (lambda () (= 4 (turns-taken))))
         (let ((writer (start-thread
                        (lambda ()
                          (say late 8 "large" (bytevector-length %large)
                               %large '())))))
           (usleep 200000)
           (let ((taken? (thread-exited? writer)))
             (say first %large '())
             (join-thread writer)
             (list taken?
                   (string? (receive-reply first read-octets))
                   (string? (receive-reply late read-octets)))))))))

  (test-equal "what one machine holds back is not missed by another"
    #t
    (call-with-sessions store 4
      (lambda (stalled)
        (for-each (lambda (port)
                    (say port 8 "large" (bytevector-length %large)))
                  stalled)
        (wait-until (lambda () (= 4 (turns-taken "192.0.2.1"))))
        (call-with-session store
          (lambda (port)
            (string? (result-of port read-octets 8 "large"
                                (bytevector-length %large) %large '())))
          #:user -1 #:address "192.0.2.2"))
      #:user -1 #:address "192.0.2.1"))
  (test-assert "who leaves does not wait for a turn any more"
    (call-with-sessions store 4
      (lambda (stalled)
        (for-each (lambda (port)
                    (say port 8 "large" (bytevector-length %large)))
                  stalled)
        (wait-until (lambda () (= 4 (turns-taken))))
        (let ((session (start-thread
                        (lambda ()
                          (call-with-session store
                            (lambda (port)
                              (say port 8 "large"
                                   (bytevector-length %large))
                              (= 4 (turns-taken)))
                            #:user %user)))))
          (join-thread session (+ 10 (current-time)) #f)))))

  ;; Errors.
  (test-equal "valid-path? of a name outside the store, again and again"
    (list not-in-store not-in-store #t)
    (call-with-session store
      (lambda (port)
        (let* ((ask (lambda () (result-of port #f 1 "/etc/passwd")))
               (first (ask)))
          (list first (ask) (alive? port))))))
  (test-equal "any other operation on a name outside the store ends it"
    (list not-in-store 'ended)
    (outcome store 5 "/etc/passwd"))
  (test-equal "list with a name outside the store"
    (list not-in-store 'ended)
    (outcome store 31 (list %item "/etc/passwd")))
  (test-equal "invalid path: the session goes on"
    (list (list (string-append "path `" %item "' is not valid") 1) #t)
    (call-with-session store
      (lambda (port)
        (let ((error (result-of port #f 26 %item)))
          (list error (alive? port))))))
  (test-equal "a client before 8 gets no status"
    "path `/x' is not in the store"
    (call-with-session store
      (lambda (port)
        (greet port #:minor 7 #:extra '())
        (say port 5 "/x")
        (read-int port)
        (let ((text (read-octets port)))
          (and (ended? port) text)))
      #:greet? #f))
  (test-equal "repairing, by a client that is not trusted, ends it"
    '(("repairing is a privileged operation" 1) #t)
    (call-with-session store
      (lambda (port)
        (let ((error (result-of port #f 9 '() 1)))
          (list error (ended? port))))
      #:trusted? #f))
  (test-equal "build mode that there is not"
    '(("invalid build mode 3" 1) ended)
    (outcome store 9 '() 3))
  (test-equal "a client before 0x0f sends no build mode" '(1 #t)
    (call-with-session store
      (lambda (port)
        (greet port #:minor #xe)
        (let ((result (result-of port read-int 9 '())))
          (list result (alive? port))))
      #:greet? #f))
  (test-equal "a client before 0x0c sends no settings by name" #t
    (call-with-session store
      (lambda (port)
        (greet port #:minor #xb #:extra '(1))
        ;; Failed, going, falling, verbosity, jobs, silence, offload, build
        ;; verbosity, log, trace, cores, substitutes.
        (result-of port #f 19 0 0 0 0 1 60 0 0 0 0 2 0)
        (alive? port))
      #:greet? #f))
  (test-equal "unknown operation"
    '(("invalid operation 77" 1) ended)
    (outcome store 77))
  (test-equal "hash part of another length: the session goes on" #t
    (call-with-session store
      (lambda (port)
        (and (list? (result-of port #f 29 "abc")) (alive? port)))))

  ;; Bad input.
  (test-equal "string with NUL bytes"
    '("path `/gnu/store/a\x00b' is not in the store" 1)
    (call-with-session store
      (lambda (port)
        (let ((error (result-of port #f 1 "/gnu/store/a\x00b")))
          (and (alive? port) error)))))
  (for-each
   (match-lambda
     ((name . words)
      (test-equal name 'ended
        (match (apply outcome store words)
          (((text 1) end) end)))))
   `(("string of 2^63 bytes" 1 #vu8(0 0 0 0 0 0 0 128))
     ("string of 2^32 - 1 bytes" 1 #xffffffff)
     ("list of 2^32 - 1 items" 31 #xffffffff)
     ("integer with high bytes" 1 #vu8(1 0 0 0 1 0 0 0))
     ("padding that is not zero" 1 #vu8(1 0 0 0 0 0 0 0 47 1 0 0 0 0 0 0))
     ("setting that is no number"
      19 0 0 0 0 0 0 0 0 0 1 "build-cores" "many")))
  (test-assert "half a request, then silence for ever after"
    (call-with-session store
      (lambda (port)
        (put-bytevector port #vu8(1 0 0 0 0))
        (shutdown port 1)
        (ended? port))))
  (test-equal "requests sent ahead are answered in order" '(#f #f "" done)
    (call-with-session store
      (lambda (port)
        (say port 1 %item 1 %item 29 (make-string 32 #\z) 11 %item)
        (let* ((one (receive-reply port read-boolean))
               (two (receive-reply port read-boolean))
               (three (receive-reply port read-octets)))
          (list one two three
                (and (= 1 (receive-reply port read-int)) 'done))))))

  ;; Adding.
  (test-equal "text" "/gnu/store/k9pad896kygyvpxli7f20bkl9813p9y4-hello.txt"
    (call-with-session store
      (lambda (port)
        (result-of port read-octets 8 "hello.txt" "hello\n" '()))))
  (test-equal "two archives and a request, sent at once"
    (list %plain %plain #t)
    (call-with-session store
      (lambda (port)
        (let ((words (list 7 "plain" 1 0 "sha256"
                           (regular-file-nar "plain file\n"))))
          (apply say port (append words words (list 1 %plain)))
          (let* ((first (receive-reply port read-octets))
                 (second (receive-reply port read-octets)))
            (list first second (receive-reply port read-boolean)))))))
  (test-equal "a large archive, and a request sent with its end" '(#t #t)
    (call-with-session store
      (lambda (port)
        (let* ((words (list 7 "large" 1 0 "sha256"
                            (regular-file-nar (make-string 3000000 #\x))))
               (path (apply result-of port read-octets words)))
          (apply say port (append words (list 1 path)))
          (list (string=? path (receive-reply port read-octets))
                (receive-reply port read-boolean))))))
  (test-assert "a large archive, the end of which never comes"
    (call-with-session store
      (lambda (port)
        (let ((archive (regular-file-nar (make-string 3000000 #\x))))
          (say port 7 "cut" 1 0 "sha256")
          (put-bytevector port archive 0 2000000)
          (force-output port)
          (shutdown port 1)
          (ended? port)))))
  (test-assert "archive with a name that cannot be: the session goes on"
    (call-with-session store
      (lambda (port)
        (and (list? (result-of port #f 7 ".." 1 1 "sha256"
                               (regular-file-nar "x")))
             (alive? port)))))
  (test-assert "derivation that lies about its output: the session goes on"
    (call-with-session store
      (lambda (port)
        (match (result-of port #f 8 "lie.drv" "Derive([(\"out\",\"\
/gnu/store/zjkfnhg49xg3alml3p3krsp988wkihyh-simple\",\"\",\"\")],[],[],\"x\",\
\"/bin/sh\",[],[(\"out\",\"/gnu/store/zjkfnhg49xg3alml3p3krsp988wkihyh-simple\
\")])" '())
          ((text 1) (alive? port))))))
  (for-each
   (match-lambda
     ((name . words)
      (test-equal name 'ended
        (match (apply outcome store words)
          (((text 1) end) end)))))
   `(("archive that is none" 7 "x" 1 1 "sha256" "nix-archive-2")
     ("archive by an unknown algorithm" 7 "x" 1 1 "crc32")))
  (test-assert "archive that stops half-way"
    (call-with-session store
      (lambda (port)
        (say port 7 "x" 1 1 "sha256" "nix-archive-1" "(" "type")
        (shutdown port 1)
        (ended? port))))

  ;; Roots.
  (test-equal "an indirect root is found, one in a NUL-tailed name refused"
    '(1 "a file name cannot have a NUL byte in it" 1)
    (call-with-session store
      (lambda (port)
        (let* ((root (result-of port read-int 12 "tmp/there-is-no-such-link"))
               (error (result-of port read-int 12 "/tmp/a\x00b")))
          (list root (car error) (result-of port read-int 13))))))
  (test-equal "roots" '()
    (call-with-session store
      (lambda (port) (result-of port read-octets-pairs 14))))

  ;; What there is not.
  (test-equal "no substitutes"
    '(#f #f () () ("https://bordeaux.guix.gnu.org"
                   "https://ci.guix.gnu.org"))
    (call-with-session store
      (lambda (port)
        (let* ((has (result-of port read-boolean 3 %item))
               (info (result-of port read-boolean 21 %item))
               (infos (result-of port read-octets-list 30 (list %item)))
               (paths (result-of port read-octets-list 32 (list %item))))
          (list has info infos paths
                (result-of port read-octets-list 81)))))))

(test-begin "session")
(sigaction SIGPIPE SIG_IGN)
(call-with-temporary-directory
 (lambda (root)
   (call-with-store (make-layout #:root root) run)))
(test-end "session")
