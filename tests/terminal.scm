;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; A program works on a terminal of its own as if it were its user's,
;;; whatever either does, and the user's is afterwards as it was before.

(use-modules (fruix config)
             (fruix descriptors)
             (fruix primitives)
             (fruix process)
             (fruix terminal)
             (fruix thread)
             (ice-9 match)
             (ice-9 textual-ports)
             (ice-9 threads)
             (rnrs bytevectors)
             (srfi srfi-1)
             (srfi srfi-64)
             (srfi srfi-71)
             (tests support))

;; What a test waits for comes within so many seconds.
(define %patience 30)

(define (open-descriptors)
  (count-descriptors (getpid)))

(define (alive? pid)
  (catch 'system-error
    (lambda () (kill pid 0) #t)
    (const #f)))

(define (fault-of thunk)
  (catch 'system-error
    (lambda () (thunk) #f)
    (lambda (key who template arguments errno)
      (list who (first arguments) (first errno)))))

(define (stty terminal . arguments)
  "Return what stty says about TERMINAL."
  (let* ((in out (make-pipe))
         (process (spawn-process "stty" (cons "stty" arguments)
                                 #:input terminal #:output out)))
    (close-fdes out)
    (let* ((port (fdes->inport in))
           (text (get-string-all port)))
      (close-port port)
      (wait-process process)
      (string-trim-right text))))

(define (open-multiplexer)
  "Return the descriptor of a new terminal that the system made."
  (open-fdes "/dev/ptmx" (logior O_RDWR O_NOCTTY)))

(define (call-with-user proc)
  "Call PROC with the two sides of a terminal of 30 lines of 100 characters:
the screen and keyboard of a user, and what programs see of them."
  (let ((model (open-multiplexer)))
    (match (%posix-openpt model)
      ((screen . terminal)
       (close-fdes model)
       ;; FreeBSD gives a terminal a mode only when its slave is opened.
       (stty terminal "sane" "intr" "^C" "rows" "30" "cols" "100")
       (let ((result (proc screen terminal)))
         (close-fdes terminal)
         (false-if-exception (close-fdes screen))
         result)))))

(define (terminal-name terminal)
  (let* ((port (fdes->inport (dup->fdes terminal)))
         (name (ttyname port)))
    (close-port port)
    name))

(define (type screen text)
  (let ((port (fdes->outport (dup->fdes screen))))
    (display text port)
    (close-port port)))

(define (read-screen screen done?)
  "Read what comes on SCREEN until DONE? returns true, which is called with
the text so far whenever something has come, or nothing for a while."
  (define deadline (+ (current-time) %patience))
  (define bv (make-bytevector 65536))
  (let loop ((text ""))
    (if (or (done? text) (> (current-time) deadline))
        text
        (match (poll-descriptors `((,screen readable)) 20)
          (() (loop text))
          (_ (let* ((length (read-descriptor! screen bv))
                    (new (make-bytevector length)))
               (bytevector-copy! bv 0 new 0 length)
               (loop (string-append text (utf8->string new)))))))))

(define (await screen text)
  "Return true if TEXT comes on SCREEN."
  (string-contains (read-screen screen (lambda (read)
                                         (string-contains read text)))
                   text))

(define* (shell-on terminal script #:optional
                   (steps '(("session") ("terminal"))))
  (perform-plan "/bin/sh" (list "sh" "-c" script) (environ)
                `(("namespaces")
                  ("descriptors" ,terminal ,terminal ,terminal)
                  ,@steps)))

(define (run-script terminal script)
  "Return the thread that runs SCRIPT for the user of TERMINAL and returns its
status."
  (start-thread
   (lambda ()
     (run-on-terminal terminal (lambda (slave) (shell-on slave script))))))

(define (nothing-more screen thread)
  "Return the predicate that THREAD has ended and all is read from SCREEN."
  (lambda (text)
    (and (thread-exited? thread)
         (null? (poll-descriptors `((,screen readable)) 0)))))

(define* (interact script #:optional (play (const #t)))
  "Run SCRIPT while the user does as PLAY, called with the screen and the
terminal.  Return what PLAY did, the exit value of the script, or
@code{late}, and what has come on the screen since."
  (call-with-user
   (lambda (screen terminal)
     (let* ((thread (run-script terminal script))
            (result (play screen terminal))
            (text (read-screen screen (nothing-more screen thread)))
            (ended? (thread-exited? thread)))
       ;; A script that goes on must not hang the test.
       (unless ended? (close-fdes screen))
       (let ((status (join-thread thread)))
         (list result (if ended? (status:exit-val status) 'late) text))))))

(define (lines text)
  "Return the lines of TEXT, which a terminal ends by CR and LF."
  (remove string-null?
          (string-split (string-delete #\return text) #\newline)))

(test-begin "terminal")

(skip-unless (false-if-exception
              (begin
                (close-fdes (open-multiplexer))
                #t))
             "no pseudo-terminals here")

(define %before (open-descriptors))


;;
;; What the program sees.
;;

(test-equal "a terminal that is not the user's, and its status" '(#t 3)
  (match (interact "tty; exit 3"
                   (lambda (screen terminal)
                     (terminal-name terminal)))
    ((theirs status text)
     (let ((own (first (lines text))))
       (list (and (string-prefix? "/dev/" own)
                  (not (string=? own theirs)))
             status)))))

(test-equal "it controls the program's session" '("through /dev/tty")
  (lines (last (interact "echo through /dev/tty > /dev/tty"))))

(test-equal "size and mode are those of the user's" '("30 100" "same mode")
  (call-with-user
   (lambda (screen terminal)
     (stty terminal "-ixany" "erase" "X")
     (let* ((mode (stty terminal "-g"))
            (thread (run-script terminal
                                (string-append "stty size; test $(stty -g) = "
                                               mode " && echo same mode")))
            (text (read-screen screen (nothing-more screen thread))))
       (lines text)))))

(test-equal "nothing but the terminal is open" '("0" "1" "2")
  (lines (last (interact "for i in 0 1 2 3 4 5 6 7 8 9 10 11 12; do
                            test -e /dev/fd/$i && echo $i; done; true"))))


;;
;; What the user does.
;;

(test-equal "what is typed is echoed and read" '(#t 0 ("hello" "got:hello"))
  (match (interact "echo ready; read x; echo got:$x"
                   (lambda (screen terminal)
                     (let ((ready? (await screen "ready\r\n")))
                       (type screen "hello\r")
                       (->bool ready?))))
    ((ready? status text) (list ready? status (lines text)))))

(test-equal "^C is SIGINT" 7
  (second (interact "trap 'exit 7' INT; echo ready
                     while :; do sleep 0.05; done"
                    (lambda (screen terminal)
                      (await screen "ready")
                      (type screen "\x03")))))

(test-equal "^C is SIGINT in the midst of output" 7
  (second (interact "trap 'exit 7' INT; while :; do echo y; done"
                    (lambda (screen terminal)
                      (await screen "y")
                      (type screen "\x03")))))

(test-equal "a change of size is followed" '(#t 7)
  (take (interact "trap 'stty size' WINCH; trap 'exit 7' INT; echo ready
                   while :; do sleep 0.05; done"
                  (lambda (screen terminal)
                    (await screen "ready")
                    (stty terminal "rows" "40" "cols" "132")
                    (let ((followed (await screen "40 132")))
                      (type screen "\x03")
                      (->bool followed))))
        2))

(test-equal "the size that a program sets stays" '("20 60" "20 60")
  (lines (last (interact "stty rows 20 cols 60; stty size; sleep 0.6
                          stty size"))))

(test-equal "the user's terminal is raw meanwhile, and then as before"
  '(#t #t)
  (call-with-user
   (lambda (screen terminal)
     (let* ((before (stty terminal "-g"))
            (thread (run-script terminal "echo ready; read x"))
            (ready? (await screen "ready"))
            (meanwhile (string-tokenize (stty terminal "-a"))))
       (type screen "\r")
       (join-thread thread)
       (list (lset<= string=? '("-icanon" "-echo" "-isig" "-opost") meanwhile)
             (string=? before (stty terminal "-g")))))))

(test-equal "the user's terminal hangs up: SIGHUP" 5
  (call-with-user
   (lambda (screen terminal)
     (let ((thread (run-script terminal "trap 'exit 5' HUP; echo ready
                                         while :; do sleep 0.05; done")))
       (await screen "ready")
       (close-fdes screen)
       (status:exit-val (join-thread thread))))))


;;
;; How it ends.
;;

(define (start-survivor command)
  "Return a script that leaves COMMAND behind, which has the terminal."
  (string-append "trap '' HUP; " command " & echo pid:$!; exit 4"))

(define (survivor-of text)
  (string->number
   (string-drop (find (lambda (line) (string-prefix? "pid:" line))
                      (lines text))
                (string-length "pid:"))))

(test-equal "the program ends, though another still has its terminal"
  '(4 #t)
  (match (interact (start-survivor "sleep 60"))
    ((_ status text)
     (let* ((pid (survivor-of text))
            (alive? (alive? pid)))
       (kill pid SIGKILL)
       (list status alive?)))))

(test-equal "the program ends, though another still writes" 4
  (second (interact (start-survivor "yes"))))

(test-equal "the program leaves its terminal and goes on" 6
  (second (interact "trap '' HUP; exec < /dev/null > /dev/null 2>&1
                     sleep 0.3; exit 6")))

;; FreeBSD discards what nobody has read when the slave is closed; see
;; ttydev_leave in its sys/kern/tty.c.
(unless (eq? %platform 'linux)
  (test-skip 1))
(test-assert "what is typed too late does not cut off output"
  (call-with-user
   (lambda (screen terminal)
     (match (%posix-openpt terminal)
       ((master . slave)
        (type screen "late\r")
        (type slave "left behind\n")
        (close-fdes slave)
        (%relay-terminal terminal master #f)
        (close-fdes master)
        (await screen "left behind"))))))

(define (sequence n)
  (string-concatenate
   (map (lambda (i) (string-append (number->string i) "\n"))
        (iota n 1))))

(test-assert "a megabyte of output arrives as it was written"
  (match (interact "stty -onlcr; exec seq 1 170000")
    ((_ 0 text)
     (and (> (string-length text) (expt 2 20))
          (string=? text (sequence 170000))))))

(test-assert "a program that reads nothing for long gets all that was typed"
  (match (interact "stty raw -echo; echo ready; seq 1 100000
                    echo $(head -c 300000 | wc -c)"
                   (lambda (screen terminal)
                     (await screen "ready")
                     (start-thread
                      (lambda () (type screen (make-string 300000 #\x))))))
    ((_ 0 text) (string-suffix? "100000\n300000\n" text))))


;;
;; Errors.
;;

(test-equal "what is no terminal" `("tcgetattr" ,ENOTTY)
  (match (catch 'system-error
           (lambda ()
             (call-with-input-file "/dev/null"
               (lambda (port) (run-on-terminal port error))))
           list)
    ((_ who _ _ (errno)) (list who errno))))

(test-equal "a program that does not exist"
  `("execve" "/nowhere/program" ,ENOENT)
  (call-with-user
   (lambda (screen terminal)
     (define (start slave)
       (perform-plan "/nowhere/program" '("program") '()
                     '(("namespaces"))))
     (fault-of (lambda () (run-on-terminal terminal start))))))

(test-equal "a terminal that cannot be written to: no process is left"
  `(,EBADF #t #f)
  (call-with-user
   (lambda (screen terminal)
     (let* ((reader (open-fdes (terminal-name terminal)
                               (logior O_RDONLY O_NOCTTY)))
            (mode (stty terminal "-g"))
            (pid #f)
            (start (lambda (slave)
                     (let ((process (shell-on slave "echo ready; sleep 60")))
                       (set! pid (process-id process))
                       process)))
            (errno (errno-of (lambda () (run-on-terminal reader start)))))
       (close-fdes reader)
       (list errno (string=? mode (stty terminal "-g")) (alive? pid))))))

(define (step-fault steps)
  (call-with-user
   (lambda (screen terminal)
     (fault-of (lambda () (shell-on terminal "true" steps))))))

(test-equal "a terminal without a session"
  `("terminal: ioctl" "TIOCSCTTY" ,EPERM)
  (step-fault '(("process-group") ("terminal"))))

(test-equal "a session without a terminal"
  `("terminal: ioctl" "TIOCSCTTY" ,ENOTTY)
  (step-fault '(("descriptors" -1) ("session") ("terminal"))))

(test-equal "both sides are close-on-exec" (list FD_CLOEXEC FD_CLOEXEC)
  (call-with-user
   (lambda (screen terminal)
     (map (lambda (fd) (fcntl fd F_GETFD)) (list screen terminal)))))

(test-equal "after all that no descriptor is open" %before
  (begin (gc) (open-descriptors)))

(test-end "terminal")
