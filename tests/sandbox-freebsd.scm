;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Sandboxes on FreeBSD: each step is done and undone, and a crash is swept
;;; up.

(use-modules (fruix config)
             (fruix jail)
             (fruix mount)
             (fruix plan)
             (fruix process)
             (fruix sandbox)
             (fruix sandbox plan)
             (fruix sandbox spec)
             (ice-9 match)
             (srfi srfi-1)
             (srfi srfi-11)
             (srfi srfi-64)
             (tests plan-support)
             (tests sandbox-support)
             (tests support))

(define (rich-sandbox directory)
  "Return a sandbox in DIRECTORY whose plan has every kind of step."
  (sandbox #:root (string-append directory "/root")
           #:user 35001 #:group 35001
           #:files '(("/etc/passwd" "job:*:35001:35001:Job:/:/bin/sh\n"
                      #o644))
           #:symlinks '(("/link" "gnu"))
           #:mounts `((,(string-append directory "/store/item")
                       "/gnu/store/item" read-only)
                      ("/etc/group" "/etc/group" read-only)
                      ("/bin" "/bin" read-only)
                      ("/lib" "/lib" read-only)
                      ("/libexec" "/libexec" read-only)
                      ("/usr" "/usr" read-only))
           #:limits '((memory . 1000000000) (processes . 20) (cpus . 1)
                      (storage . 1000000) (open-files . 50))))

(define (resource-rules)
  "Return the limits of jails, users and so on, as strings."
  (call-with-values
      (lambda ()
        (output-of (lambda (out)
                     (spawn-process "rctl" '("rctl") #:output out))))
    (lambda (text status)
      (string-tokenize text))))

(define (kernel-state)
  "Return the names of mounts and jails, and the rules for resources."
  (list (map mount-target (mounts)) (map jail-name (jails))
        (resource-rules)))

(define (left-of steps)
  "Return what the kernel has more after STEPS than before, and what is left of
that when they have been undone."
  (let* ((before (kernel-state))
         (receipt (perform-steps steps))
         (during (kernel-state)))
    (undo-steps receipt)
    (list (map (lambda (a b) (- (length a) (length b))) during before)
          (equal? before (kernel-state)))))

(define (test-each-step)
  "Do and undo the first 1, 2... steps of the host."
  (call-with-sandbox-directory
   (lambda (directory)
     (define steps
       (assq-ref (sandbox-plan (rich-sandbox directory)) 'host))
     (define results
       (map (lambda (count) (left-of (take steps count)))
            (iota (length steps) 1)))
     (test-equal "every step can be undone" (map (const #t) steps)
       (map second results))
     (test-equal "the last one leaves nothing out" '(7 1 2)
       (first (last results))))))

(define (test-failures)
  "Let the steps fail after each of them."
  (call-with-sandbox-directory
   (lambda (directory)
     (define steps
       (assq-ref (sandbox-plan (rich-sandbox directory)) 'host))
     (define before (kernel-state))
     (test-equal "a failure after any step is reported"
       (map (const '("bind: open" "/nowhere")) (cdr steps))
       (map (lambda (count)
              (catch 'system-error
                (lambda ()
                  (perform-steps `(,@(take steps count)
                                   ("bind" "/nowhere" "/x" "read-only" 0)))
                  #f)
                (lambda (key who template arguments . _)
                  (list who (first arguments)))))
            (iota (- (length steps) 1) 1)))
     (test-equal "and leaves nothing" before (kernel-state)))))

(define (run-killed plan count directory)
  "Let tests/plan-runner die after COUNT steps of the host; return its status."
  (define file (string-append directory "/plan"))
  (write-plan plan file)
  (let-values (((text status)
                (output-of
                 (lambda (out)
                   (spawn-process (test-program "plan-runner")
                                  (list "plan-runner" file
                                        (number->string count))
                                  #:output out #:error out)))))
    (status:term-sig status)))

(define (test-sweep)
  "Kill the process that makes a sandbox after each of its steps."
  (call-with-sandbox-directory
   (lambda (directory)
     (define plan (sandbox-plan (rich-sandbox directory)))
     (define count (length (assq-ref plan 'host)))
     (define before (kernel-state))
     (define (sweep-after count)
       (let* ((signal (run-killed plan count directory))
              (left (kernel-state)))
         (sweep-sandboxes (canonicalize-path directory))
         (list signal (equal? left before)
               (equal? (kernel-state) before))))
     (test-equal "killed after any step, something is left to be swept up"
       (map (lambda (n) (list SIGKILL #f #t)) (iota count))
       (map sweep-after (iota count 1))))))

(define (output box . command)
  (call-with-values
      (lambda () (output-in-sandbox box (first command) command))
    (lambda (text status) text)))

(define (test-inside)
  (call-with-sandbox-directory
   (lambda (directory)
     (define box (rich-sandbox directory))
     (define (shell script) (output box "/bin/sh" "-c" script))
     (test-equal "the user is known by name" "uid=35001(job) gid=35001 \
groups=35001\n"
       (shell "id"))
     (test-equal "what is in the root"
       "bin\ndev\netc\ngnu\nlib\nlibexec\nlink\ntmp\nusr\n" (shell "ls /"))
     (test-equal "what is in /dev"
       "fd\nfull\nnull\nrandom\nstderr\nstdin\nstdout\nurandom\nzero\n"
       (shell "ls /dev"))
     (test-equal "small files are copied, for all to read, and not to write"
       "-r--r--r--\n"
       (shell "ls -l /etc/group | cut -c1-10"))
     (test-equal "nothing can be written to inputs, nor to the root"
       "2\n2\n2\n"
       (shell "for i in /usr/x /etc/x /x; do (: > $i) 2> /dev/null; echo $?
done" ))
     (test-equal "only its own processes are seen" "1\n"
       (shell "ps ax -o comm | grep -c '^sh$'"))
     (test-equal "the host is called localhost" "localhost\n"
       (shell "hostname"))
     (test-assert "limits: no more storage than that"
       (string-contains
        (shell "dd if=/dev/zero of=/tmp/x bs=1000000 count=2 2>&1")
        "No space left")))))

(define (test-open)
  (call-with-sandbox-directory
   (lambda (directory)
     (define before (kernel-state))
     (let ((open (open-sandbox (rich-sandbox directory))))
       (define (value . command)
         (status:exit-val (run-in-sandbox open command
                                          #:input #f #:output #f)))
       (test-equal "no mount where files can be honours set-id bits" '()
         (filter (lambda (mount)
                   (and (string-prefix? directory (mount-target mount))
                        (not (string=? (mount-type mount) "devfs"))
                        (not (member "nosuid" (mount-options mount)))))
                 (mounts)))
       (test-equal "an open sandbox keeps what was written" '(0 0 1)
         (list (value "/bin/sh" "-c" "echo > /tmp/x")
               (value "/bin/cat" "/tmp/x")
               (value "/bin/cat" "/tmp/y")))
       (let ((process (spawn-in-sandbox open '("/bin/sleep" "60")
                                        #:input #f)))
         (close-sandbox open)
         (test-equal "closing kills what runs in it" SIGKILL
           (status:term-sig (wait-process process)))
         (test-equal "and leaves nothing" before (kernel-state)))))))

(define (test-faults)
  (call-with-sandbox-directory
   (lambda (directory)
     (define box (rich-sandbox directory))
     (define before (kernel-state))
     (define (fault program . changes)
       (fault-of
        (lambda ()
          (run-in-sandbox (match changes
                            (() box)
                            ((field value) (with-field box field value)))
                          (list program)
                          #:input #f #:output #f))))
     (define (step what expected actual)
       (test-equal what expected (and actual (take actual 2))))
     (step "a program that is not there" `("execve" ,ENOENT)
           (fault "/none"))
     (step "a program elsewhere" `("program-within" ,EACCES)
           (fault "/bin/sh" 'program-directory "/gnu/store"))
     (step "a root that is not there" `("root" ,ENOENT)
           (fault "/bin/sh" 'root "/nowhere"))
     (step "a mount of nothing" `("bind" ,ENOENT)
           (fault "/bin/sh" 'mounts '(("/nowhere" "/x" read-only))))
     (step "a mount of a symbolic link" `("bind" ,ELOOP)
           (begin
             (symlink "/bin" (string-append directory "/alias"))
             (fault "/bin/sh" 'mounts
                    `((,(string-append directory "/alias") "/x"
                       read-only)))))
     (step "a file system that is full" `("file" ,ENOSPC)
           (fault "/bin/sh" 'files
                  `(("/x" ,(make-string 2000000 #\x) #o644))))
     (test-equal "nothing is left of these" before (kernel-state)))))

(define (test-two-hundred-mounts)
  (call-with-sandbox-directory
   (lambda (directory)
     (define item (string-append directory "/store/item"))
     (define box
       (sandbox #:root (string-append directory "/root")
                #:user 35001 #:group 35001 #:network 'none
                #:mounts (map (lambda (i)
                                (list item (format #f "/gnu/store/~a" i)
                                      'read-only))
                              (iota 200))))
     (test-equal "200 mounts" 0
       (status:exit-val
        (run-in-sandbox box '("/gnu/store/199/job" "/" "0")
                        #:input #f #:output #f))))))

(define (test-all)
  (test-each-step)
  (test-failures)
  (test-sweep)
  (test-inside)
  (test-open)
  (test-faults)
  (test-two-hundred-mounts))

(test-begin "sandbox-freebsd")
(skip-unless (and (eq? %platform 'freebsd) %root?) "needs root on FreeBSD")
(if (and (eq? %platform 'freebsd) %root?)
    (test-all)
    (test-assert "sandboxes" #f))
(test-end "sandbox-freebsd")
