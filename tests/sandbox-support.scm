;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Running the static test programs in sandboxes, in two modes: 'root', with
;;; the IDs of a build user, and 'rootless', as an ordinary user, which only
;;; Linux has.  Root tests the latter by becoming one, or, where that does not
;;; matter, with a user namespace of its own: mode 'mapped'.
;;; Code:

(define-module (tests sandbox-support)
  #:use-module (fruix config)
  #:use-module (fruix descriptors)
  #:use-module (fruix errors)
  #:use-module (fruix probe)
  #:use-module (fruix process)
  #:use-module (fruix sandbox)
  #:use-module (fruix sandbox performing)
  #:use-module (fruix sandbox spec)
  #:use-module (ice-9 match)
  #:use-module ((ice-9 rdelim) #:select (read-line))
  #:use-module (ice-9 textual-ports)
  #:use-module (srfi srfi-11)
  #:use-module (tests support)
  #:export (%root?
            %plain-user
            %modes
            %own-modes
            %no-outside
            test-program
            call-with-sandbox-directory
            simple-sandbox
            build-sandbox
            call-with-attack
            call-with-pipe
            become-plain-user
            output-of
            output-in-sandbox
            output-in-open-sandbox
            start-script
            write-datum
            outcomes-in-mode
            call-in-mode
            call-with-escape
            with-field
            start-alone
            fault-of
            landlock-version
            process-state
            state
            report))

(define %root? (zero? (getuid)))

;; The user that plays the ordinary one.
(define %plain-user
  (if %root? 61000 (getuid)))

;; The modes that can be tested.
(define %modes
  (cond ((not (eq? %platform 'linux)) (if %root? '(root) '()))
        (%root? '(root rootless))
        (else '(rootless))))

;; Those that need no other process.
(define %own-modes
  (map (lambda (mode)
         (if (eq? mode 'rootless) 'mapped mode))
       %modes))

(define (usable? file)
  (catch 'system-error
    (lambda () (close-port (open file O_RDWR)) #t)
    (const #f)))

;; Why sandboxes cannot have networks that reach the outside, or #f.
(define %no-outside
  (cond ((not (eq? %platform 'linux)) "needs Linux")
        ((not (file-exists? %slirp4netns)) "needs slirp4netns")
        ((not (usable? "/dev/net/tun")) "needs /dev/net/tun")
        (else #f)))

(define (test-program name)
  "Return the file name of the static program @var{name}."
  (string-append (getenv "abs_top_builddir") "/tests/" name))

(define (call-with-sandbox-directory proc)
  "Call @var{proc} with the name of a new directory that users can enter,
where @file{root} is an empty directory and @file{store/item} contains the
test programs."
  (call-with-temporary-directory
   (lambda (directory)
     (define (file name) (string-append directory "/" name))
     (for-each (lambda (name) (mkdir (file name) #o755))
               '("root" "store" "store/item"))
     (for-each (lambda (program)
                 (let ((copy (file (string-append "store/item/" program))))
                   (copy-file (test-program program) copy)
                   (chmod copy #o555)))
               (filter (lambda (name) (file-exists? (test-program name)))
                       '("attack" "attack-freebsd" "glutton" "job"
                         "neighbour" "probe")))
     (proc directory))
   #:mode #o755))

(define (simple-sandbox mode directory)
  "Return a sandbox for @var{mode}, @code{root}, @code{rootless} or
@code{mapped}, in @var{directory}, as made by
@code{call-with-sandbox-directory}."
  (define root (string-append directory "/root"))
  (define (mapping uid gid)
    `(#:mapping ((uid 30001 . ,uid) (gid 30000 . ,gid))))
  (when (and %root? (eq? mode 'rootless))
    (chown root %plain-user %plain-user))
  (apply sandbox
         `(,@(match mode
               ('root '(#:user 35001 #:group 35001))
               ('mapped (mapping (getuid) (getgid)))
               ('rootless (mapping %plain-user
                                   (if %root? %plain-user (getgid)))))
           #:root ,root
           #:directories (("/tmp" #o1777) ("/gnu" #o755)
                          ("/gnu/store" #o1775))
           #:mounts ((,(string-append directory "/store/item")
                      "/gnu/store/item" read-only))
           #:program-directory "/gnu/store")))

(define %files
  '(("/etc/group" "nixbld:!:30000:\n" #o644)
    ("/etc/hosts" "127.0.0.1 localhost\n::1 localhost\n" #o644)
    ("/etc/passwd" "nixbld:x:30001:30000:Nix build user:/:/noshell
nobody:x:65534:65534:Nobody:/:/noshell\n" #o644)))

(define (build-sandbox mode directory)
  "Return a sandbox as for a build, its build directory being in
@var{directory}."
  (let ((build (string-append directory "/build"))
        (box (simple-sandbox mode directory)))
    (mkdir build #o700)
    (chown build (if (eq? mode 'root) 35001 %plain-user) -1)
    (sexp->sandbox
     (map (match-lambda
            (('mounts mounts)
             `(mounts ((,build "/tmp/guix-build-x.drv-0" read-write)
                       ,@mounts)))
            (('files _) `(files ,%files))
            (('environment _)
             '(environment ("A=1" "PATH=/path-not-set" "B=2")))
            (('directory _) '(directory "/tmp/guix-build-x.drv-0"))
            (other other))
          (sandbox->sexp box)))))

(define (call-with-attack mode directory proc)
  "Call @var{proc} with a program for a sandbox in @var{directory} and its
arguments: it attacks an input that nothing but its mount protects, and what
there is of the host meanwhile."
  (define item (string-append directory "/store/item"))
  (define input (string-append item "/input"))
  (define user (if (eq? mode 'root) 35001 %plain-user))
  (call-with-output-file input newline)
  (chmod input #o777)
  (chown item user -1)
  (chown input user -1)
  (call-with-escape '() '("listen" "fruix-attack")
    (lambda (line)
      (proc "/gnu/store/item/attack"
            (list "attack" "/gnu/store/item/input"
                  (string-append directory "/store")
                  (number->string (getpid)) "fruix-attack")))))

(define (call-with-pipe proc)
  "Call @var{proc} with ports for the two ends of a pipe, which are closed
afterwards, if not before."
  (let-values (((in out) (make-pipe)))
    (let ((input (fdes->inport in))
          (output (fdes->outport out)))
      (set-port-encoding! input "UTF-8")
      (dynamic-wind
        (const #t)
        (lambda () (proc input output))
        (lambda ()
          (close-port input)
          (close-port output))))))

(define (output-of start)
  "Call @var{start} with a descriptor to write to, for it to return a process;
return what was written, once the process and all that inherited the
descriptor have ended, and the status."
  (call-with-pipe
   (lambda (in out)
     (let ((process (start (fileno out))))
       (close-port out)
       (let ((text (get-string-all in)))
         (values text (wait-process process)))))))

(define (output-in-sandbox box program arguments)
  "Run @var{program} in @var{box} and return what it and all that it started
wrote, and its status."
  (call-with-pipe
   (lambda (in out)
     (call-with-sandboxed-program box arguments
       (lambda (process)
         (close-port out)
         (let ((text (get-string-all in)))
           (values text (wait-process process))))
       #:program program #:input #f #:output out #:error out))))

(define (output-in-open-sandbox box program arguments)
  "The same in a sandbox that is opened for it, and closed."
  (call-with-sandbox box
    (lambda (open)
      (output-of
       (lambda (out)
         (spawn-in-sandbox open arguments #:program program
                           #:input #f #:output out #:error out))))))

(define (start-alone box program arguments out)
  "Start @var{program} in @var{box}, for which the host does nothing, with its
output going to the descriptor @var{out}, and return its process."
  (start-program (sandbox-plan box #:facts '((pts . #t)))
                 '(create enter program drop) arguments
                 #:program program #:environment (sandbox-environment box)
                 #:descriptors (list -1 out out)))

(define (become-plain-user)
  "Return the command that executes another as the ordinary user."
  (if %root?
      `("setpriv" ,(format #f "--reuid=~a" %plain-user)
        ,(format #f "--regid=~a" %plain-user) "--clear-groups" "--")
      '()))

(define* (start-script mode script arguments out
                       #:key (error out) (through '()))
  "Start @var{script}, a file in tests/, with @var{arguments}, as root or as
an ordinary user as @var{mode} says.  It writes to the descriptors @var{out}
and @var{error} and is executed by the command @var{through}, if that is not
empty."
  (define command
    `(,@(if (eq? mode 'rootless) (become-plain-user) '())
      ,@through
      ,(or (getenv "GUILE") "guile") "--no-auto-compile"
      "-L" ,(getenv "abs_top_srcdir")
      ,(string-append (getenv "abs_top_srcdir") "/tests/" script)
      ,@arguments))
  (spawn-process (car command) command #:output out #:error error))

(define (write-datum datum file)
  "Write @var{datum} to @var{file} for everybody to read; return that name."
  (call-with-output-file file
    (lambda (port) (write datum port)))
  (chmod file #o644)
  file)

(define* (outcomes-in-mode mode directory uses #:key (through '()))
  "Run in @var{mode} what @var{uses} describe for @file{run-sandboxes.scm}, a
sandbox being a value there.  Return what came of each, and true if nothing is
left of them.  @var{through} is as for @code{start-script}."
  (define file
    (write-datum (map (match-lambda
                        ((how box . command)
                         `(,how ,(sandbox->sexp box) ,@command)))
                      uses)
                 (string-append directory "/uses")))
  (let-values (((text status)
                (output-of
                 (lambda (out)
                   (start-script mode "run-sandboxes.scm" (list file) out
                                 #:error 2 #:through through)))))
    (unless (eqv? 0 (status:exit-val status))
      (error "run-sandboxes.scm failed" through))
    (match (call-with-input-string text read)
      ((outcomes same-state?)
       (values outcomes
               (and same-state?
                    (null? (directory-entries
                            (string-append directory "/root")))))))))

(define (call-in-mode mode box directory program arguments)
  "Run @var{program} in @var{box}, as root or as an ordinary user as
@var{mode} says; return its output and status."
  (if (and %root? (eq? mode 'rootless))
      (output-of
       (lambda (out)
         (let ((file (write-datum (sandbox->sexp box)
                                  (string-append directory "/box"))))
           (start-script mode "run-sandbox.scm" `(,file ,program ,@arguments)
                         out))))
      (output-in-sandbox box program arguments)))

(define (with-field box field value)
  "Return @var{box} with @var{value} in @var{field}, a symbol."
  (sexp->sandbox
   (map (match-lambda
          ((name before) (list name (if (eq? name field) value before)))
          (other other))
        (sandbox->sexp box))))

(define (fault-of thunk)
  "Return the step, errno and message of the @code{&sandbox-error} that
@var{thunk} raises, or @code{#f}."
  (with-exception-handler
      (lambda (exception)
        (if (sandbox-error? exception)
            (list (sandbox-error-step exception)
                  (sandbox-error-errno exception)
                  (fruix-error-message exception))
            (raise-exception exception)))
    (lambda () (thunk) #f)
    #:unwind? #t))

(define (root-mounts)
  "Return what is mounted on the roots of sandboxes or in them; other tests may
mount other things meanwhile."
  (filter (lambda (line)
            (or (string-contains line "/root ")
                (string-contains line "/root/")))
          (string-split (call-with-input-file "/proc/self/mountinfo"
                          get-string-all)
                        #\newline)))

(define (process-state)
  "Return what a sandbox must not change for this process: open descriptors,
children, and mounts on roots."
  (list (filter (lambda (fd)
                  (catch 'system-error
                    (lambda () (fcntl fd F_GETFD))
                    (const #f)))
                (iota 1024))
        (call-with-input-file "/proc/thread-self/children" get-string-all)
        (root-mounts)))

(define (state directory)
  "Return what a sandbox in @var{directory} must not change: this process, and
what is in its root."
  (cons (directory-entries (string-append directory "/root"))
        (process-state)))

(define (landlock-version)
  "Return the version of the kernel's Landlock, 0 if there is none."
  (catch 'system-error
    (lambda () (probe "landlock"))
    (const 0)))

(define (call-with-escape steps arguments proc)
  "Call @var{proc} with what the test program @file{escape} says first to
@var{arguments} after @var{steps}, while it waits."
  (let*-values (((in out) (make-pipe))
                ((wait go) (make-pipe)))
    (call-with-process
     (perform-plan (test-program "escape") (cons "escape" arguments) '()
                   `(("namespaces") ("descriptors" ,wait ,out ,out) ,@steps))
     (lambda (process)
       (let ((port (fdes->inport in)))
         (close-fdes out)
         (let ((result (proc (read-line port))))
           (for-each close-fdes (list wait go))
           (close-port port)
           result))))))

(define (report text)
  "Return the lines \"KEY: VALUE\" of @var{text} as an alist."
  (map (lambda (line)
         (let ((colon (string-contains line ": ")))
           (if colon
               (cons (string-take line colon)
                     (string-drop line (+ colon 2)))
               (cons line ""))))
       (string-split (string-trim-right text #\newline) #\newline)))
