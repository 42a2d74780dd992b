;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Programs are started with what they were given and nothing else, and a
;;; failure on the way leaves nothing.

(use-modules (fruix descriptors)
             (fruix process)
             (fruix thread)
             (ice-9 match)
             (ice-9 textual-ports)
             (ice-9 threads)
             (srfi srfi-1)
             (srfi srfi-11)
             (srfi srfi-64)
             (tests support))

(define %linux? (string=? (utsname:sysname (uname)) "Linux"))

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

(test-begin "spawn")

(test-equal "output and status" '("hello\n" 3)
  (output-of "sh" (shell "echo hello; exit 3")))

(test-equal "argv[0] is the caller's" '("zero one" 0)
  (output-of "/bin/sh" '("zero" "-c" "printf '%s %s' $0 $1" "zero" "one")))

(test-equal "exactly the given environment, in order" '("B=2\nA=1\n" 0)
  (output-of "env" '("env") #:environment '("B=2" "A=1")))

(test-equal "by default, the environment of this process" '("yes\n" 0)
  (begin
    (setenv "FRUIX_TEST" "yes")
    (let ((result (output-of "printenv" '("printenv" "FRUIX_TEST"))))
      (unsetenv "FRUIX_TEST")
      result)))

(test-equal "an empty environment" '("" 0)
  (output-of "/usr/bin/env" '("env") #:environment '()))

;; Guile's own 'environ' complains of threads.
(test-equal "nothing is said on the standard error" '("" 0)
  (let ((program
         '(begin
            (use-modules (fruix process) (fruix thread))
            (let ((thread (start-thread (lambda () (sleep 1)))))
              (wait-process (spawn-process "true" '("true")))))))
    (let-values (((in out) (make-pipe)))
      (let ((process (spawn-process (or (getenv "GUILE") "guile")
                                    (list "guile" "-c"
                                          (format #f "~s" program))
                                    #:error out)))
        (close-fdes out)
        (let* ((port (fdes->inport in))
               (text (get-string-all port)))
          (close-port port)
          (list text (status:exit-val (wait-process process))))))))

(test-equal "bytes that are not UTF-8 pass" '("\\377\n" 0)
  (output-of "sh" (shell "printf %s \"$X\" | od -An -to1 | tr -d ' ' "
                         "| sed 's/^/\\\\/'")
             #:environment (list "PATH=/usr/bin:/bin"
                                 #vu8(88 61 255))))

(test-equal "current directory" '("/\n" 0)
  (output-of "pwd" '("pwd") #:directory "/"))

(define (open-descriptors-script last)
  (string-append "for i in $(seq 0 " (number->string last) "); do "
                 "test -e /dev/fd/$i && echo $i; done; true"))

(test-equal "only 0, 1, 2 and what was passed are open" '("0\n1\n2\n3\n" 0)
  (let ((extra (open-input-file "/dev/null")))
    (output-of "sh" (shell (open-descriptors-script 9))
               #:descriptors `((3 . ,extra)))))

(test-equal "descriptors can be permuted" '("out\n" 0)
  (let-values (((in out) (make-pipe)))
    (let ((process (spawn-process "sh" (shell "echo out >&3; echo err >&4")
                                  #:output #f #:error #f
                                  #:descriptors `((3 . ,out) (4 . 2)
                                                  (5 . 1) (6 . 0)))))
      (close-fdes out)
      (let* ((port (fdes->inport in))
             (text (get-string-all port)))
        (close-port port)
        (list text (status:exit-val (wait-process process)))))))

(test-equal "descriptors where they are wanted, and none in the gaps"
  '("0\n1\n2\n5\n9\n" 0)
  (let ((extra (open-input-file "/dev/null")))
    (output-of "sh" (shell (open-descriptors-script 9))
               #:descriptors `((9 . ,extra) (5 . #f)))))

(test-equal "a source whose own number is a gap" '("closed\n" 0)
  (let* ((extra (dup->fdes 0))
         (script (format #f "test -e /dev/fd/~a || echo closed" extra))
         (result (output-of "sh" (shell script)
                            #:descriptors `((,(+ extra 3) . ,extra)))))
    (close-fdes extra)
    result))

(test-equal "the highest descriptor" '("255\n" 0)
  (output-of "sh" (shell "test -e /dev/fd/255 && echo 255")
             #:descriptors '((255 . #f))))

(for-each (lambda (number)
            (test-equal (format #f "no descriptor to be mapped: ~s" number)
              'out-of-range
              (key-of (lambda ()
                        (spawn-process "true" '("true")
                                       #:descriptors `((,number . #f)))))))
          '(2 256 -1 3.5))

(test-equal "a descriptor that is mapped twice" 'misc-error
  (key-of (lambda ()
            (spawn-process "true" '("true")
                           #:descriptors '((3 . #f) (3 . 0))))))

(test-equal "a list in place of an alist" 'wrong-type-arg
  (key-of (lambda ()
            (spawn-process "true" '("true") #:descriptors '(0)))))

(test-equal "a session of its own" '("yes\n" 0)
  (output-of "sh" (shell "test $(ps -o sid= -p $$) = $$ && echo yes")
             #:session? #t))

(define %in-group
  (string-append "test $(ps -o pgid= -p $$) = $$ && "
                 "test $(ps -o sid= -p $$) = $(ps -o sid= -p $PPID) && "
                 "echo yes"))

(test-equal "a process group of its own, in the same session" '("yes\n" 0)
  (output-of "sh" (shell %in-group) #:process-group? #t))

(test-equal "a session is a process group of its own" '("yes\n" 0)
  (output-of "sh" (shell "test $(ps -o sid= -p $$) = $$ && echo yes")
             #:session? #t #:process-group? #t))

(test-equal "limits, both soft and hard" '("17 17 1 1\n" 0)
  (output-of "sh" (shell "echo $(ulimit -Sn) $(ulimit -Hn) "
                         "$(ulimit -Sf) $(ulimit -Hf)")
             #:limits '((open-files . 17) (file-size . 512))))

(test-equal "a limit that is exceeded" SIGXFSZ
  (call-with-temporary-directory
   (lambda (directory)
     (status:term-sig
      (wait-process
       (spawn-process "sh" (shell "exec head -c 4096 /dev/zero > file")
                      #:directory directory
                      #:limits '((file-size . 512))))))))

(test-equal "an unknown limit" `("limit: setrlimit" "patience" ,EINVAL)
  (fault-of (lambda ()
              (spawn-process "true" '("true") #:limits '((patience . 0))))))

(test-equal "a negative limit" `("limit: setrlimit" "core" ,EINVAL)
  (fault-of (lambda ()
              (spawn-process "true" '("true") #:limits '((core . -1))))))

(test-equal "a file mode creation mask" '("0027\n" 0)
  (output-of "sh" (shell "umask") #:umask #o27))

(test-equal "by default, the mask is inherited"
  (list (format #f "~4,'0o\n" (umask)) 0)
  (output-of "sh" (shell "umask")))

(test-equal "no new privileges, but where it is asked for"
  '(("#t" 0) ("#f" 0))
  (map (lambda (refused?)
         (output-of (or (getenv "GUILE") "guile")
                    '("guile" "-c" "(use-modules (fruix credentials)) \
(write (no-new-privileges?))")
                    #:no-new-privileges? refused?))
       '(#t #f)))

(for-each (lambda (options)
            (test-equal (format #f "not a whole identity: ~s" options)
              'misc-error
              (key-of (lambda ()
                        (apply spawn-process "true" '("true") options)))))
          '((#:user 61005) (#:group 61005) (#:groups (61005))))

(for-each (lambda (user)
            (test-equal (format #f "an identity nobody has: ~a" user) EINVAL
              (errno-of (lambda ()
                          (spawn-process "true" '("true")
                                         #:user user #:group 61005)))))
          (list 0 -1 (- (expt 2 32) 1) (expt 2 32)))

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

(test-equal "an unknown namespace" EINVAL
  (errno-of (lambda ()
              (perform-plan "/bin/true" '("true") '()
                            '(("namespaces" "dream"))))))

(test-equal "a step that is no list" 'wrong-type-arg
  (key-of (lambda ()
            (perform-plan "/bin/true" '("true") '()
                          '(("namespaces") "chdir")))))

;; Only Linux lists the children.
(unless %linux? (test-skip 1))
(test-equal "no child is left of those failures" 0 (children))

(define %identity
  (shell "echo $(id -ru) $(id -u) $(id -rg) $(id -g) $(id -G)"))

(skip-unless (zero? (getuid)) "needs root")

(test-equal "another user, with exactly the groups given"
  '("61005 61005 61006 61006 61006 61007 61008\n" 0)
  (output-of "sh" %identity
             #:user 61005 #:group 61006 #:groups '(61008 61007)))

(test-equal "another user, without other groups"
  '("61005 61005 61006 61006 61006\n" 0)
  (output-of "sh" %identity #:user 61005 #:group 61006))

(test-equal "a limit and a mask for another user" '("17 0077\n" 0)
  (output-of "sh" (shell "echo $(ulimit -Hn) $(umask)")
             #:user 61005 #:group 61005
             #:limits '((open-files . 17)) #:umask #o77))

(test-equal "a directory is entered as the user"
  '("chdir: chdir" #t)
  (call-with-temporary-directory
   (lambda (directory)
     (match (fault-of (lambda ()
                        (spawn-process "true" '("true")
                                       #:directory directory
                                       #:user 61005 #:group 61005)))
       ((call object errno)
        (list call (= errno EACCES)))))))

(unless %linux? (test-skip 1))
(test-assert "the death signal outlives the change of the user"
  (let ((process (join-thread
                  (start-thread
                   (lambda ()
                     (spawn-process "sleep" '("sleep" "60")
                                    #:user 61005 #:group 61005
                                    #:death-signal SIGKILL))))))
    (= SIGKILL (status:term-sig (wait-process process)))))

;; In a process of an ordinary user, who may not drop the bounding set.
(unless %linux? (test-skip 1))
(test-equal "capabilities are dropped where programs cannot give any"
  (list 0 EPERM)
  (let ((status-or-errno
         (lambda (steps)
           (catch 'system-error
             (lambda ()
               (wait-process
                (perform-plan "/bin/true" '("true") '()
                              `(("namespaces")
                                ("descriptors" -1 -1 -1)
                                ("credentials" 61005 61005)
                                ,@steps
                                ("drop-capabilities")))))
             (lambda arguments (system-error-errno arguments))))))
    (map status-or-errno '((("no-new-privileges")) ()))))

(test-equal "too many groups" `("credentials: setgroups" ,EINVAL)
  (match (fault-of (lambda ()
                     (spawn-process "true" '("true") #:user 61005
                                    #:group 61005 #:groups (iota 64 1))))
    ((call object errno) (list call errno))))

(test-end "spawn")
