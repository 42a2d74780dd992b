;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; A process becomes another user for good, with all its threads, refuses
;;; new privileges, knows who is at the other end, and kills all of a user.

(use-modules (fruix credentials)
             (fruix descriptors)
             (fruix process)
             (ice-9 match)
             (ice-9 textual-ports)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests support))

(define %linux? (string=? (utsname:sysname (uname)) "Linux"))

(define* (answer-of program #:key (user #f) (group #f))
  "Return the value of the expression PROGRAM in a process of its own, which
may be of another user, or #f."
  (call-with-values make-pipe
    (lambda (in out)
      (let ((process
             (spawn-process
              (or (getenv "GUILE") "guile")
              (list "guile" "-c"
                    (format #f "~s" `(begin ,@%prelude (write ,program))))
              #:output out #:user user #:group group)))
        (close-fdes out)
        (let* ((port (fdes->inport in))
               (answer (read port)))
          (close-port port)
          (and (zero? (status:exit-val (wait-process process)))
               answer))))))

(define %prelude
  '((use-modules (fruix credentials)
                 (fruix thread)
                 (ice-9 ftw)
                 (ice-9 match)
                 (ice-9 rdelim)
                 (ice-9 threads)
                 (srfi srfi-1))
    (define (errno-of thunk)
      (catch 'system-error
        (lambda () (thunk) #f)
        (lambda arguments (system-error-errno arguments))))
    (define (fault-of thunk)
      (catch 'system-error
        (lambda () (thunk) #f)
        (lambda (key who template arguments errno) (cons who errno))))
    (define (identity)
      (list (getuid) (geteuid) (getgid) (getegid)
            (sort (vector->list (getgroups)) <)))))

(test-begin "credentials")

(test-equal "user 0 gives up nothing" (list "setresuid" EINVAL)
  (answer-of '(fault-of (lambda () (drop-credentials 0 61005)))))

(for-each (lambda (id)
            (test-equal (format #f "not an ID: ~a" id)
              (list (list "setresuid" EINVAL) (list "setresuid" EINVAL))
              (answer-of
               `(list (fault-of (lambda () (drop-credentials ,id 61005)))
                      (fault-of (lambda () (drop-credentials 61005 ,id)))))))
          (list -1 (- (expt 2 32) 1) (expt 2 32)))

(test-equal "too many groups" (list "setgroups" EINVAL)
  (answer-of '(fault-of
               (lambda () (drop-credentials 61005 61005 (iota 64 1))))))

(test-equal "groups that are no list" 'wrong-type-arg
  (key-of (lambda () (drop-credentials 61005 61005 7))))

(test-equal "new privileges are refused, and that is known"
  '(#f #t #t)
  (answer-of '(let ((before (no-new-privileges?)))
                (no-new-privileges!)
                (list before (no-new-privileges?)
                      (join-thread (start-thread no-new-privileges?))))))

(test-equal "it can be refused again" '(#t)
  (answer-of '(begin
                (no-new-privileges!)
                (no-new-privileges!)
                (list (no-new-privileges?)))))

(test-equal "peer credentials" (list (getpid) (getuid) (getgid))
  (match (socketpair AF_UNIX SOCK_STREAM 0)
    ((a . b)
     (call-with-values (lambda () (peer-credentials a)) list))))

(test-assert "peer credentials of what is no local socket"
  (errno-of (lambda () (peer-credentials (open-input-file "/dev/null")))))

(test-equal "kill-user refuses root" EINVAL
  (errno-of (lambda () (kill-user 0))))

(test-equal "without the privilege, nothing changes"
  (list "setgroups" EPERM #t)
  (apply answer-of
         '(let ((before (identity)))
            (match (fault-of (lambda () (drop-credentials 61006 61006)))
              ((call errno)
               (list call errno (equal? before (identity))))))
         (if (zero? (getuid)) '(#:user 61005 #:group 61005) '())))

(skip-unless (zero? (getuid)) "needs root")

(define %groups (if %linux? '(61007 61008) '(61006 61007 61008)))

(test-equal "another user, with exactly the groups given"
  (list 61005 61005 61006 61006 %groups)
  (answer-of '(begin
                (drop-credentials 61005 61006 '(61008 61007))
                (identity))))

(test-equal "there is no way back" (make-list 3 EPERM)
  (answer-of '(begin
                (drop-credentials 61005 61006)
                (list (errno-of (lambda () (setuid 0)))
                      (errno-of (lambda () (setgid 0)))
                      (errno-of (lambda () (setgroups #(0))))))))

(test-equal "nor a second change" (list "setgroups" EPERM)
  (answer-of '(begin
                (drop-credentials 61005 61006)
                (fault-of (lambda () (drop-credentials 61006 61006))))))

;; Elsewhere the kernel knows no credentials of threads.
(unless %linux?
  (test-skip 1))
(test-equal "all threads have changed"
  '(("Gid:\t61006\t61006\t61006\t61006"
     "Groups:\t61007 "
     "Uid:\t61005\t61005\t61005\t61005"))
  (answer-of
   '(let* ((mutex (make-mutex))
           (threads (begin
                      (lock-mutex mutex)
                      (map (lambda (_)
                             (start-thread (lambda () (lock-mutex mutex))))
                           (iota 3))))
           (tasks "/proc/self/task/"))
      (define (identity task)
        (sort (filter (lambda (line)
                        (any (lambda (key) (string-prefix? key line))
                             '("Uid:" "Gid:" "Groups:")))
                      (call-with-input-file
                          (string-append tasks task "/status")
                        (lambda (port)
                          (string-split (read-string port) #\newline))))
              string<?))
      (drop-credentials 61005 61006 '(61007))
      (let ((all (map identity
                      (scandir tasks
                               (lambda (name)
                                 (not (string-prefix? "." name)))))))
        (and (<= 4 (length all))
             (delete-duplicates all))))))

(define (effective-user id refused?)
  "Return the effective user of the program ID, started by another user, with
new privileges REFUSED? or not."
  (call-with-values make-pipe
    (lambda (in out)
      (let ((process (spawn-process id '("id" "-u") #:output out
                                    #:user 61005 #:group 61005
                                    #:no-new-privileges? refused?)))
        (close-fdes out)
        (let* ((port (fdes->inport in))
               (user (read port)))
          (close-port port)
          (wait-process process)
          user)))))

(call-with-temporary-directory
 (lambda (directory)
   (let ((id (string-append directory "/id")))
     (copy-file "/usr/bin/id" id)
     (chmod id #o4755)
     ;; Where set-user-ID bits never have an effect, there is nothing to see.
     (unless (and (zero? (getuid)) (eqv? 0 (effective-user id #f)))
       (test-skip 1))
     (test-equal "with privileges refused, set-user-ID bits have no effect"
       '(0 61005)
       (map (lambda (refused?) (effective-user id refused?))
            '(#f #t)))))
 #:mode #o755)

(define (ambient-capabilities expression)
  "Return what a program that a process starts after EXPRESSION inherits of its
capabilities, being an ordinary user's with one of them."
  (call-with-values make-pipe
    (lambda (in out)
      (let ((process
             (spawn-process
              "setpriv"
              `("setpriv" "--reuid=61005" "--regid=61005" "--clear-groups"
                "--inh-caps=+chown" "--ambient-caps=+chown"
                ,(or (getenv "GUILE") "guile") "-c"
                ,(format #f "~s"
                         `(begin
                            (use-modules (fruix credentials)
                                         (fruix process))
                            ,expression
                            (wait-process
                             (spawn-process
                              "sed"
                              '("sed" "-n" "s/^CapAmb:\\t//p"
                                "/proc/self/status"))))))
              #:output out)))
        (close-fdes out)
        (let* ((port (fdes->inport in))
               (text (get-string-all port)))
          (close-port port)
          (wait-process process)
          (string->number (string-trim-both text) 16))))))

(unless (and %linux? (zero? (getuid))) (test-skip 1))
(test-equal "privileges that are withheld are not inherited" '(1 0)
  (map ambient-capabilities '(#t (withhold-privileges!))))

(define %uid 61017)

(test-assert "kill-user leaves no process of the user"
  (let ((process
         (spawn-process "sh"
                        '("sh" "-c"
                          "(while :; do (sleep 60 & ); done) & exit 0")
                        #:output #f #:error #f
                        #:limits '((processes . 50))
                        #:user %uid #:group %uid)))
    (wait-process process)
    (kill-user %uid)
    (wait-until (lambda ()
                  (= 1 (status:exit-val
                        (wait-process
                         (spawn-process "ps" `("ps" "-o" "pid=" "-U"
                                               ,(number->string %uid))
                                        #:output #f))))))))

(call-with-temporary-directory
 (lambda (directory)
   (let ((accomplice (start-accomplice directory %uid)))
     (unless (accomplice-of? accomplice %uid)
       (test-skip 1))
     (test-equal "nor one that has the user from a set-user-ID file" SIGKILL
       (begin
         (kill-user %uid)
         (status:term-sig (wait-process accomplice))))))
 #:mode #o755)

(test-equal "whether a user has processes is seen" '(#f #t #f)
  (let* ((before (has-processes? %uid))
         (process (spawn-process "sleep" '("sleep" "60")
                                 #:user %uid #:group %uid))
         (meanwhile (has-processes? %uid)))
    (kill-process process SIGKILL)
    (wait-process process)
    (list before meanwhile (has-processes? %uid))))

(test-end "credentials")
