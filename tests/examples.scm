;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; The examples of the manual do what they say.

(use-modules (fruix client)
             (fruix config)
             (fruix process)
             (fruix sandbox)
             (fruix store layout)
             (ice-9 match)
             (ice-9 textual-ports)
             (srfi srfi-1)
             (srfi srfi-11)
             (srfi srfi-64)
             (tests daemon-support)
             (tests sandbox-support)
             (tests support))

(define (example name)
  (string-append (getenv "abs_top_srcdir") "/doc/examples/" name))

;;; The script.

(define* (run-script file prefix #:optional input)
  "Run the script FILE by the command PREFIX with INPUT, a port or #f; return
its exit value and its lines of output, but for those on errors."
  (define command
    `(,@prefix ,(or (getenv "GUILE") "guile") "--no-auto-compile" ,file))
  (let-values (((text status)
                (output-of
                 (lambda (out)
                   (spawn-process
                    (first command) command
                    #:input input #:output out #:error #f)))))
    (cons (status:exit-val status)
          (string-split (string-trim-right text) #\newline))))

(define (boxes)
  (filter (lambda (name) (string-prefix? "box-" name))
          (directory-entries "/tmp")))

(define (test-script who prefix id)
  (define before (boxes))
  (test-equal (format #f "sandbox.scm, ~a" who)
    `(0 ,id "hello")
    (run-script (example "sandbox.scm") prefix))
  (test-equal (format #f "sandbox.scm, ~a, leaves nothing" who)
    before (boxes)))

(define %as-plain-user
  `("setpriv" ,(format #f "--reuid=~a" %plain-user)
    ,(format #f "--regid=~a" %plain-user) "--clear-groups" "--"))

;;; The transcript.

(define (answer port)
  "Return what a comment says that the expression before it in PORT returns,
as a list, which is empty if there is none."
  (match (get-char port)
    (#\newline
     (match (lookahead-char port)
       (#\; (let ((line (get-line port)))
              (if (string-prefix? ";=> " line)
                  (list (call-with-input-string (string-drop line 4) read))
                  '())))
       (_ '())))
    (_ '())))

(define (test-transcript name)
  "Evaluate the expressions of the example NAME, one by one."
  (define module (make-fresh-user-module))
  (call-with-input-file (example name)
    (lambda (port)
      (let loop ()
        (match (read port)
          ((? eof-object?) #t)
          (expression
           (let ((value (eval expression module)))
             (match (answer port)
               (() #t)
               ((expected)
                (test-equal (format #f "~a: ~s" name expression)
                  expected value)))
             (loop))))))))

;;; The client.

(define (test-client name)
  (test-equal name '(0 "hi")
    (call-with-daemon
     (lambda (daemon)
       (define root (layout-root (daemon-layout daemon)))
       (setenv "FRUIX_ROOT" root)
       (match (run-script (example name) '())
         ((0 item)
          (list 0 (call-with-input-file (string-append root item)
                    get-line)))))
     #:options %build-users)))

(define (test-failed-build name)
  (define (build-failing daemon)
    (let* ((tools (add-to-store daemon "/usr/bin" #:name "tools"
                                #:select? (lambda (file status)
                                            (string=? "busybox"
                                                      (basename file)))))
           (drv (derivation daemon "fails" (string-append tools "/busybox")
                            '("sh" "-c" "echo so far > note; exit 1")
                            #:inputs (list tools))))
      (set-build-options daemon #:keep-failed? #t)
      (false-if-exception (build-derivations daemon (list drv)))))
  (define before (boxes))
  (test-equal name '(3 "so far")
    (call-with-daemon
     (lambda (daemon)
       (define root (layout-root (daemon-layout daemon)))
       (setenv "FRUIX_ROOT" root)
       (setenv "KEPT" (string-append root "/var/guix/builds/\
guix-build-fails.drv-0"))
       (parameterize ((current-build-output-port (%make-void-port "w")))
         (call-with-connection build-failing))
       (match (pipe)
         ((input . output)
          (display "cat note; exit 3\n" output)
          (close-port output)
          (let ((result (run-script (example name) '() input)))
            (close-port input)
            result))))
     #:options %build-users))
  (test-equal (string-append name " leaves nothing") before (boxes)))

;;; The service.

(define %services '())

(define (stand-in-for-shepherd!)
  "Define what the example needs of Shepherd: services become alists and are
put into %SERVICES."
  (let ((module (define-module* '(shepherd service))))
    (define (provide! name value)
      (module-define! module name value)
      (module-export! module (list name)))
    (provide! 'service
              (match-lambda*
                ((_ #:documentation _ #:start start #:stop stop . _)
                 (cons start stop))))
    (provide! 'register-services
              (lambda (services) (set! %services services)))))

(define (load-alone file)
  "Load FILE in a module of its own."
  (save-module-excursion
   (lambda ()
     (set-current-module (make-fresh-user-module))
     (primitive-load file))))

(define (test-service name)
  (call-with-temporary-directory
   (lambda (directory)
     (define log (string-append directory "/log"))
     (mkdir (string-append directory "/root") #o755)
     (setenv "CLOCK_DIRECTORY" directory)
     (stand-in-for-shepherd!)
     (load-alone (example name))
     (match %services
       (((start . stop))
        (let* ((before (state directory))
               (pid (start)))
          (test-assert (string-append name ": starts")
            (wait-until
             (lambda ()
               (string-contains (call-with-input-file log get-string-all)
                                "UTC"))))
          (test-equal (string-append name ": stops") #f (stop pid))
          (test-equal (string-append name ": leaves nothing")
            before (state directory))))))))

;;; The reference.

(define (reference module)
  "Return the section of the reference on MODULE, the name of a file in
'guile/fruix' without '.scm'."
  (define (source name)
    (string-append (getenv "abs_top_srcdir") name))
  (define command
    (list (or (getenv "GUILE") "guile") "--no-auto-compile"
          (source "/build-aux/docstrings.scm")
          (string-append (source "/guile/fruix/") module ".scm")))
  (call-with-values
      (lambda ()
        (output-of (lambda (out)
                     (spawn-process (first command) command #:output out))))
    (lambda (text status) text)))

;;; The table of steps.

(define (table-steps)
  "Return the names of the steps in the table of the manual."
  (call-with-input-file (string-append (getenv "abs_top_srcdir")
                                       "/doc/operation.texi")
    (lambda (port)
      (filter-map (lambda (line)
                    (and (string-prefix? "@item @code{" line)
                         (string-drop-right (string-drop line 12) 1)))
                  (string-split (get-string-all port) #\newline)))
    #:encoding "UTF-8"))

(define (rich-sandbox . identity)
  (apply sandbox #:root "/box"
         #:mounts '(("/a" "/a" read-only))
         #:files '(("/etc/passwd" "" #o644))
         #:symlinks '(("/b" "a"))
         #:program-directory "/a"
         #:limits '((memory . 1000000) (processes . 10) (cpus . 1)
                    (stack . 1))
         #:hardening '(system-calls keyring abstract-sockets)
         identity))

(define (planned-steps)
  "Return the names of the steps of plans with all that there is."
  (define plain (rich-sandbox #:user 1 #:group 1))
  (define mapped (rich-sandbox #:mapping '((uid 1 . 2) (gid 1 . 2))))
  (define facts '((cgroup . "/cgroup") (pts . #t) (landlock . #t)))
  (delete "namespaces"
          (delete-duplicates
           (map first
                (append-map (lambda (plan) (append-map cdr plan))
                            (list (sandbox-plan plain #:system 'linux
                                                #:facts facts)
                                  (sandbox-plan mapped #:system 'linux
                                                #:facts facts)
                                  (sandbox-plan plain
                                                #:system 'freebsd)))))))

(define (test-all)
  (when %root?
    (test-script "as root" '() "65534"))
  (test-script "as an ordinary user" (if %root? %as-plain-user '()) "1000")
  (test-transcript "sandbox-repl.scm")
  (test-service "shepherd-service.scm")
  (skip-unless (file-exists? "/usr/bin/busybox") "needs busybox")
  (test-client "client.scm")
  (test-failed-build "failed-build.scm"))

(test-begin "examples")
(test-assert "the reference spells defaults as the source does"
  (string-contains (reference "sandbox/spec")
                   "[#:directories @code{'((\"/tmp\" #o1777))}]"))
(test-equal "the manual tells of every step of a plan" '()
  (lset-difference string=? (planned-steps) (table-steps)))
(skip-unless (eq? %platform 'linux) "needs Linux")
(if (eq? %platform 'linux)
    (test-all)
    (test-assert "examples" #f))
(test-end "examples")
