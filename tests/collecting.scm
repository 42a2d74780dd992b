;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Garbage collection as clients of the daemon ask for it, several at a time.

(use-modules (fruix protocol wire)
             (fruix session client)
             (fruix session settings)
             (fruix store)
             (fruix store layout)
             (fruix thread)
             (ice-9 match)
             (ice-9 threads)
             (rnrs bytevectors)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests daemon-support)
             (tests store-support)
             (tests support)
             (tests worker-client))

(define %no-limit #vu8(255 255 255 255 255 255 255 255))

(define (read-result port)
  (let* ((paths (read-octets-list port))
         (freed (read-long port)))
    ;; More would be less than nothing.
    (list paths (< freed (expt 2 40)) (read-int port))))

(define* (collect port action paths #:key (ignore 0) (limit %no-limit))
  (request port read-result 20 action paths ignore limit 0 0 0))

(define-syntax-rule (result-and-log expression)
  (call-with-values (lambda () expression)
    (lambda (result log data) (list result log))))

(define-syntax-rule (result expression)
  (first (result-and-log expression)))

(define (paths-of result)
  (first result))

(define* (add port name #:optional (references '()))
  (result-of port read-octets 8 name name references))

(define (report-without-reader lines)
  "Report LINES to a client that does not read and whose socket takes little;
return true once that has returned."
  (match (socketpair AF_UNIX SOCK_STREAM 0)
    ((near . far)
     (define reported? #f)
     (setsockopt far SOL_SOCKET SO_SNDBUF 4608)
     (let ((reporter
            (start-thread
             (lambda ()
               (false-if-exception
                ((@@ (fruix session collecting) call-with-reporter)
                 (make-client far #x64 -1 -1 -1 -1 #f #f #f #f #f
                              %default-settings)
                 (lambda (report)
                   (report 1 lines)
                   (set! reported? #t))))))))
       (let ((value (wait-until (lambda () reported?))))
         (close-port near)
         (join-thread reporter)
         (close-port far)
         value)))))

(test-begin "collecting")
(sigaction SIGPIPE SIG_IGN)

;; As on FreeBSD, where one that can be written to may have room for 2 KiB.
(test-assert "a collector does not wait for a client with a small socket"
  (report-without-reader (make-list 100 (make-string 300 #\x))))

(call-with-daemon
 (lambda (daemon)
   (call-with-client daemon
     (lambda (one)
       (call-with-client daemon
         (lambda (two)
           (define a (add one "a"))
           (define b (add one "b" (list a)))

           (test-equal "what a client has added is live to others"
             `((,(sort (list a b) string<?) #t 0)
               ("finding garbage collector roots...\n"
                "determining live/dead paths...\n"))
             (result-and-log (collect two 0 '())))
           (test-equal "and dead to itself, and the list is sorted"
             (list '() (sort (list a b) string<?))
             (list (paths-of (result (collect two 1 '())))
                   (paths-of (result (collect one 1 '())))))
           (test-equal "others do not delete it" '()
             (paths-of (result (collect two 2 '()))))
           (test-equal "not by name either; the error names it"
             (list (string-append "cannot delete path `" a
                                  "' since it is still alive")
                   1)
             (result (collect two 3 (list a))))
           (test-equal "liveness cannot be ignored, and the session goes on"
             '(("you are not allowed to ignore liveness" 1) #t)
             (list (result (collect one 3 (list a) #:ignore 1))
                   (result-of one read-boolean 1 a)))
           (test-equal "who added it deletes it, with what refers to it"
             `((,(sort (list a b) string<?) #t 0)
               #f #f)
             (list (result (collect one 3 (list a)))
                   (result-of two read-boolean 1 a)
                   (file-exists? (physical (daemon-layout daemon) b))))
           (test-equal "adds it again, and others cannot delete it" '()
             (begin
               (add one "a")
               (paths-of (result (collect two 2 '())))))
           (test-equal "with a limit of 0 nothing is deleted" '()
             (paths-of (result (collect one 2 '() #:limit 0))))
           (test-equal "what happens is told, as guix-daemon does"
             (list "finding garbage collector roots...\n"
                   "deleting garbage...\n"
                   (string-append "[0 MiB] deleting '" a "'\n")
                   "deleting unused links...\n")
             (match (result-and-log (collect one 2 '()))
               ((_ log) (take log 4))))
           (add one "a")
           (test-equal "with a limit, how much of it was freed"
             (list (string-append "[100%] deleting '" a "'\n"))
             (match (result-and-log (collect one 2 '() #:limit 10))
               ((_ log)
                (filter (lambda (line) (string-contains line "deleting '"))
                        log))))))))

   (test-equal "an unknown action ends the session"
     '(("invalid garbage collector action 4" 1) #t)
     (call-with-client daemon
       (lambda (port)
         (list (result (collect port 4 '()))
               (ended? port)))))
   (test-equal "so does what is not in the store"
     '(("path `/dev/null' is not in the store" 1) #t)
     (call-with-client daemon
       (lambda (port)
         (list (result (collect port 3 '("/dev/null")))
               (ended? port)))))
   (test-assert "an old client sends fewer arguments"
     (call-with-client daemon
       (lambda (port)
         (greet port #:minor 4 #:extra '())
         (match (result (request port read-result 20 1 '() 0 %no-limit 0))
           ((() #t 0) #t)))
       #:greet? #f))

   (test-equal "a client that does not read keeps nobody waiting" 3000
     (call-with-client daemon
       (lambda (deaf)
         (for-each (lambda (n) (add deaf (format #f "garbage-~a" n)))
                   (iota 3000))
         (say deaf 20 2 '() 0 %no-limit 0 0 0)
         (call-with-client daemon
           (lambda (port)
             ;; Returns once the other collection is over, or never.
             (collect port 2 '())))
         (length (paths-of (result (receive-reply deaf read-result)))))))))

;;
;; All at once.
;;

(test-equal "a build goes on, and keeps what it needs and makes"
  '((() ()) 1 #t)
  (call-with-daemon
   (lambda (daemon)
     (define (collected)
       (call-with-client daemon
         (lambda (port) (paths-of (result (collect port 2 '()))))))
     (call-with-client daemon
       (lambda (port)
         (let ((drv (add-script port "slow" "sleep 1; echo > $out")))
           (start-build port drv)
           (let* ((during (collected))
                  (built (receive-reply port read-int)))
             (list (list during (collected))
                   built
                   (result-of port read-boolean 1
                              (first (result-of port read-octets-list
                                                22 drv)))))))))
   #:prepare install-shell
   #:options (append %build-users %host-directories)))

(test-equal "nothing that somebody holds is ever missing" '(#t #t #t)
  (call-with-temporary-store
   (lambda (store)
     (define working 3)
     (define mutex (make-mutex))
     (define (held? path)
       (and (valid-path? store path)
            (file-exists? (physical (store-layout store) path))))
     (define (round n)
       (call-with-temporary-roots store
         (lambda ()
           (let* ((name (number->string (modulo (* n 7) 5)))
                  (a (add-text! store name (string->utf8 name) '()))
                  (b (add-text! store name (string->utf8 "b") (list a))))
             (usleep (random 2000))
             (and (held? a) (held? b))))))
     (define (work)
       (let ((good? (every round (iota 100))))
         (with-lock mutex
           (set! working (- working 1)))
         good?))
     (let ((threads (map (lambda (_) (start-thread work)) (iota 3))))
       (let loop ()
         (collect-garbage! store)
         (when (positive? working)
           (loop)))
       (map join-thread threads)))))

(test-end "collecting")
