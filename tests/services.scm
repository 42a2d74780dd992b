;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; The files for service managers: each starts the daemon, with options that
;;; it has.

(use-modules (fruix process)
             (fruix scripts daemon-options)
             (ice-9 match)
             (ice-9 textual-ports)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests daemon-support)
             (tests support))

(define (service-file name)
  (string-append (getenv "abs_top_builddir") "/etc/" name))

(define (text-of name)
  (call-with-input-file (service-file name) get-string-all))

(define (starts-daemon? words)
  "Return true if WORDS are the name of the daemon and options that it has."
  (match words
    ((program . options)
     (and (absolute-file-name? program)
          (member (basename program) '("fruix-daemon" "guix-daemon"))
          (list? (parse-daemon-options options))))))

(define (output-of-command . words)
  "Return the exit code and the output of a command."
  (match (pipe)
    ((input . output)
     (let ((process (spawn-process (first words) words
                                   #:output output #:error output)))
       (close-port output)
       (let ((text (get-string-all input)))
         (close-port input)
         (list (status:exit-val (wait-process process)) text))))))

;; Starts the daemon as the rootless unit does, and shows which capabilities it
;; has, and which the programs that it starts inherit.
(define %privileged-daemon "
chown 61000 \"$1\"
setpriv --reuid 61000 --regid 61000 --clear-groups \
  --inh-caps +chown --ambient-caps +chown \
  \"$0\" --root=\"$1\" 2> \"$1/errors\" & pid=$!
while kill -0 $pid && ! grep -qs listening \"$1/errors\"; do sleep 0.05; done
grep -E 'Cap(Prm|Amb)' /proc/$pid/status
kill $pid; wait $pid")

(test-begin "services")

;; systemd.
(define %units '("fruix-daemon.service" "fruix-daemon-rootless.service"))

(define (unit-values name key)
  "Return the values of KEY in the unit NAME."
  (let ((prefix (string-append key "=")))
    (filter-map (lambda (line)
                  (and (string-prefix? prefix line)
                       (string-drop line (string-length prefix))))
                (string-split (text-of (string-append "systemd/" name))
                              #\newline))))

(for-each
 (lambda (name)
   (test-assert (string-append name " starts the daemon")
     (match (unit-values name "ExecStart")
       ((command) (starts-daemon? (string-tokenize command)))))
   (test-assert (string-append name " takes the place of guix-daemon's")
     (match (unit-values name "Conflicts")
       ((units) (member "guix-daemon.service" (string-tokenize units))))))
 %units)

(unless (can-run-apart?) (test-skip 1))
(test-equal "a rootless daemon keeps its privileges to itself"
  '("CapPrm:\t0000000000000001" "CapAmb:\t0000000000000000")
  (call-with-temporary-directory
   (lambda (root) (run-apart %privileged-daemon root))
   #:mode #o755))

(unless (search-path (parse-path (getenv "PATH")) "systemd-analyze")
  (test-runner-aux-value! (test-runner-current) "needs systemd-analyze")
  (test-skip (length %units)))
(for-each
 (lambda (name)
   (test-equal (string-append "systemd understands " name) '()
     (call-with-temporary-directory
      (lambda (directory)
        ;; The program need not be installed, for systemd to look at it.
        (define copy (string-append directory "/" name))
        (call-with-output-file copy
          (lambda (port)
            (for-each (lambda (line)
                        (format port "~a~%"
                                (if (string-prefix? "ExecStart=" line)
                                    "ExecStart=/bin/true"
                                    line)))
                      (string-split (text-of (string-append "systemd/" name))
                                    #\newline))))
        (match (output-of-command "systemd-analyze" "verify" "--man=no" copy)
          ((code text)
           (filter (lambda (line) (string-contains line name))
                   (string-split text #\newline))))))))
 %units)

;; FreeBSD: the script runs with stubs of rc.subr(8), which tell what would
;; be run.
(define (rc-command . settings)
  "Return the words of the command that the script makes of SETTINGS."
  (call-with-temporary-directory
   (lambda (directory)
     (define stubs (string-append directory "/rc.subr"))
     (define script (string-append directory "/fruix_daemon"))
     (call-with-output-file stubs
       (lambda (port)
         (format port "load_rc_config () { ~a :; }~%"
                 (string-concatenate
                  (map (lambda (setting) (string-append setting "; "))
                       settings)))
         (display "run_rc_command () { echo $1 $command $command_args; }\n"
                  port)))
     (call-with-output-file script
       (lambda (port)
         (let* ((text (text-of "rc.d/fruix_daemon"))
                (place "/etc/rc.subr")
                (index (string-contains text place)))
           (display (string-replace text stubs index
                                    (+ index (string-length place)))
                    port))))
     (match (output-of-command "sh" "-eu" script "start")
       ((0 text) (string-tokenize text))))))

(define (after word words)
  (match (member word words)
    ((_ . rest) rest)))

(test-equal "rc.d: daemon(8) runs it, and its messages are kept"
  '("start" "/usr/sbin/daemon" "/var/log/fruix-daemon.log"
    "/var/run/fruix_daemon.pid")
  (let ((words (rc-command)))
    (list (first words) (second words) (first (after "-o" words))
          (first (after "-p" words)))))
(test-assert "rc.d: the daemon with its options"
  (starts-daemon? (drop (after "-o" (rc-command)) 1)))
(test-equal "rc.d: settings of the administrator" '("--cores=2" "--debug")
  (take-right (rc-command "fruix_daemon_args='--cores=2 --debug'") 2))
(test-assert "rc.d: it says what it provides"
  (string-contains (text-of "rc.d/fruix_daemon")
                   "\n# PROVIDE: fruix_daemon\n"))

;; The Shepherd: the file is loaded with stubs, which keep what they are told.
(define %registered #f)

(define (define-shepherd-stubs!)
  (let ((module (define-module* '(shepherd service))))
    (for-each
     (match-lambda
       ((name . procedure)
        (module-define! module name procedure)
        (module-export! module (list name))))
     `((service . ,(lambda (names . fields) (cons names fields)))
       (endpoint . ,list)
       (make-systemd-constructor . ,list)
       (make-systemd-destructor . ,list)
       (register-services . ,(lambda (services)
                               (set! %registered services)))))))

(test-assert "Shepherd: the daemon, as guix-daemon, on the usual socket"
  (begin
    (define-shepherd-stubs!)
    (let ((module (make-fresh-user-module)))
      (save-module-excursion
       (lambda ()
         (set-current-module module)
         (primitive-load (service-file "shepherd/fruix-daemon.scm")))))
    (match %registered
      (((names . fields))
       (match (memq #:start fields)
         ((_ (command ((address . _)) . _) . _)
          (and (starts-daemon? command)
               (string=? "guix-daemon" (basename (first command)))
               (string-suffix? "/guix/daemon-socket/socket"
                               (sockaddr:path address)))))))))

(test-end "services")
