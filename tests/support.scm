;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Fixtures that several tests share.
;;; Code:

(define-module (tests support)
  #:use-module (fruix config)
  #:use-module (fruix process)
  #:use-module ((fruix tree) #:select (delete-tree!))
  #:use-module (ice-9 ftw)
  #:use-module (ice-9 match)
  #:use-module (ice-9 textual-ports)
  #:use-module (srfi srfi-64)
  #:export (call-with-temporary-directory
            call-with-scratch
            delete-recursively
            directory-entries
            wait-until
            run-program
            program-output
            call-with-program
            start-accomplice
            accomplice-of?
            call-with-full-port
            count-descriptors
            count-threads
            call-with-descriptors
            skip-unless
            errno-of
            key-of
            message-of))

(define (delete-recursively directory)
  "Delete @var{directory} and all that is in it, but nothing that is mounted
there: that would be the system's own programs."
  (define device (stat:dev (lstat directory)))
  (file-system-fold
   (lambda (name stat result)           ;enter?
     (and (= device (stat:dev stat))
          (begin
            (chmod name #o700)
            #t)))
   (lambda (name stat result) (delete-file name))
   (const #t)
   (lambda (name stat result) (rmdir name))
   (const #t)
   (lambda (name stat errno result)
     (when (= errno EACCES) (rmdir name)))
   #t directory lstat))

(define (directory-entries directory)
  "Return the sorted names of what is in @var{directory}."
  (scandir directory (lambda (name) (not (member name '("." ".."))))))

(define* (call-with-temporary-directory proc #:key (mode #o700))
  "Call @var{proc} with the name of a new directory, which is deleted
afterwards."
  (let ((directory (mkdtemp (string-append (or (getenv "TMPDIR") "/tmp")
                                           "/fruix-test-XXXXXX"))))
    (dynamic-wind
      (const #t)
      (lambda ()
        (chmod directory mode)
        (proc directory))
      (lambda () (delete-recursively directory)))))

(define (call-with-scratch proc)
  "Call @var{proc} with a descriptor and the name of a new directory, which is
deleted afterwards with all that is in it, of whatever name and depth."
  (call-with-temporary-directory
   (lambda (parent)
     (let ((directory (string-append parent "/scratch")))
       (mkdir directory)
       (let ((descriptor (open-fdes directory O_RDONLY)))
         (dynamic-wind
           (const #t)
           (lambda () (proc descriptor directory))
           (lambda ()
             (close-fdes descriptor)
             (let ((descriptor (open-fdes parent O_RDONLY)))
               (delete-tree! descriptor "scratch")
               (close-fdes descriptor)))))))))

(define (wait-until done?)
  "Wait until @var{done?}, a thunk, returns true, at most 10 seconds; return
what it returned last."
  (let ((limit (+ (current-time) 10)))
    (let loop ()
      (or (done?)
          (and (< (current-time) limit)
               (begin
                 (usleep 5000)
                 (loop)))))))

;; Not by 'system*' and 'open-pipe*', which crash some builds of Guile.

(define (run-program . command)
  "Run @var{command}, a program and its arguments, and return its exit value."
  (status:exit-val (wait-process (spawn-process (car command) command))))

(define (program-output . command)
  "Run @var{command}, a program and its arguments, and return what it writes."
  (match (pipe)
    ((input . output)
     (let ((process (spawn-process (car command) command #:output output)))
       (close-port output)
       (let ((text (get-string-all input)))
         (close-port input)
         (wait-process process)
         text)))))

(define (call-with-program command proc)
  "Call @var{proc} with ports from and to a process that runs @var{command}, a
list of a program and its arguments.  It is killed when @var{proc} returns."
  (match (list (pipe) (pipe))
    (((input . to) (from . output))
     (call-with-process
      (spawn-process (car command) command #:input input #:output output)
      (lambda (process)
        (close-port input)
        (close-port output)
        (let ((result (proc from to)))
          (kill-process process SIGKILL)
          (wait-process process)
          (close-port from)
          (close-port to)
          result))))))

(define %accomplice 61019)

(define (start-accomplice directory user)
  "Start a process of somebody who becomes @var{user} by a set-user-ID file in
@var{directory}; return it once it has, or after 10 seconds where it does not.
It ends soon after."
  (let ((file (string-append directory "/set-user-id")))
    (copy-file "/bin/sleep" file)
    (chown file user user)
    (chmod file #o4755)
    (let ((process (spawn-process file '("sleep" "20")
                                  #:user %accomplice #:group %accomplice)))
      ;; A process has its new user a moment after its new program.
      (wait-until (lambda () (accomplice-of? process user)))
      (delete-file file)
      process)))

(define (accomplice-of? process user)
  "Return true if @var{process} has become @var{user}: not everywhere do
set-user-ID bits have an effect."
  (equal? user
          (string->number
           (string-trim-both
            (program-output "ps" "-o" "uid=" "-p"
                            (number->string (process-id process)))))))

(define (call-with-full-port proc)
  "Call @var{proc} with a port to which nothing can be written."
  (let ((port (open-file "/dev/full" "w0")))
    (dynamic-wind
      (const #t)
      (lambda () (proc port))
      (lambda () (close-port port)))))

(define (count-entries pid directory option)
  "Return how many entries there are in the @var{directory} of the process
@var{pid} in @file{/proc}, or how many procstat(1) lists with @var{option}."
  (define id (number->string pid))
  (case %platform
    ((linux)
     (length (directory-entries (string-append "/proc/" id "/" directory))))
    ((freebsd)
     (string-count (program-output "procstat" "-h" option id) #\newline))))

(define (count-descriptors pid)
  "Return how many descriptors the process @var{pid} has."
  (count-entries pid "fd" "-f"))

(define (count-threads pid)
  "Return how many threads the process @var{pid} has."
  (count-entries pid "task" "-t"))

(define (call-with-descriptors count thunk)
  "Call @var{thunk} while this process may have @var{count} descriptors."
  (call-with-values (lambda () (getrlimit 'nofile))
    (lambda (soft hard)
      (dynamic-wind
        (lambda () (setrlimit 'nofile count hard))
        thunk
        (lambda () (setrlimit 'nofile soft hard))))))

(define-syntax-rule (skip-unless condition reason)
  "Skip all tests that follow, saying @var{reason}, unless @var{condition}
holds."
  (unless condition
    (test-runner-aux-value! (test-runner-current) reason)
    (test-skip (const #t))))

(define (errno-of thunk)
  "Return the errno of the @code{system-error} that @var{thunk} raises, or
@code{#f} if it returns."
  (catch 'system-error
    (lambda () (thunk) #f)
    (lambda arguments (system-error-errno arguments))))

(define (key-of thunk)
  "Return the key of what @var{thunk} throws, or @code{#f} if it returns."
  (catch #t
    (lambda () (thunk) #f)
    (lambda (key . arguments) key)))

(define (message-of thunk)
  "Return what the exception raised by @var{thunk} has to tell, or @code{#f} if
it returns."
  (with-exception-handler
      (lambda (exception)
        ((@ (fruix errors) exception->text) exception))
    (lambda () (thunk) #f)
    #:unwind? #t))
