;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What benchmarks run: a daemon on a root of its own, and programs.
;;; Code:

(define-module (tests bench daemon)
  #:use-module (fruix client)
  #:use-module (fruix process)
  #:use-module (fruix store layout)
  #:use-module (tests daemon-support)
  #:export (call-with-bench-daemon
            connect-client
            program
            run))

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

(define* (call-with-bench-daemon proc #:key (jobs 1))
  "Call @var{proc} with a connection to a new daemon that builds @var{jobs} at
a time, and with the daemon."
  (call-with-daemon
   (lambda (daemon)
     (let ((connection (connect-client daemon)))
       (set-build-options connection #:max-jobs jobs)
       (parameterize ((current-build-output-port (%make-void-port "w")))
         (proc connection daemon))
       (close-connection connection)))
   #:options (cons (format #f "--max-jobs=~a" jobs) (build-users jobs))))
