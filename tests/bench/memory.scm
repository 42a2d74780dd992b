;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; How much memory the daemon takes, and each connection: its resident set.
;;; Code:

(define-module (tests bench memory)
  #:use-module (fruix client)
  #:use-module ((fruix process) #:select (process-id))
  #:use-module (ice-9 rdelim)
  #:use-module (ice-9 regex)
  #:use-module (srfi srfi-1)
  #:use-module (tests bench daemon)
  #:use-module (tests bench figures)
  #:use-module ((tests daemon-support) #:select (daemon-process))
  #:export (bench-memory))

;; What each connection asks about.
(define %item
  (string-append "/gnu/store/" (make-string 32 #\0) "-item"))

(define (resident pid)
  "Return the size of the resident set of the process PID in MiB."
  (call-with-input-file (format #f "/proc/~a/status" pid)
    (lambda (port)
      (let ((line (find (lambda (line) (string-prefix? "VmRSS:" line))
                        (string-split (read-string port) #\newline))))
        (/ (string->number (match:substring (string-match "[0-9]+" line)))
           1024.)))))

(define (bench-memory)
  "Report the memory of an idle daemon, and what connections add to it."
  (call-with-bench-daemon
   (lambda (_ daemon)
     (let* ((count (scaled 100))
            (pid (process-id (daemon-process daemon)))
            (idle (resident pid))
            (connections (map (lambda (_) (connect-client daemon))
                              (iota count))))
       (for-each (lambda (connection) (valid-path? connection %item))
                 connections)
       (report "memory of the idle daemon" idle "MiB")
       (report "memory of a connection" (/ (- (resident pid) idle) count)
               "MiB")
       (for-each close-connection connections)))))
