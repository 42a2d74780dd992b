;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What benchmarks run: a daemon on a root of its own, and programs; and the
;;; peer, a guix-daemon that does the same work in the same run, if there is
;;; one to compare with.
;;; Code:

(define-module (tests bench daemon)
  #:use-module (fruix client)
  #:use-module (fruix process)
  #:use-module (fruix store layout)
  #:use-module (srfi srfi-1)
  #:use-module (tests bench figures)
  #:use-module (tests daemon-support)
  #:use-module (tests support)
  #:export (current-peer
            call-with-bench-daemon
            compare-daemons
            compare-starts
            connect-client
            program
            run))

;; The file name of a guix-daemon, or #f.
(define current-peer (make-parameter #f))

(define (program name)
  "Return the file name of the benchmarks' own program @var{name}."
  (string-append (getenv "abs_top_builddir") "/tests/bench/" name))

(define (run name . arguments)
  "Run the program @var{name} with @var{arguments}; raise an error if it
fails."
  (let ((status (wait-process (spawn-process name (cons name arguments)))))
    (unless (zero? status)
      (error "program failed" name arguments status))))

(define (build-users count)
  "Return options that give a daemon which runs as root @var{count} users to
build as."
  (if (zero? (getuid))
      (list (string-append
             "--build-users="
             (string-join (map (lambda (n) (format #f "~a:35001" (+ 35001 n)))
                               (iota count))
                          ",")))
      '()))

(define (connect-client daemon)
  "Return a new connection of the client's to @var{daemon}."
  (let ((layout (daemon-layout daemon)))
    (open-connection (layout-socket layout) #:layout layout)))

(define* (call-with-client daemon jobs proc)
  "Call PROC with a connection to DAEMON, by which JOBS builds go on at a time,
and with DAEMON."
  (let ((connection (connect-client daemon)))
    (set-build-options connection #:max-jobs jobs
                       #:offload? #f #:use-substitutes? #f)
    (let ((result (parameterize ((current-build-output-port
                                  (%make-void-port "w")))
                    (proc connection daemon))))
      (close-connection connection)
      result)))

(define* (call-with-bench-daemon proc #:key (jobs 1))
  "Call @var{proc} with a connection to a new daemon that builds @var{jobs} at
a time, and with the daemon; return what it returned."
  (call-with-daemon
   (lambda (daemon)
     (call-with-client daemon jobs proc))
   #:options (cons (format #f "--max-jobs=~a" jobs) (build-users jobs))))


;;
;; The peer.
;;

(define* (start layout program arguments #:optional environment)
  "Start the daemon PROGRAM on LAYOUT with ARGUMENTS and ENVIRONMENT; return
its process, once it has welcomed a client."
  (let ((process (spawn-process program arguments
                                #:output #f #:error #f
                                #:environment environment)))
    (await-answer layout)
    process))

(define (await-answer layout)
  "Return once a daemon answers on the socket of LAYOUT, or fail after ten
seconds."
  (let loop ((left 10000))
    (or (catch #t
          (lambda ()
            (close-connection (open-connection (layout-socket layout)
                                               #:layout layout))
            #t)
          (lambda arguments
            (when (zero? left) (apply throw arguments))
            #f))
        (begin
          (usleep 1000)
          (loop (- left 1))))))

(define (start-ours layout)
  (start layout %daemon
         (list "fruix-daemon"
               (string-append "--root=" (layout-root layout)))))

(define (start-peer layout)
  (start layout (current-peer)
         (list "guix-daemon" "--no-substitutes" "--no-offload"
               (string-append "--listen=" (layout-socket layout)))
         (map (lambda (variable get)
                (string-append variable "=" (get layout)))
              '("NIX_STORE_DIR" "GUIX_STATE_DIRECTORY" "GUIX_LOG_DIRECTORY"
                "GUIX_CONFIGURATION_DIRECTORY")
              (list layout-store layout-state-directory
                    layout-log-directory
                    layout-configuration-directory))))

(define (call-with-our-layout proc)
  "Call PROC with a layout for a daemon of ours."
  (call-with-temporary-directory
   (lambda (directory) (proc (make-layout #:root directory)))
   #:mode #o755))

(define (call-with-peer-layout proc)
  "Call PROC with a layout for a peer, which knows no root."
  (call-with-temporary-directory
   (lambda (directory)
     (define (make name)
       (let ((name (string-append directory "/" name)))
         (mkdir name)
         name))
     (proc (make-layout #:store-directory (make "store")
                        #:state-directory (make "state")
                        #:log-directory (make "log")
                        #:configuration-directory (make "etc"))))
   #:mode #o755))

(define (call-with-peer proc jobs)
  "Do what call-with-bench-daemon does with the peer."
  (call-with-peer-layout
   (lambda (layout)
     (call-with-process (start-peer layout)
       (lambda (process)
         (call-with-client (make-daemon layout process) jobs proc))))))


;;
;; Both.
;;

(define (report-both ours peers)
  "Report the figures that the thunk OURS returns, a list of what @code{figure}
returns, and if there is a peer what PEERS returns, the same ones."
  (let ((figures (ours)))
    (if (current-peer)
        (for-each report-with-peer figures (peers))
        (for-each report-figure figures))))

(define* (compare-daemons measure #:key (jobs 1))
  "Call @var{measure} as @code{call-with-bench-daemon} does, and once more with
the peer if there is one.  Report the figures that it returns."
  (report-both (lambda () (call-with-bench-daemon measure #:jobs jobs))
               (lambda () (call-with-peer measure jobs))))

(define (compare-starts measure)
  "Call @var{measure} with a procedure that starts a daemon on a layout and
returns its process, and with a layout; once more with the peer if there is
one.  Report the figures that it returns."
  (report-both (lambda ()
                 (call-with-our-layout
                  (lambda (layout) (measure start-ours layout))))
               (lambda ()
                 (call-with-peer-layout
                  (lambda (layout) (measure start-peer layout))))))
