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
            test-program
            call-with-sandbox-directory
            simple-sandbox
            output-of
            output-in-sandbox
            call-in-mode
            call-with-escape
            with-field
            start-alone
            fault-of
            landlock-version
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
                       '("attack" "job" "probe")))
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

(define (output-of start)
  "Call @var{start} with a descriptor to write to, for it to return a process;
return what was written, once the process and all that inherited the
descriptor have ended, and the status."
  (let-values (((in out) (make-pipe)))
    (let ((process (start out)))
      (close-fdes out)
      (let* ((port (fdes->inport in))
             (text (begin
                     (set-port-encoding! port "UTF-8")
                     (get-string-all port)))
             (status (wait-process process)))
        (close-port port)
        (values text status)))))

(define (output-in-sandbox box program arguments)
  "Run @var{program} in @var{box} and return what it and all that it started
wrote, and its status."
  (let-values (((in out) (make-pipe)))
    (call-with-sandboxed-program box arguments
      (lambda (process)
        (close-fdes out)
        (let* ((port (fdes->inport in))
               (text (get-string-all port)))
          (close-port port)
          (values text (wait-process process))))
      #:program program #:input #f #:output out #:error out)))

(define (start-alone box program arguments out)
  "Start @var{program} in @var{box}, to which the host has nothing to add, with
its output going to the descriptor @var{out}, and return its process."
  (start-program (sandbox-plan box) '(create enter program drop) arguments
                 #:program program #:environment (sandbox-environment box)
                 #:descriptors (list -1 out out)))

(define (start-as-plain-user box directory program arguments out)
  (let ((file (string-append directory "/box")))
    (call-with-output-file file
      (lambda (port) (write (sandbox->sexp box) port)))
    (chmod file #o644)
    (spawn-process
     "setpriv"
     `("setpriv" ,(format #f "--reuid=~a" %plain-user)
       ,(format #f "--regid=~a" %plain-user) "--clear-groups" "--"
       ,(or (getenv "GUILE") "guile") "--no-auto-compile"
       ,(string-append (getenv "abs_top_srcdir") "/tests/run-sandbox.scm")
       ,file ,program ,@arguments)
     #:output out #:error out)))

(define (call-in-mode mode box directory program arguments)
  "Run @var{program} in @var{box}, as root or as an ordinary user as
@var{mode} says; return its output and status."
  (if (and %root? (eq? mode 'rootless))
      (output-of
       (lambda (out)
         (start-as-plain-user box directory program arguments out)))
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

(define (state directory)
  "Return what a sandbox in @var{directory} must not change: open descriptors,
children, mounts, and what is in its root."
  (list (length (directory-entries "/proc/self/fd"))
        (call-with-input-file "/proc/thread-self/children" get-string-all)
        (call-with-input-file "/proc/self/mountinfo" get-string-all)
        (directory-entries (string-append directory "/root"))))

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
