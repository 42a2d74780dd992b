;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; An open sandbox stays, is entered again and again, keeps what is in it from
;;; its first process, and is gone when it is closed or its opener dies.

(use-modules (fruix config)
             (fruix descriptors)
             (fruix process)
             (fruix sandbox)
             (fruix sandbox spec)
             (fruix thread)
             (ice-9 match)
             (ice-9 rdelim)
             (ice-9 textual-ports)
             (ice-9 threads)
             (srfi srfi-1)
             (srfi srfi-11)
             (srfi srfi-64)
             (tests plan-support)
             (tests sandbox-support)
             (tests support))

(define (shell-sandbox mode directory)
  "Return a sandbox for MODE in DIRECTORY that has a shell."
  (let ((box (simple-sandbox mode directory)))
    (copy-file "/bin/busybox" (string-append directory "/store/item/sh"))
    (chmod (string-append directory "/store/item/sh") #o555)
    (with-field box 'environment '("PATH=/gnu/store/item"))))

(define (output open script)
  "Return what SCRIPT writes when a shell in OPEN runs it."
  (let-values (((text status)
                (output-of
                 (lambda (out)
                   (spawn-in-sandbox open `("busybox" "sh" "-c" ,script)
                                     #:program "/gnu/store/item/sh"
                                     #:input #f #:output out #:error out)))))
    text))

(define (test-entering mode)
  (define (test-equal* what expected actual)
    (test-equal (format #f "~a: ~a" mode what) expected actual))
  (call-with-sandbox-directory
   (lambda (directory)
     (define box (shell-sandbox mode directory))
     (define before (state directory))
     (call-with-sandbox box
       (lambda (open)
         (test-equal* "what one program writes, the next one reads" "1\n"
           (begin
             (output open "busybox echo 1 > /tmp/x")
             (output open "busybox cat /tmp/x")))
         (test-equal* "programs see each other, and nobody else"
           "fruix-holder \nsleep 60 \n"
           (let ((process (spawn-in-sandbox open '("sleep" "60")
                                            #:program "/gnu/store/item/sh"
                                            #:input #f)))
             (let ((names (output open "\
for p in /proc/[0-9]*; do busybox tr '\\0' ' ' < $p/cmdline; echo; done |
busybox grep -E '^(fruix-holder|sleep 60)'")))
               (kill-process process SIGKILL)
               (wait-process process)
               names)))
         (test-equal* "the same identity and limits each time"
           (output open "busybox id; busybox grep -E 'Cap|NoNew|Secc' \
/proc/self/status; ulimit -c")
           (let-values (((text status)
                         (output-in-sandbox
                          box "/gnu/store/item/sh"
                          '("busybox" "sh" "-c" "busybox id; busybox grep -E \
'Cap|NoNew|Secc' /proc/self/status; ulimit -c"))))
             text))
         (test-equal* "nothing can be learnt of the first process"
           "1\n1\n1\n1\n1\n1\n"
           (output open "\
for f in exe root cwd; do busybox readlink /proc/1/$f > /tmp/o; echo $?; done
for f in environ maps mem; do busybox head -c 1 /proc/1/$f 2> /tmp/o > /tmp/o
echo $?; done"))
         (test-equal* "nor can it be killed" "0\nfruix-holder\n"
           (output open "busybox kill -9 1; echo $?
busybox cat /proc/1/comm"))
         (test-equal* "orphans are reaped" ""
           (output open "(busybox true & exec busybox true) &
wait; busybox usleep 50000; busybox grep -l 'State:.*Z' /proc/[0-9]*/status"))
         (test-equal* "only 0, 1 and 2 are open" "0\n1\n2\n3\n"
           (output open "busybox ls /proc/self/fd"))))
     (test-equal* "and leaves nothing" before (state directory)))))

(define (test-closing mode)
  (call-with-sandbox-directory
   (lambda (directory)
     (define open (open-sandbox (shell-sandbox mode directory)))
     (let-values (((in out) (make-pipe)))
       (let ((process
              (spawn-in-sandbox open '("busybox" "sh" "-c" "
(busybox setsid busybox sleep 100 &)
trap '' TERM HUP; echo ready; while :; do busybox sleep 100; done")
                                #:program "/gnu/store/item/sh"
                                #:input #f #:output out #:error #f)))
         (close-fdes out)
         (let ((port (fdes->inport in)))
           (read-line port)
           (close-sandbox open)
           (test-equal (format #f "~a: closing kills whatever runs there" mode)
             (list SIGKILL "")
             (list (status:term-sig (wait-process process))
                   (get-string-all port)))
           (close-port port))))
     (close-sandbox open)
     (test-equal (format #f "~a: nothing enters a closed one" mode)
       (format #f "sandbox: root: ~a/root is closed" directory)
       (third (fault-of (lambda ()
                          (run-in-sandbox open '("/gnu/store/item/sh")
                                          #:input #f))))))))

(define (within seconds thunk)
  "Return what THUNK returns, or #f if it does not within SECONDS."
  (join-thread (start-thread thunk) (+ (current-time) seconds) #f))

(define (stopped-birth open)
  "Start programs in OPEN until one is stopped before it begins."
  (let loop ((left 1000))
    (and (positive? left)
         (if (within 1 (lambda ()
                         (spawn-in-sandbox open '("busybox" "true")
                                           #:program "/gnu/store/item/sh"
                                           #:input #f)))
             (loop (- left 1))
             #t))))

(define (test-stopping)
  "Close a sandbox where a program stops whatever else is there."
  (call-with-sandbox-directory
   (lambda (directory)
     (define open (open-sandbox (shell-sandbox 'mapped directory)))
     (spawn-in-sandbox open '("busybox" "sh" "-c" "\
while :; do kill -STOP -1; done")
                       #:program "/gnu/store/item/sh"
                       #:input #f #:output #f #:error #f)
     (test-assert "a program can be stopped before it begins"
       (stopped-birth open))
     (test-assert "and its sandbox be closed all the same"
       (within 10 (lambda ()
                    (close-sandbox open)
                    #t))))))

(define (test-opener-death mode)
  "Kill the process that opened a sandbox in which a program runs."
  (test-assert (format #f "~a: an open sandbox ends with its opener" mode)
    (call-with-sandbox-directory
     (lambda (directory)
       (define script
         `(begin
            (use-modules (fruix sandbox))
            (define open (open-sandbox
                          (sexp->sandbox
                           ',(sandbox->sexp (shell-sandbox mode directory)))))
            (spawn-in-sandbox open '("busybox" "sleep" "100")
                              #:program "/gnu/store/item/sh")
            (display "ready\n")
            (force-output)
            (sleep 100)))
       (let-values (((in out) (make-pipe)))
         (let ((opener (spawn-process (or (getenv "GUILE") "guile")
                                      `("guile" "--no-auto-compile" "-c"
                                        ,(object->string script))
                                      #:output out)))
           (close-fdes out)
           (let* ((port (fdes->inport in))
                  (line (read-line port)))
             (kill-process opener SIGKILL)
             (wait-process opener)
             ;; All that held the other end are dead.
             (let ((rest (get-string-all port)))
               (close-port port)
               (and (equal? line "ready") (string-null? rest))))))))))

(define (test-saving)
  (test-equal "a sandbox that was saved can be opened again" 0
    (call-with-sandbox-directory
     (lambda (directory)
       (define text
         (object->string (shell-sandbox (first %own-modes) directory)))
       (status:exit-val
        (run-in-sandbox (sexp->sandbox (call-with-input-string text read))
                        '("busybox" "true") #:program "/gnu/store/item/sh"
                        #:input #f))))))

(define (test-terminal mode)
  "Run a program for a user who sits at a terminal, which script(1) makes."
  (define (run directory what)
    (define file (string-append directory "/script"))
    (call-with-output-file file
      (lambda (port)
        (write `(begin
                  (use-modules (fruix sandbox))
                  (define box
                    (sexp->sandbox
                     ',(sandbox->sexp (shell-sandbox mode directory))))
                  (define (run box)
                    (run-in-sandbox box
                                    '("busybox" "sh" "-c" "\
test -t 0 && test -t 2 && busybox stty size && echo job > /dev/tty")
                                    #:program "/gnu/store/item/sh"))
                  ,what)
               port)))
    (let*-values
        (((never end) (make-pipe))
         ((text status)
          (output-of
           (lambda (out)
             (spawn-process "script"
                            `("script" "-qec"
                              ,(format #f "stty rows 33 cols 77; \
~a --no-auto-compile ~a" (or (getenv "GUILE") "guile") file)
                              "/dev/null")
                            #:input never #:output out #:error out)))))
      (for-each close-fdes (list never end))
      (string-delete #\return text)))
  (for-each (match-lambda
              ((name what)
               (test-equal (format #f "~a: ~a works on a terminal of its own"
                                   mode name)
                 "33 77\njob\n"
                 (call-with-sandbox-directory
                  (lambda (directory) (run directory what))))))
            '(("a program" (run box))
              ("a program in an open sandbox" (call-with-sandbox box run)))))

(define (test-commands)
  (test-equal "what is no command is refused, and leaves nothing"
    '(#t "sandbox: program: not a command: ()"
         "sandbox: program: not a command: \"sh\""
         "sandbox: program: not an absolute file name: \"sh\"")
    (call-with-sandbox-directory
     (lambda (directory)
       (define box (shell-sandbox (first %own-modes) directory))
       (define before (state directory))
       (define messages
         (map (lambda (command)
                (third (fault-of (lambda ()
                                   (run-in-sandbox box command
                                                   #:input #f)))))
              '(() "sh" ("sh"))))
       (cons (equal? before (state directory)) messages)))))

(define (test-runner mode)
  "Perform a plan without Guile."
  (test-equal (format #f "~a: a plan can be performed without Guile" mode)
    "performed: 0\nstatus: 0\nundone: 0\n"
    (call-with-sandbox-directory
     (lambda (directory)
       (define file (string-append directory "/plan"))
       (write-plan (sandbox-plan (shell-sandbox mode directory)) file)
       (let-values (((text status)
                     (output-of
                      (lambda (out)
                        (spawn-process (test-program "plan-runner")
                                       `("plan-runner" ,file "-1"
                                         "/gnu/store/item/probe")
                                       #:output out)))))
         (string-concatenate
          (filter (lambda (line) (string-match? line))
                  (map (lambda (line) (string-append line "\n"))
                       (string-split text #\newline)))))))))

(define (string-match? line)
  (any (lambda (word) (string-prefix? word line))
       '("performed: " "status: " "undone: " "failed: " "not started: ")))

(define (test-all)
  (for-each (lambda (mode)
              (test-entering mode)
              (test-closing mode)
              (test-opener-death mode)
              (test-terminal mode)
              (test-runner mode))
            %own-modes)
  (test-stopping)
  (test-commands)
  (test-saving))

(test-begin "sandbox-open")
(skip-unless (eq? %platform 'linux) "needs Linux")
(if (eq? %platform 'linux)
    (test-all)
    (test-assert "open sandboxes" #f))
(test-end "sandbox-open")
