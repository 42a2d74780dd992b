;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The command fruix-daemon: from its options to a running daemon.
;;;
;;; Called as guix-daemon it says that it is that, since service files, test
;;; suites and scripts look at the name and the version.
;;; Code:

(define-module (fruix scripts fruix-daemon)
  #:use-module (fruix config)
  #:use-module (fruix daemon addresses)
  #:use-module (fruix daemon listening)
  #:use-module (fruix errors)
  #:use-module (fruix scripts command-line)
  #:use-module (fruix scripts daemon-options)
  #:autoload   (fruix scripts service) (serve)
  #:use-module (fruix store layout)
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 format)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:export (main))

(define %usage-error 64)                ;EX_USAGE of sysexits.h

(define (program-name)
  (basename (first (command-line))))

(define (version-text)
  (if (string=? (program-name) "guix-daemon")
      (format #f "guix-daemon (GNU Guix) ~a~%provided by Fruix ~a~%"
              %guix-version %version)
      (format #f "fruix-daemon (Fruix) ~a~%" %version)))

(define (tell what)
  (display (match what
             ('help (daemon-help (program-name)))
             ('usage (daemon-usage (program-name)))
             ('version (version-text)))))

(define (warn template . arguments)
  (format (current-error-port) "~a: warning: ~?~%"
          (program-name) template arguments))

(define (directory text)
  (when (string-null? text)
    (fail "--root: `' is not the name of a directory"))
  (if (absolute-file-name? text)
      text
      (string-append (getcwd) "/" text)))

(define (addresses results layout)
  (match (option-values results 'listen)
    (() `((unix ,(layout-socket layout))))
    (texts (map parse-address texts))))

(define (start results)
  (let ((layout (layout-from-environment
                 #:root (and=> (option-value results 'root) directory))))
    (call-with-listeners (addresses results layout)
                         (layout-control-socket layout) warn
      (lambda (listeners)
        ;; This loads all the rest.
        (serve results layout listeners (program-name) warn)))))

(define (complain-of-usage exception)
  (format (current-error-port) "~a: ~a~%~
Try `~a --help' or `~a --usage' for more information.~%"
          (program-name) (exception->text exception)
          (program-name) (program-name)))

(define (main arguments)
  "Run the daemon that @var{arguments}, the command line without the program's
name, ask for, until a signal ends it.  Return the exit code: 0, or 1 if it
could not start, 64 if the arguments make no sense."
  (guard (exception ((usage-error? exception)
                     (complain-of-usage exception)
                     %usage-error)
                    ((or (fruix-error? exception)
                         (eq? (exception-kind exception) 'system-error))
                     (format (current-error-port) "~a: error: ~a~%"
                             (program-name) (exception->text exception))
                     1))
    (let ((results (parse-daemon-options arguments)))
      (match (option-value results 'tell)
        (#f (start results))
        (what (tell what)))
      0)))
