;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; A service of Shepherd in a sandbox starts, stops, ends by itself and
;;; starts again, and leaves nothing.  Shepherd is not needed: what it does,
;;; which is to wait for any child, is done here.

(use-modules (fruix config)
             (fruix errors)
             (fruix shepherd)
             (ice-9 match)
             (ice-9 textual-ports)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests sandbox-support)
             (tests support))

(define (kind name)
  (and=> (false-if-exception (lstat name)) stat:type))

(define %system-directories
  '("/bin" "/lib" "/lib64" "/usr"))

(define (shell-sandbox mode directory)
  "Return a sandbox in DIRECTORY, for MODE, where the host's shell runs."
  (define (of-kind wanted make)
    (filter-map (lambda (name) (and (eq? (kind name) wanted) (make name)))
                %system-directories))
  (fold (lambda (field value box) (with-field box field value))
        (simple-sandbox mode directory)
        '(mounts symlinks program-directory environment)
        (list (of-kind 'directory (lambda (name) `(,name ,name read-only)))
              (of-kind 'symlink (lambda (name) (list name (readlink name))))
              #f
              '("PATH=/usr/bin:/bin" "NAME=sandbox"))))

(define (shell script)
  (list "/bin/sh" "-c" script))

;; Something in the background stays when the program ends.
(define %patient "sleep 60 & echo $NAME; wait")
(define %stubborn (string-append "trap '' TERM; " %patient))

(define (pid-namespace pid)
  (false-if-exception (readlink (format #f "/proc/~a/ns/pid" pid))))

(define (processes-in namespace)
  "Return the processes in NAMESPACE that have not ended."
  (filter (lambda (pid) (equal? (pid-namespace pid) namespace))
          (filter string->number (directory-entries "/proc"))))

(define (text-of file)
  (call-with-input-file file get-string-all))

(define* (call-with-service mode script proc #:key (grace-period 5)
                            environment)
  "Call PROC with a constructor and a destructor for a service that runs
SCRIPT, a thunk that returns its log, once there is any, and the directory of
its sandbox."
  (call-with-sandbox-directory
   (lambda (directory)
     (define box (shell-sandbox mode directory))
     (define log (string-append directory "/log"))
     (proc (make-sandbox-constructor box (shell script)
                                     #:environment environment
                                     #:log-file log)
           (make-sandbox-destructor box #:grace-period grace-period)
           (lambda ()
             (wait-until (lambda ()
                           (and (file-exists? log)
                                (positive? (stat:size (stat log))))))
             (text-of log))
           directory))))

(define (elapsed thunk)
  "Return the seconds that THUNK takes."
  (let ((start (get-internal-real-time)))
    (thunk)
    (/ (- (get-internal-real-time) start)
       internal-time-units-per-second)))

(define (test-start-and-stop mode)
  (call-with-service mode %patient
    (lambda (start stop log directory)
      (define before (state directory))
      (define pid (start 'any 'arguments))
      (define text (log))
      (define namespace (pid-namespace pid))
      (test-equal (format #f "~a: output goes to the log file" mode)
        "sandbox\n" text)
      (test-equal (format #f "~a: which is for the group to read" mode) #o640
        (stat:perms (stat (string-append directory "/log"))))
      (test-assert (format #f "~a: the process is in a sandbox" mode)
        (and namespace (not (equal? namespace (pid-namespace "self")))))
      (test-equal (format #f "~a: one at a time runs on a root" mode)
        'root
        (with-exception-handler sandbox-error-field start #:unwind? #t))
      (test-equal (format #f "~a: stopping says so, and takes no time" mode)
        '(#f #t)
        (let* ((answer 'none)
               (seconds (elapsed (lambda () (set! answer (stop pid))))))
          (list answer (< seconds 2))))
      (test-equal (format #f "~a: nothing is left" mode)
        before (state directory))
      (test-equal (format #f "~a: and nobody" mode)
        '() (processes-in namespace))
      (test-equal (format #f "~a: stopping again does nothing" mode) #f
        (stop pid))
      (start)
      (test-assert (format #f "~a: a second run appends to the log" mode)
        (wait-until (lambda () (string=? "sandbox\nsandbox\n" (log)))))
      (stop 'whatever))))

(define (test-grace-period mode)
  (call-with-service mode %stubborn
    (lambda (start stop log directory)
      (define before (state directory))
      (define pid (start))
      (log)
      (test-assert (format #f "~a: who ignores SIGTERM is killed" mode)
        (<= 1/2 (elapsed (lambda () (stop pid))) 3))
      (test-equal (format #f "~a: and leaves nothing" mode)
        before (state directory)))
    #:grace-period 1/2))

(define (reap-any)
  "Wait for all children that have ended, as Shepherd does; return their IDs."
  (let loop ((ids '()))
    (match (false-if-exception (waitpid WAIT_ANY WNOHANG))
      ((or #f (0 . _)) ids)
      ((id . _) (loop (cons id ids))))))

(define (test-premature-end mode)
  "Let a program end by itself and be started again."
  (call-with-service mode "sleep 60 & readlink /proc/self/ns/pid"
    (lambda (start stop log directory)
      (define before (state directory))
      (define pid (start))
      (define namespace (string-trim-right (log)))
      (test-equal (format #f "~a: its end is seen by who waits for any" mode)
        (list pid)
        (wait-until (lambda () (match (reap-any) (() #f) (ids ids)))))
      (test-assert (format #f "~a: what it started stays" mode)
        (pair? (processes-in namespace)))
      (let ((again (start)))
        (test-equal (format #f "~a: until it is started again" mode)
          '() (processes-in namespace))
        (wait-until (lambda () (memv again (reap-any))))
        (test-equal (format #f "~a: it can be stopped when it has ended" mode)
          #f (stop again)))
      (test-equal (format #f "~a: nothing is left of either" mode)
        before (state directory)))))

(define reaped '())

(define (reap! . _)
  (set! reaped (append (reap-any) reaped)))

(define (test-reaping mode how)
  "Stop a service while others wait for any child."
  (call-with-service mode %patient
    (lambda (start stop log directory)
      (define before (state directory))
      (define pid (start))
      (log)
      (test-equal (format #f "~a: who waits for any learns its end, ~a"
                          mode how)
        '(#f #t)
        (let ((answer (stop pid)))
          (list answer (and (memv pid reaped) #t))))
      (test-equal (format #f "~a: nothing is left of it, ~a" mode how)
        before (state directory)))))

(define (test-handler mode)
  (match (sigaction SIGCHLD)
    ((handler . flags)
     (sigaction SIGCHLD reap! SA_NOCLDSTOP)
     (test-reaping mode "in a handler")
     (sigaction SIGCHLD handler flags))))

(define (test-fiber mode)
  "Pretend that Fibers is there, whose 'sleep' lets others run."
  (module-define! (resolve-module '(fibers)) 'sleep
                  (lambda (seconds)
                    (reap!)
                    (usleep 10000)))
  (test-reaping mode "in another fiber"))

(define (test-failures mode)
  (call-with-sandbox-directory
   (lambda (directory)
     (define box (shell-sandbox mode directory))
     (define before (state directory))
     (define stop (make-sandbox-destructor box))
     (test-equal (format #f "~a: a program that is not there" mode)
       `("execve" ,ENOENT
         "sandbox: execve: /nowhere: No such file or directory")
       (fault-of (make-sandbox-constructor box '("/nowhere"))))
     (test-equal (format #f "~a: a log file that cannot be" mode) ENOENT
       (errno-of (make-sandbox-constructor box (shell "exit 0")
                                           #:log-file "/nowhere/log")))
     (test-equal (format #f "~a: what cannot be started leaves nothing" mode)
       before (state directory))
     (test-equal (format #f "~a: and need not be stopped" mode) #f
       (stop #f)))))

(define (test-environment mode)
  (call-with-service mode %patient
    (lambda (start stop log directory)
      (define pid (start))
      (test-equal (format #f "~a: the environment can be given" mode)
        "service\n" (log))
      (test-equal (format #f "~a: definitions can be loaded again" mode)
        '(#f ())
        (let ((namespace (pid-namespace pid))
              (answer ((make-sandbox-destructor
                        (shell-sandbox mode directory))
                       pid)))
          (list answer (processes-in namespace)))))
    #:environment '("PATH=/usr/bin:/bin" "NAME=service")))

(test-begin "shepherd")
(test-equal "Shepherd is not loaded" #f
  (resolve-module '(shepherd service) #f #:ensure #f))
(skip-unless (eq? %platform 'linux) "needs Linux")
(if (eq? %platform 'linux)
    (for-each (lambda (test) (for-each test %own-modes))
              (list test-start-and-stop test-grace-period
                    test-premature-end test-failures test-environment
                    test-handler test-fiber))
    (test-assert "services" #f))
(test-end "shepherd")
