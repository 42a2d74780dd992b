;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Programs of Guix at the daemon's service, well-behaved or not, played by a
;;; stand-in.

(use-modules (fruix agent)
             (fruix agent authenticate)
             (fruix agent options)
             (fruix agent pool)
             (fruix agent process)
             (fruix agent substitute)
             (fruix config)
             (fruix flag)
             (fruix process)
             (fruix thread)
             (ice-9 match)
             (ice-9 textual-ports)
             (ice-9 threads)
             (rnrs bytevectors)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests agent-support)
             (tests support))

(reserve-stack!)
(sigaction SIGPIPE SIG_IGN)

(define* (have pool names #:key (options '()) (note (const #t)))
  (query-substitutable pool options (map item names) note))

(define* (info pool . names)
  (query-substitutable-infos pool '() (map item names) (const #t)))

(define* (fetch pool name #:key (destination "/nowhere") (options '())
                (note (const #t)) cancellation (timeout 0)
                (max-silent-time 0))
  (call-with-values
      (lambda ()
        (fetch-substitute! pool options (item name) destination note
                           cancellation #:timeout timeout
                           #:max-silent-time max-silent-time))
    list))

(test-begin "agent")

;;;
;;; Where there is none.
;;;

(test-equal "without Guix, what needs it says so"
  "the program `/nonexistent/guix' is not available, which is needed to \
verify signatures"
  (call-with-pool
   (lambda (pool)
     (dynamic-wind
       (lambda () (setenv "GUIX" "/nonexistent/guix"))
       (lambda ()
         (message-of (lambda () (verify-signature pool "signed:a:b"))))
       (lambda () (unsetenv "GUIX"))))))

(test-equal "Guix is looked for in a directory, then in PATH"
  '("/bin/guix" "/path/guix" #f)
  (call-with-temporary-directory
   (lambda (directory)
     (define (make-guix name)
       (let ((directory (string-append directory name)))
         (mkdir directory)
         (call-with-output-file (string-append directory "/guix") (const #t))
         (chmod (string-append directory "/guix") #o755)
         directory))
     (define path (getenv "PATH"))
     (define (found)
       (and=> (find-guix)
              (lambda (file)
                (string-drop file (string-length directory)))))
     (unsetenv "GUIX")
     (dynamic-wind
       (lambda ()
         (setenv "NIX_BIN_DIR" (make-guix "/bin"))
         (setenv "PATH" (string-append "relative:" (make-guix "/path"))))
       (lambda ()
         (let* ((in-bin (found))
                (in-path (begin (unsetenv "NIX_BIN_DIR") (found)))
                (nowhere (begin (setenv "PATH" "relative:") (found))))
           (list in-bin in-path nowhere)))
       (lambda ()
         (unsetenv "NIX_BIN_DIR")
         (setenv "PATH" path))))))

;;;
;;; Options.
;;;

(test-equal "options are lines, sorted by name"
  "a=1=2\nb=\n"
  (options->text '(("b" . "") ("a" . "1=2"))))

(for-each (match-lambda
            ((name . option)
             (test-assert (string-append "no option has " name)
               (message-of (lambda () (options->text (list option)))))))
          '(("a newline in its name" "a\nb" . "c")
            ("an equals sign in its name" "a=b" . "c")
            ("a newline in its value" "a" . "b\nc=d")
            ("a NUL in its name" "a\0" . "b")
            ("a NUL in its value" "a" . "\0")))

(call-with-stand-in
 (lambda (program)
   (call-with-pool
    (lambda (pool)

      ;; Queries.
      (test-equal "those that can be had are told"
        (map item '("x-there" "y-rich"))
        (have pool '("x-there" "z-none" "y-rich")))

      (let ((name (string-append (make-string 205 #\x) "-there")))
        (test-equal "a name may be as long as one that is added"
          (list (item name))
          (have pool (list name))))

      (test-equal "nothing is asked about nothing"
        '()
        (query-substitutable pool '() '() (const #t)))

      (test-equal "no name ends the request, or a word of it"
        (list (item "x-there"))
        (query-substitutable pool '()
                             (list (item "a\nhave b-there")
                                   (string-append "/a\nhave "
                                                  (item "b-there"))
                                   (item "a x-there")
                                   (item "x-there"))
                             (const #t)))

      (let ((agents
             (lambda (settings)
               "Return how many agents serve queries with SETTINGS in turn."
               (length
                (delete-duplicates
                 (append-map
                  (lambda (options)
                    (match (noting (lambda (note)
                                     (have pool '("x-there")
                                           #:options options #:note note)))
                      ((_ notes) notes)))
                  settings))))))
        (test-equal "an agent serves more than once" 1
          (agents '(() () ())))
        (test-equal "with other options it is another" 2
          (agents '((("a" . "1")) (("a" . "2"))
                    (("a" . "1")) (("a" . "2"))))))

      (test-equal "all that is told of items is returned"
        `((,(item "x-there") #f () 10 20)
          (,(item "y-rich") ,(item "y-rich.drv") (,(item "y-rich"))
           0 ,(- (expt 2 64) 1)))
        (map (lambda (info)
               (map (lambda (field) (field info))
                    (list substitutable-path substitutable-deriver
                          substitutable-references
                          substitutable-download-size
                          substitutable-nar-size)))
             (info pool "x-there" "y-rich" "z-none")))

      (test-equal "of an item that is told twice the first counts"
        '(1)
        (map substitutable-nar-size (info pool "x-twice")))

      (for-each
       (match-lambda
         ((name fragment)
          (test-refused (string-append "refused: " name) fragment
            (info pool "x-there" (string-append "x-" name)))))
       '(("vast" "for a number") ("negative" "for a number")
         ("blank" "for a number") ("strange" "for a store path")
         ("astray" "for a store path") ("other" "not asked for")
         ("endless" "says too much")
         ("dies" "\nguix: first words\nguix: last words")
         ("killed" "by signal 9") ("deaf" "ended unexpectedly")))

      (test-refused "refused: available, but not asked for" "not asked for"
        (have pool '("x-other")))

      (test-equal "after all that, questions are answered"
        (list (item "x-there"))
        (have pool '("x-there")))

      (test-equal "many messages do not block, and long ones come in pieces"
        (list (list (item "x-loud")) (* 32 65537))
        (match (noting (lambda (note)
                         (have pool '("x-loud") #:note note)))
          ((value (first . notes))
           (list value (apply + (map string-length notes))))))

      (test-equal "a large request is sent while the agent talks"
        30000
        (length (have pool (cons "x-loud"
                                 (map (lambda (n) (format #f "~a-there" n))
                                      (iota 29999))))))

      ;; Fetching.
      (call-with-temporary-directory
       (lambda (directory)
         (define file (string-append directory "/file"))
         (define line
           (format #f "success sha256:~a ~a" (make-string 52 #\0)
                   (expt 2 40)))
         (test-equal "an item is fetched"
           `((success sha256 ,(make-bytevector 32 0) ,(expt 2 40)) ,line)
           (fetch pool "x-there" #:destination file))
         (test-assert "it is where it was to be" (file-exists? file))))

      (test-equal "a hash may be hexadecimal, and another"
        `(success sha1 ,(make-bytevector 20 255) 5)
        (first (fetch pool "x-hexadecimal")))

      (test-equal "a wrong hash is told"
        '((hash-mismatch "sha256" "aaa" "bbb")
          "hash-mismatch sha256 aaa bbb")
        (fetch pool "x-wrong"))

      (test-equal "an item that nobody has is told"
        '((not-found) "not-found")
        (fetch pool "x-gone"))

      (test-equal "messages come with how they end"
        (list '(not-found)
              (list (format #f "downloading ~a\r" (item "x-gone"))))
        (match (noting (lambda (note)
                         (fetch pool "x-gone" #:note note)))
          (((result _) notes) (list result notes))))

      (test-equal "an agent is told the options, and is where nothing is"
        '(hash-mismatch "options" "a=1,b=2," "/")
        (first (fetch pool "x-options"
                      #:options '(("b" . "2") ("a" . "1")))))

      (for-each
       (match-lambda
         ((name fragment)
          (test-refused (string-append "refused: fetching " name) fragment
            (fetch pool (string-append "x-" name)))))
       '(("odd" "`success' for a status") ("short" "for a status")
         ("minus" "for a number") ("dies" "last words")
         ("endless" "says too much")))

      (test-refused "refused: a destination with a blank" "invalid name"
        (fetch pool "x-there" #:destination "/a b"))

      (test-equal "an agent that takes too long is stopped"
        'timeout
        (kind-of (lambda () (fetch pool "x-hangs" #:timeout 1))))

      (test-equal "one that is silent for too long is stopped"
        'timeout
        (kind-of (lambda () (fetch pool "x-hangs" #:max-silent-time 1))))

      (test-equal "one that is not wanted any more is stopped"
        'cancelled
        (let ((flag (make-flag)))
          (start-thread (lambda () (usleep 200000) (flag-set! flag)))
          (kind-of (lambda ()
                     (fetch pool "x-hangs"
                            #:cancellation (flag-event flag))))))

      (test-equal "many threads fetch at once"
        (make-list 6 '(not-found))
        (map (match-lambda ((result _) result))
             (par-map (lambda (n) (fetch pool "x-gone")) (iota 6))))

      ;; Signatures.
      (test-equal "a signature tells what was signed"
        (make-bytevector 32 7)
        (call-with-temporary-directory
         (lambda (directory)
           (let ((key (string-append directory "/signing-key.sec")))
             (call-with-output-file key (const #t))
             (verify-signature pool
                               (sign-hash pool key
                                          (make-bytevector 32 7)))))))

      (test-refused "refused: a key that is not there" "load key pair"
        (sign-hash pool "/nowhere" (make-bytevector 32)))
      (test-refused "refused: a key that is not authorized"
          "unauthorized public key: mine"
        (verify-signature pool "signed:mine:00"))
      (test-refused "refused: an unknown command" "invalid command"
        (verify-signature pool "what"))
      (test-refused "refused: a code that is no number" "for a number"
        (verify-signature pool "number"))
      (test-refused "refused: more than a signature" "99999 bytes"
        (verify-signature pool "size"))
      (test-refused "refused: a hash that is none" "for a hash"
        (verify-signature pool "nonsense"))
      (test-refused "refused: no answer" "exit code 4"
        (verify-signature pool "silent"))))

   ;; The pool.
   (call-with-temporary-directory
    (lambda (directory)
      (define file (string-append directory "/acl"))
      (define (write-file text)
        (call-with-output-file file (lambda (port) (display text port))))
      (define (process-of pool)
        (match (noting (lambda (note) (have pool '("x-there") #:note note)))
          ((_ (note)) note)))
      (test-equal "when a file that agents read has changed, they are new"
        '(#t #f)
        (call-with-pool
         (lambda (pool)
           (write-file "one")
           (let* ((first (process-of pool))
                  (second (process-of pool))
                  (third (begin (write-file "other") (process-of pool))))
             (list (equal? first second) (equal? second third))))
         #:files (list file)))))

   (unless (eq? %platform 'linux)
     (test-runner-aux-value! (test-runner-current)
                             "programs die with a thread only on Linux")
     (test-skip 1))
   (test-equal "agents are killed when the pool is closed"
     #f
     (let* ((pool (make-agent-pool))
            (lease (take-agent! pool '("authenticate") '()
                                #:reply-numbers '(1)))
            (process (agent-process (lease-agent lease))))
       (close-agent-pool! pool)
       (wait-until (lambda () (not (process-running? process))))
       (let ((running? (process-running? process)))
         (close-agent! (lease-agent lease))
         running?)))

   (unless (eq? %platform 'linux) (test-skip 1))
   (test-assert "agents gain no privileges"
     (call-with-pool
      (lambda (pool)
        (let* ((lease (take-agent! pool '("authenticate") '()
                                   #:reply-numbers '(1)))
               (id (process-id (agent-process (lease-agent lease))))
               (status (call-with-input-file (format #f "/proc/~a/status" id)
                         get-string-all)))
          (give-back-agent! pool lease)
          (string-contains status "NoNewPrivs:\t1\n")))))

   (test-refused "a closed pool has no agents" "closed"
     (let ((pool (make-agent-pool)))
       (close-agent-pool! pool)
       (have pool '("x-there"))))

   (test-equal "an agent that has died while idle is replaced"
     (list (item "x-there"))
     (call-with-pool
      (lambda (pool)
        (let ((lease (take-agent! pool '("substitute" "--query")
                                  '("_NIX_OPTIONS="))))
          (give-back-agent! pool lease)
          (kill-process (agent-process (lease-agent lease)) SIGKILL)
          (wait-until (lambda ()
                        (not (process-running?
                              (agent-process (lease-agent lease))))))
          (have pool '("x-there"))))))

   (test-assert "no descriptor is left over"
     (let ((count (lambda () (count-descriptors (getpid)))))
       (gc)
       (let ((before (count)))
         (call-with-pool (lambda (pool)
                           (have pool '("x-there"))
                           (message-of (lambda () (have pool '("x-dies"))))))
         ;; Those of the thread of a pool go with it, perhaps of an earlier one.
         (wait-until (lambda () (>= before (count)))))))))

(test-end "agent")
