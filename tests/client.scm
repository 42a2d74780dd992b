;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; The client says, byte for byte, what a guix client says, and understands
;;; what guix-daemon answers.

(use-modules (fruix client)
             (fruix client connection)
             (fruix client control)
             ((fruix client socket) #:select (open-socket))
             (fruix client trace)
             (fruix protocol wire)
             (fruix thread)
             (ice-9 binary-ports)
             (ice-9 match)
             (ice-9 threads)
             (rnrs bytevectors)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests client-support)
             (tests support))

(define sessions
  (call-with-input-file (string-append (getenv "abs_top_srcdir")
                                       "/tests/vectors/transcript.scm")
    (lambda (port)
      (let loop ((sessions '()))
        (match (read port)
          ((? eof-object?) (reverse sessions))
          (session (loop (cons session sessions))))))))

(define (replay number proc)
  "Call PROC with a connection to a peer that plays session NUMBER."
  (call-with-peer (list-ref sessions (- number 1))
                  (lambda (port)
                    (call-with-connection proc port))))

(define shell "/gnu/store/7rn2da2dnrdg09mla5zbsrg7jvz54hmr-sh")
(define simple "/gnu/store/zjkfnhg49xg3alml3p3krsp988wkihyh-simple")
(define none "/gnu/store/zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz-none")

(define (set-options-as-recorded daemon)
  (set-build-options daemon #:use-substitutes? #f
                     #:settings '(("user-name" . "root")
                                  ("terminal-columns" . "80")
                                  ("locale" . "C.UTF-8"))))

(test-begin "client")
(sigaction SIGPIPE SIG_IGN)

(test-equal "questions and additions, as recorded"
  (list `(#t #f ,shell
          ("64b919eb8bd71aa86a8dce2bfec2105cac80d63b220f023950ee860013e0ce36"
           #f () 1795316442 2340800)
          3 9
          ("/gnu/store/i9zf5yfx3gnm8srj4krid0b239h6fmdg-simple.drv")
          "/gnu/store/5x79l595l01zih94k5wz05jsk6930fv4-t"
          (#t #t)
          "/gnu/store/glshlyk2nr5ss7r20dwvvz8nx70w9jbr-plain"
          (,(string-append "path `" none "' is not valid") 1))
        #f)
  (call-with-temporary-directory
   (lambda (directory)
     (define plain (string-append directory "/plain"))
     (call-with-output-file plain
       (lambda (port) (display "plain file\n" port)))
     (replay 1
             (lambda (daemon)
               (set-options-as-recorded daemon)
               (let* ((valid? (valid-path? daemon shell))
                      (other? (valid-path? daemon none))
                      (hash (call-operation daemon 4
                                            (lambda (port)
                                              (write-text port shell))
                                            read-text))
                      (info (query-path-info daemon shell))
                      (out (references daemon "\
/gnu/store/jmaxr2vx0g8bf356crqrzliszzi87a4v-depends"))
                      (in (referrers daemon shell))
                      (derivers (valid-derivers daemon simple))
                      (text (add-text-to-store daemon "t" "transcript\n"))
                      (files (list (complaint (lambda ()
                                                (add-to-store daemon none)))
                                   (complaint (lambda ()
                                                (add-to-store
                                                 daemon directory
                                                 #:recursive? #f)))))
                      (file (add-to-store daemon plain #:recursive? #f)))
                 (add-temp-root daemon shell)
                 (list valid? other? (path-info-path info)
                       (list hash (path-info-deriver info)
                             (path-info-references info)
                             (path-info-registration-time info)
                             (path-info-nar-size info))
                       (length out) (length in) derivers text
                       (map ->bool files) file
                       (status-of (lambda ()
                                    (query-path-info daemon none))))))))))

(define (build-as-recorded daemon name command . options)
  (let ((drv (apply derivation daemon (string-append "transcript-" name)
                    shell (list "-c" command)
                    #:system "x86_64-linux" #:inputs (list shell) options)))
    (status-of (lambda ()
                 (build-derivations daemon
                                    (list (derivation-file-name drv)))
                 (derivation->output-path drv)))))

(define events '())

(test-equal "builds, as recorded"
  '(("/gnu/store/9c4y38icv5pyy4rdihndv6q09k0g81b5-transcript-ok"
     ("build of `/gnu/store/8kizqg0p0ay0vmcnljyry4axfdgl20s6-\
transcript-fails.drv' failed" 100)
     ("build of `/gnu/store/d2k481mhbcp0qgivvb4zdaba3vnvvwds-\
transcript-no-output.drv' failed" 1)
     ("build of `/gnu/store/fphx9f5326b75v1m4zcw5q9fjhi58whs-\
transcript-bad-hash.drv' failed" 1))
    #f)
  (replay 2
          (lambda (daemon)
            (parameterize ((current-build-output-port
                            (open-trace-port
                             (lambda (event)
                               (set! events (cons event events))))))
              (set-options-as-recorded daemon)
              (let* ((ok (build-as-recorded
                          daemon "ok" "echo line one; echo line two >&2; \
echo ok > $out"))
                     (fails (build-as-recorded
                             daemon "fails" "echo going down; exit 3"))
                     (nothing (build-as-recorded
                               daemon "no-output" "echo nothing"))
                     (wrong (build-as-recorded
                             daemon "bad-hash" "echo wrong > $out"
                             #:hash (make-bytevector 32 0))))
                (list ok fails nothing wrong))))))

(test-equal "what the builds told"
  `((build-started
     "/gnu/store/9ly2hx65g7s9a6r5b3xargsgxxq0q6iw-transcript-ok.drv"
     "x86_64-linux" "/var/log/guix/drvs/9l//\
y2hx65g7s9a6r5b3xargsgxxq0q6iw-transcript-ok.drv.gz" 20206)
    (build-log 20206 ,(string->utf8 "line one\n"))
    (build-log 20206 ,(string->utf8 "line two\n"))
    (build-succeeded
     "/gnu/store/9ly2hx65g7s9a6r5b3xargsgxxq0q6iw-transcript-ok.drv"))
  (take (reverse events) 4))
(test-equal "what a hash mismatch told"
  '(hash-mismatch
    "/gnu/store/a5m56gbvah03h8ajhl2an8qxz97pm888-transcript-bad-hash"
    "sha256" "0000000000000000000000000000000000000000000000000000"
    "0v23kdddpr1d66231nvfrl1ka81i7siwcyxywn0c5cc5xjgzhgal")
  (assq 'hash-mismatch events))

(test-equal "what is no store item is an error, and the session goes on"
  '((("path `/etc/passwd' is not in the store" 1) #t) #f)
  (replay 3
          (lambda (daemon)
            (let ((error (status-of
                          (lambda () (valid-path? daemon "/etc/passwd")))))
              (list error (valid-path? daemon shell))))))

(test-equal "roots and builtins, as recorded"
  '((() ("download" "git-download") ()) #f)
  (replay 5
          (lambda (daemon)
            (let* ((roots (find-roots daemon))
                   (builders (built-in-builders daemon))
                   (urls (call-operation daemon 81 (const #t)
                                         read-text-list)))
              (list roots builders urls)))))

(test-equal "an export goes to the port" '((120 272) #f)
  (replay 6
          (lambda (daemon)
            (references daemon simple)
            (call-with-values open-bytevector-output-port
              (lambda (port contents)
                (parameterize ((current-build-output-port
                                (%make-void-port "w")))
                  (export-path daemon simple port #:sign? #f))
                (let ((bytes (contents)))
                  ;; The archive is followed by "NIXE".
                  (list (list-index
                         (lambda (index)
                           (= #x4558494e
                              (bytevector-u64-ref bytes index
                                                  (endianness little))))
                         (iota (- (bytevector-length bytes) 8)))
                        (bytevector-length bytes))))))))


;; Peers that are no daemon, or a broken one.

(define (refusal . turns)
  "Return why the client refuses a peer that plays TURNS after its greeting."
  (first (call-with-peer
          `((client ,(hex %client-magic)) ,@turns)
          (lambda (port)
            (message-of (lambda () (open-connection port)))))))

(test-equal "not a daemon" "this is not a build daemon"
  (refusal `(daemon ,(hex 1 2))))
(test-equal "another protocol"
  "the daemon speaks version 264 of the protocol, not 164"
  (refusal `(daemon ,(hex %daemon-magic #x264))))
(test-equal "a daemon that is too old"
  "the daemon speaks version 160 of the protocol, not 164"
  (refusal `(daemon ,(hex %daemon-magic #x160))))
(test-equal "the end in the middle"
  "the connection has ended"
  (refusal `(daemon ,(hex %daemon-magic))))
(test-equal "an error at once" '(("no" 3) #f)
  (call-with-peer
   `((client ,(hex %client-magic))
     (daemon ,(hex %daemon-magic #x164))
     (client ,(hex #x164 0 1))
     (daemon ,(hex %message-error 2 #x6f6e 3)))
   (lambda (port)
     (status-of (lambda () (open-connection port))))))
(test-equal "a message out of place" '("unexpected message 64617461 from the \
daemon" #f)
  (call-with-peer
   `((client ,(hex %client-magic))
     (daemon ,(hex %daemon-magic #x164))
     (client ,(hex #x164 0 1))
     (daemon ,(hex %message-read 100)))
   (lambda (port)
     (message-of (lambda () (open-connection port))))))

(define %closed
  "the daemon has closed the connection; its messages may tell why")

(test-equal "a daemon that accepts nobody" %closed
  (match (socketpair AF_UNIX SOCK_STREAM 0)
    ((ours . theirs)
     (close-port theirs)
     (message-of (lambda () (open-connection ours))))))
(test-equal "nor on its control socket" %closed
  (call-with-temporary-directory
   (lambda (directory)
     (define file (string-append directory "/control"))
     (define listener (socket AF_UNIX SOCK_STREAM 0))
     (bind listener AF_UNIX file)
     (listen listener 1)
     ;; A connection that nobody has accepted is reset.
     (let ((thread (start-thread (lambda ()
                                   (select (list listener) '() '())
                                   (close-port listener)))))
       (let ((message (message-of (lambda () (query-control file '(ps))))))
         (join-thread thread)
         message)))))
(test-equal "a build mode that does not exist"
  '("`new' is not a build mode, but normal, repair and check are" #f)
  (call-with-peer
   `((client ,(hex %client-magic))
     (daemon ,(hex %daemon-magic #x164))
     (client ,(hex #x164 0 1))
     (daemon ,(hex %message-last)))
   (lambda (port)
     (build-things (open-connection port) '() 'new))))

(test-equal "no socket"
  "cannot connect to the daemon at '/nonexistent/socket': \
No such file or directory"
  (message-of (lambda () (open-connection "unix:///nonexistent/socket"))))
(test-equal "nobody listens"
  "cannot connect to the daemon at '127.0.0.1': Connection refused"
  (message-of (lambda () (open-connection "guix://127.0.0.1:1"))))
(test-equal "no port"
  (map (lambda (text)
         (format #f "cannot connect to '127.0.0.1:~a': no valid port" text))
       '("" "http" "0" "65536" "1.5"))
  (map (lambda (text)
         (message-of (lambda ()
                       (open-connection
                        (string-append "guix://127.0.0.1:" text)))))
       '("" "http" "0" "65536" "1.5")))
(test-assert "the first address that answers"
  (let ((listener (socket AF_INET SOCK_STREAM 0)))
    (bind listener AF_INET INADDR_LOOPBACK 0)
    (listen listener 1)
    ;; That may be ::1 first, where nobody listens.
    (let ((port (open-socket
                 (format #f "guix://localhost:~a"
                         (sockaddr:port (getsockname listener))))))
      (close-port port)
      (close-port listener)
      #t)))
(test-equal "no address that we know"
  "cannot connect to 'ssh://example.org': unsupported address"
  (message-of (lambda () (open-connection "ssh://example.org"))))


;; The stream of a build.

(define (events-of . chunks)
  "Return the events in the stream that consists of the strings CHUNKS."
  (let* ((events '())
         (port (open-trace-port
                (lambda (event) (set! events (cons event events))))))
    (for-each (lambda (chunk) (put-bytevector port (string->utf8 chunk)))
              chunks)
    (close-port port)
    (reverse events)))

(define stream "\
hello
@ build-started /d.drv - sys  7
@ build-log 7 11
@ x
no
λ\n\n@ build-failed /d.drv - 1 it failed
@ download-progress /f http://h 10 5
@ build-log x y
é")

(define stream-events
  `((text "hello")
    (build-started "/d.drv" "sys" "" 7)
    (build-log 7 ,(string->utf8 "@ x\nno\nλ\n\n"))
    (build-failed "/d.drv" "1 it failed")
    (download-progress "/f" "http://h" "10" "5")
    (build-log #f #f)
    (text "é")))

(define (joined events)
  "Return EVENTS with consecutive pieces of one log put together."
  (match events
    ((('build-log (? integer? pid) one) ('build-log pid two) . rest)
     (joined (cons `(build-log ,pid ,(string->utf8
                                      (string-append (utf8->string one)
                                                     (utf8->string two))))
                   rest)))
    ((first . rest) (cons first (joined rest)))
    (() '())))

(test-equal "in one piece" stream-events (events-of stream))
(test-equal "cut anywhere" '()
  (filter (lambda (index)
            (not (equal? stream-events
                         (joined (events-of (substring stream 0 index)
                                            (substring stream index))))))
          (filter (lambda (index)
                    ;; Not inside the log's only character of two bytes.
                    (char<? (string-ref stream index) #\x7f))
                  (iota (string-length stream)))))
(test-equal "a line without end is cut" '(65540 4)
  (map (match-lambda (('text text) (string-length text)))
       (events-of (make-string 65540 #\x) "more")))

(test-end "client")
