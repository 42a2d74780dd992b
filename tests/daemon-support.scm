;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; A daemon of one's own: a process of its own on a private root, for tests
;;; that talk to it over its sockets.
;;; Code:

(define-module (tests daemon-support)
  #:use-module (fruix config)
  #:use-module (fruix control wire)
  #:use-module (fruix derivation)
  #:use-module (fruix process)
  #:use-module (fruix protocol wire)
  #:use-module (fruix store)
  #:use-module (fruix store layout)
  #:use-module (ice-9 match)
  #:use-module (ice-9 rdelim)
  #:use-module (ice-9 textual-ports)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:use-module (tests support)
  #:use-module (tests worker-client)
  #:export (%daemon
            %build-users
            %host-directories
            %shell
            install-shell
            start-daemon
            call-with-daemon
            make-daemon
            daemon-layout
            daemon-process
            connect-to
            call-with-controller
            add-script
            start-build
            running?
            call-with-client
            can-run-apart?
            run-apart
            open-descriptors
            threads
            alive?))

(define-record-type <daemon>
  (make-daemon layout process)
  daemon?
  (layout daemon-layout)                ;<layout>
  (process daemon-process))             ;<process>

(define %daemon
  (string-append (getenv "abs_top_builddir") "/fruix-daemon"))

;; Options for builds: root needs users to build as.  A daemon kills all that
;; these run, so those of a test that runs at the same time are others.
(define %build-users
  (if (zero? (getuid))
      (let ((user (+ 40000 (* 2 (modulo (getpid) 5000)))))
        (list (format #f "--build-users=~a:~a,~a:~a"
                      user user (+ user 1) user)))
      '()))

;; Options that let builds run this system's programs.
(define %host-directories
  (filter-map (lambda (directory)
                (and (file-exists? directory)
                     (string-append "--chroot-directory=" directory)))
              '("/bin" "/lib" "/lib64" "/libexec" "/usr/bin" "/usr/lib")))

;; The shell that the recorded derivations run is not at hand.
(define %shell "/gnu/store/7rn2da2dnrdg09mla5zbsrg7jvz54hmr-sh")

(define (install-shell layout)
  "Make this system's shell an item of the store of @var{layout}, registered
as if it were @code{%shell}."
  (call-with-store layout
    (lambda (store)
      (let ((file (physical layout %shell)))
        (copy-file (canonicalize-path "/bin/sh") file)
        (chmod file #o555)
        (utime file 1 1)
        (register-items!
         store
         (list (path-info
                %shell
                "64b919eb8bd71aa86a8dce2bfec2105cac80d63b220f023950ee860013e0\
ce36"
                2340800)))))))

(define (await-readiness port)
  "Read what the daemon reports on PORT until it listens; raise an error if it
does not come so far."
  (let loop ((lines '()))
    (match (read-line port)
      ((? eof-object?)
       (error "the daemon did not start" (reverse lines)))
      (line
       (unless (string-contains line "listening")
         (loop (cons line lines)))))))

(define* (start-daemon root options #:optional (name "fruix-daemon")
                       #:key (limits '()))
  "Start a daemon under @var{root} with @var{options}, the name @var{name} and
@var{limits}, as for @code{spawn-process}; return its process, once it listens,
and a port with what it reports."
  (match (pipe)
    ((input . output)
     (let ((process (spawn-process %daemon
                                   `(,name
                                     ,(string-append "--root=" root)
                                     ,@options)
                                   #:output output #:error output
                                   #:limits limits)))
       (close-port output)
       (await-readiness input)
       (values process input)))))

(define (stop-daemon process output)
  "Ask the daemon to stop, and return its exit code and its last words."
  (kill-process process SIGTERM)
  (let* ((status (wait-process process))
         (words (get-string-all output)))
    (close-port output)
    (list (status:exit-val status) words)))

(define* (call-with-daemon proc #:key (options '()) (name "fruix-daemon")
                           (limits '()) (below "")
                           (prepare (const #t)) (stopped (const #t)))
  "Call @var{proc} with a daemon on a new root, the name of which ends with
@var{below}, started under @var{name} with @var{options} and @var{limits},
after @var{prepare} was called with its layout.  Return what @var{proc}
returned, after the daemon has stopped and @var{stopped} was called with its
exit code and what it wrote in the end."
  (call-with-temporary-directory
   (lambda (directory)
     (define root (string-append directory below))
     (prepare (make-layout #:root root))
     (call-with-values (lambda () (start-daemon root options name
                                               #:limits limits))
       (lambda (process output)
         (call-with-process process
           (lambda (process)
             (let ((result (proc (make-daemon (make-layout #:root root)
                                              process))))
               (apply stopped (stop-daemon process output))
               result))))))
   ;; Build users have to find their way to their sandbox.
   #:mode #o755))

(define* (connect-to daemon #:optional (socket-file layout-socket))
  "Return a new connection to @var{daemon}, to the socket that
@var{socket-file}, an accessor of its layout, names."
  (let ((port (socket AF_UNIX (logior SOCK_STREAM SOCK_CLOEXEC) 0)))
    (connect port AF_UNIX (socket-file (daemon-layout daemon)))
    (setvbuf port 'block 4096)
    port))

(define* (call-with-client daemon proc #:key (greet? #t))
  "Call @var{proc} with a new connection to @var{daemon}, after greetings if
@var{greet?} is true."
  (let ((port (connect-to daemon)))
    (dynamic-wind
      (const #t)
      (lambda ()
        (when greet?
          (greet port))
        (proc port))
      (lambda ()
        ;; The daemon may have closed it with our last words unread.
        (false-if-exception (force-output port))
        (close-port port)))))

(define (call-with-controller daemon proc)
  "Call @var{proc} with a procedure that sends its argument, a request, to the
control socket of @var{daemon}, and returns the reply."
  (let ((port (connect-to daemon layout-control-socket)))
    (dynamic-wind
      (const #t)
      (lambda ()
        (proc (lambda (request)
                (write-message port 'fruix-control request)
                (read-message port 'fruix-control-reply 65536))))
      (lambda () (close-port port)))))

(define* (add-script port name script #:key (environment '()) hash)
  "Add a derivation called @var{name} that runs @var{script} in this system's
shell to the store of the daemon on @var{port}; return its path.  The daemon
has to be started with @code{%host-directories}, after
@code{install-shell}.  @var{environment} is an alist of more variables;
@var{hash} is that of what it makes, a bytevector, if it is known."
  (call-with-values
      (lambda ()
        (make-derivation "/gnu/store" name %shell (list "-c" script)
                         #:sources (list %shell) #:hash hash
                         #:environment `(("PATH" . "/bin:/usr/bin")
                                         ,@environment)))
    (lambda (derivation drv text)
      (result-of port read-octets 8 (string-append name ".drv") text
                 (list %shell)))))

(define (start-build port drv)
  "Ask the daemon on @var{port} to build @var{drv}, and return the process id
of the builder, once it runs."
  (set-options port)
  (say port 9 (list drv) 0)
  (read-int port)                       ;a log message
  (string->number
   (last (string-tokenize (read-octets port)))))

(define (running? pid)
  "Return true if there is a process @var{pid} that has not ended."
  (catch 'system-error
    (lambda ()
      (case %platform
        ((linux)
         (not (string-contains (call-with-input-file
                                   (format #f "/proc/~a/status" pid)
                                 get-string-all)
                               "State:\tZ")))
        ((freebsd) (kill pid 0) #t)))
    (const #f)))

(define (open-descriptors daemon)
  "Return how many descriptors @var{daemon} has."
  (count-descriptors (process-id (daemon-process daemon))))

(define (threads daemon)
  "Return how many threads @var{daemon} has."
  (count-threads (process-id (daemon-process daemon))))

(define (alive? daemon)
  "Return true if @var{daemon} answers a new client."
  (call-with-client daemon
    (lambda (port)
      (boolean? (request port read-boolean 1
                         (string-append "/gnu/store/" (make-string 32 #\0)
                                        "-none"))))))


;;;
;;; A daemon in a script of its own, where nobody else sees what is mounted.
;;;

(define (can-run-apart?)
  "Return true if @code{run-apart} works."
  (and (eq? %platform 'linux)
       (zero? (getuid))
       (zero? (wait-process
               (spawn-process "unshare" '("unshare" "--mount" "true")
                              #:error #f)))))

(define (run-apart script . arguments)
  "Run the shell @var{script}, whose $0 is the daemon, with @var{arguments} in
a mount namespace of its own; return what it writes, as a list of lines."
  (match (pipe)
    ((input . output)
     (let ((process (spawn-process "unshare"
                                   `("unshare" "--mount" "sh" "-ec" ,script
                                     ,%daemon ,@arguments)
                                   #:output output #:error output)))
       (close-port output)
       (let ((text (get-string-all input)))
         (close-port input)
         (wait-process process)
         (string-split (string-trim-right text) #\newline))))))
