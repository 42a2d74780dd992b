;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Programs are started with what they were given and nothing else, waited
;;; for once, and killed when their thread ends.

(use-modules (fruix credentials)
             (fruix descriptors)
             (fruix process)
             (fruix thread)
             (ice-9 match)
             (ice-9 textual-ports)
             (ice-9 threads)
             (srfi srfi-1)
             (srfi srfi-11)
             (srfi srfi-64)
             (tests support))

(define (output-of program arguments . options)
  "Return what PROGRAM writes to its output, and its exit value."
  (let-values (((in out) (make-pipe)))
    (let ((process (apply spawn-process program arguments
                          #:output out options)))
      (close-fdes out)
      (let* ((port (fdes->inport in))
             (text (get-string-all port)))
        (close-port port)
        (list text (status:exit-val (wait-process process)))))))

(define (shell . script)
  (list "sh" "-c" (string-concatenate script)))

(define (fault-of thunk)
  (catch 'system-error
    (lambda () (thunk) #f)
    (lambda (key who template arguments errno)
      (list who (first arguments) (first errno)))))

(define (children)
  "Return the number of children of this process, dead or alive."
  (length (delete ""
                  (string-split
                   (call-with-input-file
                       (string-append "/proc/thread-self/children")
                     get-string-all)
                   #\space))))

(define (alive? pid)
  (catch 'system-error
    (lambda () (kill pid 0) #t)
    (const #f)))

(test-begin "process")

(test-equal "output and status" '("hello\n" 3)
  (output-of "sh" (shell "echo hello; exit 3")))

(test-equal "argv[0] is the caller's" '("zero one" 0)
  (output-of "/bin/sh" '("zero" "-c" "printf '%s %s' $0 $1" "zero" "one")))

(test-equal "exactly the given environment, in order" '("B=2\nA=1\n" 0)
  (output-of "env" '("env") #:environment '("B=2" "A=1")))

(test-equal "bytes that are not UTF-8 pass" '("\\377\n" 0)
  (output-of "sh" (shell "printf %s \"$X\" | od -An -to1 | tr -d ' ' "
                         "| sed 's/^/\\\\/'")
             #:environment (list "PATH=/usr/bin:/bin"
                                 #vu8(88 61 255))))

(test-equal "current directory" '("/\n" 0)
  (output-of "pwd" '("pwd") #:directory "/"))

(test-equal "only 0, 1, 2 and what was passed are open" '("0\n1\n2\n3\n" 0)
  (let ((extra (open-input-file "/dev/null")))
    (output-of "sh" (shell "for i in 0 1 2 3 4 5 6 7 8 9; do "
                           "test -e /proc/$$/fd/$i && echo $i; done; true")
               #:descriptors (list extra))))

(test-equal "descriptors can be permuted" '("out\n" 0)
  (let-values (((in out) (make-pipe)))
    (let ((process (spawn-process "sh" (shell "echo out >&3; echo err >&4")
                                  #:output #f #:error #f
                                  #:descriptors (list out 2 1 0))))
      (close-fdes out)
      (let* ((port (fdes->inport in))
             (text (get-string-all port)))
        (close-port port)
        (list text (status:exit-val (wait-process process)))))))

(test-equal "a session of its own" '("yes\n" 0)
  (output-of "sh" (shell "test $(ps -o sid= -p $$) = $$ && echo yes")
             #:session? #t))

(test-equal "a process group of its own, in the same session" 0
  (status:exit-val
   (wait-process
    (perform-plan "/bin/sh"
                  (shell "test $(ps -o pgid= -p $$) = $$ && "
                         "test $(ps -o sid= -p $$) = "
                         "$(ps -o sid= -p $PPID)")
                  (environ)
                  '(("namespaces")
                    ("process-group"))))))

(test-equal "the leader of a session has its process group"
  `("process-group: setpgid" "Operation not permitted" ,EPERM)
  (fault-of (lambda ()
              (perform-plan "/bin/true" '("true") '()
                            '(("namespaces") ("session")
                              ("process-group"))))))

(test-equal "ignored and blocked signals are at their defaults" SIGPIPE
  (let ((before (sigaction SIGPIPE SIG_IGN)))
    (let ((process (spawn-process "sh" (shell "kill -PIPE $$; exit 0"))))
      (sigaction SIGPIPE SIG_DFL)
      (status:term-sig (wait-process process)))))

(test-equal "a program that does not exist"
  `("execve" "/nowhere/program" ,ENOENT)
  (fault-of (lambda () (spawn-process "/nowhere/program" '("program")))))

(test-equal "a directory that does not exist"
  `("chdir: chdir" "/nowhere" ,ENOENT)
  (fault-of (lambda ()
              (spawn-process "true" '("true") #:directory "/nowhere"))))

(test-equal "an unknown step" `("plan: unknown step" "levitate" ,EINVAL)
  (fault-of (lambda ()
              (perform-plan "/bin/true" '("true") '()
                            '(("namespaces") ("levitate" 1))))))

(test-equal "wrong arguments of a step"
  `("plan: wrong arguments of step" "chdir" ,EINVAL)
  (fault-of (lambda ()
              (perform-plan "/bin/true" '("true") '()
                            '(("namespaces") ("chdir" 1))))))

(test-equal "an unknown resource" `("limit: setrlimit" "patience" ,EINVAL)
  (fault-of (lambda ()
              (perform-plan "/bin/true" '("true") '()
                            '(("namespaces") ("limit" "patience" 0))))))

(test-equal "an unknown namespace" `("clone" "dream" ,EINVAL)
  (fault-of (lambda ()
              (perform-plan "/bin/true" '("true") '()
                            '(("namespaces" "dream"))))))

(test-equal "a step that is no list" 'wrong-type-arg
  (key-of (lambda () (perform-plan "/bin/true" '("true") '() '(("namespaces") "chdir")))))

(test-equal "no child is left of those failures" 0 (children))

(test-equal "waiting twice gives the same status" '(7 7)
  (let ((process (spawn-process "sh" (shell "exit 7"))))
    (list (status:exit-val (wait-process process))
          (status:exit-val (wait-process process)))))

(test-equal "two threads wait for one process" '(9 9)
  (match (pipe)
    ((input . output)
     (let* ((process (spawn-process "sh" (shell "read x; exit 9")
                                    #:input input))
            (thread (start-thread
                     (lambda () (status:exit-val (wait-process process))))))
       (close-port output)
       (let ((status (status:exit-val (wait-process process))))
         (list status (join-thread thread)))))))

(test-equal "kill" (list #t SIGTERM #f)
  (let* ((process (spawn-process "sleep" '("sleep" "60")))
         (sent? (kill-process process SIGTERM))
         (status (wait-process process)))
    (list sent? (status:term-sig status) (kill-process process SIGTERM))))

(test-equal "running until it has ended, waited for or not" '(#t #f #f)
  (match (pipe)
    ((input . output)
     (let* ((process (spawn-process "sh" (shell "read x") #:input input))
            (before (process-running? process)))
       (close-port output)
       (poll-descriptors `((,(process-descriptor process) readable)) 5000)
       (let ((after (process-running? process)))
         (wait-process process)
         (list before after (process-running? process)))))))

(define (descriptor-count)
  (length (directory-entries "/proc/self/fd")))

(test-equal "somebody else waits for it" '(#f #f #f #f #t)
  (let* ((before (descriptor-count))
         (process (spawn-process "sh" (shell "exit 7"))))
    (waitpid WAIT_ANY)
    (let* ((running? (process-running? process))
           (sent? (kill-process process SIGTERM))
           (status (wait-process process)))
      (list running? sent? status (wait-process process)
            (= before (descriptor-count))))))

(test-equal "of two who wait, one gets the status" '(7)
  (match (pipe)
    ((input . output)
     (let* ((process (spawn-process "sh" (shell "read x; exit 7")
                                    #:input input))
            (thread (start-thread (lambda () (wait-process process)))))
       (close-port output)
       (let ((status (catch 'system-error
                       (lambda () (cdr (waitpid (process-id process))))
                       (const #f))))
         (filter-map (lambda (status) (and=> status status:exit-val))
                     (list status (join-thread thread))))))))

(test-assert "the descriptor is readable once the process has ended"
  (let ((process (spawn-process "true" '("true"))))
    (define ready
      (poll-descriptors `((,(process-descriptor process) readable)) 5000))
    (wait-process process)
    (match ready (((_ 'readable)) #t) (_ #f))))

(test-assert "call-with-process kills"
  (let ((pid (call-with-process (spawn-process "sleep" '("sleep" "60"))
                                process-id)))
    (not (alive? pid))))

(test-assert "the death signal comes with the end of the thread"
  (let ((process (join-thread
                  (start-thread
                   (lambda ()
                     (spawn-process "sleep" '("sleep" "60")
                                    #:death-signal SIGKILL))))))
    (= SIGKILL (status:term-sig (wait-process process)))))

(test-assert "the death signal does not come before"
  (let ((process (spawn-process "sh" (shell "exit 4")
                                #:death-signal SIGKILL)))
    (= 4 (status:exit-val (wait-process process)))))

(test-equal "kill-user refuses root" `("kill" "uid 0" ,EINVAL)
  (fault-of (lambda () (kill-user 0))))

(test-equal "peer credentials" (list (getpid) (getuid) (getgid))
  (match (socketpair AF_UNIX SOCK_STREAM 0)
    ((a . b)
     (call-with-values (lambda () (peer-credentials a)) list))))

(test-assert "peer credentials of what is no local socket"
  (fault-of (lambda () (peer-credentials (open-input-file "/dev/null")))))

(define %uid 61017)

(skip-unless (zero? (getuid)) "needs root")
(test-assert "kill-user leaves no process of the user"
  (let ((process
         (perform-plan "/bin/sh"
                       (shell "(while :; do (sleep 60 & ); done) & exit 0")
                       '("PATH=/usr/bin:/bin")
                       `(("namespaces")
                         ("descriptors" -1 -1 -1)
                         ("limit" "processes" 50)
                         ("credentials" ,%uid ,%uid)))))
    (wait-process process)
    (kill-user %uid)
    (wait-until (lambda ()
                  (string-null?
                   (first (output-of "ps" `("ps" "-o" "pid=" "-u"
                                            ,(number->string %uid)))))))))

(test-end "process")
