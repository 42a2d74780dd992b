;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Processes are waited for once, whoever else waits, and killed when their
;;; thread ends.

(use-modules (fruix descriptors)
             (fruix process)
             (fruix thread)
             (ice-9 match)
             (ice-9 rdelim)
             (ice-9 threads)
             (rnrs bytevectors)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests support))

(define %linux? (string=? (utsname:sysname (uname)) "Linux"))

(define (shell . script)
  (list "sh" "-c" (string-concatenate script)))

(define (alive? pid)
  (catch 'system-error
    (lambda () (kill pid 0) #t)
    (const #f)))

(test-begin "process")

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

(test-equal "a time-out, and then the status" '(#f #f 5 #t)
  (match (pipe)
    ((input . output)
     (let* ((process (spawn-process "sh" (shell "read x; exit 5")
                                    #:input input))
            (early (wait-process process #:timeout 0.05))
            (ended? (process-ended? process)))
       (close-port output)
       (list early ended?
             (status:exit-val (wait-process process #:timeout 10))
             (process-ended? process))))))

(test-equal "a time-out while another thread waits" '(#f 5)
  (match (pipe)
    ((input . output)
     (let* ((process (spawn-process "sh" (shell "read x; exit 5")
                                    #:input input))
            (thread (start-thread (lambda () (wait-process process))))
            (early (wait-process process #:timeout 0.05)))
       (close-port output)
       (list early (status:exit-val (join-thread thread)))))))

(test-equal "a time-out after the end" 6
  (let ((process (spawn-process "sh" (shell "exit 6"))))
    (wait-process process)
    (status:exit-val (wait-process process #:timeout 0))))

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
  (length (directory-entries "/dev/fd")))

(test-assert "time-outs leave no descriptor open"
  (call-with-process (spawn-process "sleep" '("sleep" "60"))
    (lambda (process)
      (let ((before (descriptor-count)))
        (wait-process process #:timeout 0)
        ;; Those of a thread before may go meanwhile.
        (>= before (descriptor-count))))))

;; Elsewhere nobody else can: a child with a descriptor is not any child.
(unless %linux? (test-skip 1))
(test-equal "somebody else waits for it" '(#f #f #f #f #t)
  (let* ((before (descriptor-count))
         (process (spawn-process "sh" (shell "exit 7"))))
    (waitpid WAIT_ANY)
    (let* ((running? (process-running? process))
           (sent? (kill-process process SIGTERM))
           (status (wait-process process)))
      (list running? sent? status (wait-process process)
            (>= before (descriptor-count))))))

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

(test-assert "something happens on the descriptor at the end"
  (let ((process (spawn-process "true" '("true"))))
    (define ready
      (poll-descriptors `((,(process-descriptor process) readable)) 5000))
    (wait-process process)
    (match ready (((_ . _)) #t) (_ #f))))

(test-assert "call-with-process kills"
  (let ((pid (call-with-process (spawn-process "sleep" '("sleep" "60"))
                                process-id)))
    (not (alive? pid))))

(test-equal "what is left of the group of a process is killed" '(#t #f)
  (match (pipe)
    ((input . output)
     (let ((process (spawn-process "sh" (shell "sleep 60 & echo $!")
                                   #:session? #t #:output output)))
       (define pid (read input))
       (wait-process process)
       (let ((before (alive? pid)))
         (kill-process-group process)
         (close-port output)
         ;; It holds the other end as long as it lives.
         (read-line input)
         (read-line input)
         (close-port input)
         (wait-until (lambda () (not (alive? pid))))
         (list before (alive? pid)))))))

(test-equal "an environment with something else in it" '("A=2=3" "B=" #f)
  (dynamic-wind
    (lambda () (setenv "A" "1"))
    (lambda ()
      (let ((environment (environment-with '("A=2=3" "B="))))
        (append (map utf8->string (take environment 2))
                (list (member "A=1" environment)))))
    (lambda () (unsetenv "A"))))

(test-equal "making one warns of no threads" ""
  (match (pipe)
    ((input . output)
     (let ((thread (start-thread (lambda () (read-char input)))))
       (call-with-output-string
         (lambda (port)
           (parameterize ((current-warning-port port))
             (environment-with '()))
           (close-port output)
           (join-thread thread)
           (close-port input)))))))

;; Elsewhere it comes with the end of the whole process.
(unless %linux? (test-skip 1))
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

(test-end "process")
