;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; What those see who look for the daemon and its sessions among the processes
;;; of the host, as 'guix processes' does.

(use-modules (fruix config)
             (fruix process)
             (fruix protocol wire)
             (fruix store layout)
             (ice-9 ftw)
             (ice-9 match)
             (ice-9 textual-ports)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests daemon-support)
             (tests support)
             (tests worker-client))

(define (processes)
  "Return the process IDs of all processes."
  (filter-map string->number (scandir "/proc")))

(define (command-of pid)
  "Return the first two words of the command line of the process PID, if there
are so many, or what there is."
  (match (string-split (or (false-if-exception
                            (call-with-input-file
                                (format #f "/proc/~a/cmdline" pid)
                              get-string-all))
                           "")
                       #\nul)
    ((name argument . _) (list name argument))
    (other other)))

(test-begin "session-process")
(unless (eq? %platform 'linux)
  (test-runner-aux-value! (test-runner-current) "needs Linux's /proc")
  (test-skip 3))
(test-equal "called guix-daemon, it shows a process for each session"
  '((#t #t) #f)
  (let ((mine (list "guix-daemon" (number->string (getpid)))))
    (define (sessions)
      (count (lambda (pid) (equal? mine (command-of pid)))
             (processes)))
    (call-with-daemon
     (lambda (daemon)
       (let ((during (call-with-client daemon
                       (lambda (one)
                         (call-with-client daemon
                           (lambda (two)
                             (list (wait-until (lambda () (= 2 (sessions))))
                                   (equal? "guix-daemon"
                                           (first (command-of
                                                   (process-id
                                                    (daemon-process
                                                     daemon))))))))))))
         (list during
               (not (wait-until (lambda () (zero? (sessions))))))))
     #:name "guix-daemon")))
(test-equal "the process has the locks of what is built for its client"
  '(("-sleeper.lock") #t 1)
  (let ((mine (list "guix-daemon" (number->string (getpid)))))
    (define (sessions)
      (filter (lambda (pid) (equal? mine (command-of pid)))
              (processes)))
    (define (open-files pid)
      (filter-map (lambda (fd)
                    (false-if-exception
                     (readlink (format #f "/proc/~a/fd/~a" pid fd))))
                  (or (scandir (format #f "/proc/~a/fd" pid)
                               string->number)
                      '())))
    (define (locks root)
      (filter-map (lambda (file)
                    (and (string-prefix? root file)
                         (string-suffix? ".lock" file)
                         (string-drop file
                                      (+ 32 (string-length
                                             (string-append
                                              root "/gnu/store/"))))))
                  (append-map open-files (sessions))))
    (call-with-daemon
     (lambda (daemon)
       (define root (layout-root (daemon-layout daemon)))
       (call-with-client daemon
         (lambda (port)
           (let ((pid (start-build port
                                   (add-script port "sleeper" "\
until test -e stop; do sleep 0.1; done; echo > $out"))))
             (wait-until (lambda () (pair? (locks root))))
             (let ((during (locks root)))
               (call-with-output-file (format #f "/proc/~a/cwd/stop" pid)
                 (const #t))
               (receive-reply port read-int)
               (list during
                     (wait-until (lambda () (null? (locks root))))
                     (length (sessions))))))))
     #:name "guix-daemon"
     #:prepare install-shell
     #:options (append %build-users %host-directories))))
(test-equal "it is seen under the name that it was called by"
  '("fruix-daemon" "fruix-daemon")
  (call-with-daemon
   (lambda (daemon)
     (define (proc-text what)
       (call-with-input-file
           (format #f "/proc/~a/~a" (process-id (daemon-process daemon)) what)
         get-string-all))
     (list (first (string-split (proc-text "cmdline") #\nul))
           (string-trim-right (proc-text "comm"))))))

(test-end "session-process")
