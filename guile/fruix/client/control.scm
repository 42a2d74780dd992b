;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Questions to the second socket of a Fruix daemon, and what can be answered
;;; without it when the daemon is another one.
;;; Code:

(define-module (fruix client control)
  #:use-module (fruix client connection)
  #:use-module (fruix client queries)
  #:use-module (fruix client socket)
  #:use-module (fruix control wire)
  #:use-module (fruix errors)
  #:use-module (fruix store layout)
  #:use-module ((fruix store path) #:select (derivation-path?))
  #:use-module (ice-9 match)
  #:use-module ((srfi srfi-1) #:select (append-map find))
  #:export (query-control
            log-file))

;; Bytes of the longest reply.
(define %reply-limit (* 16 1024 1024))

(define (query-control file request)
  "Ask the Fruix daemon whose control socket is @var{file} for @var{request}, a
datum such as @code{(ps)}, and return the body of its reply.  What it refuses,
or that there is no such daemon, raises a @code{&fruix-error}."
  (call-with-closing-port (open-socket file)
    (lambda (port)
      (match (call-while-connected
              (lambda ()
                (write-message port 'fruix-control request)
                (read-message port 'fruix-control-reply %reply-limit)))
        (('error message) (fail "~a" message))
        ((? pair? body) body)
        (_ (fail "the daemon does not answer on its control socket"))))))

(define (log-files/control control path)
  (match (query-control control `(log-file ,path))
    (('log-file . files) files)))

(define (log-files/directory connection path)
  "Like @code{log-files/control}, asking the daemon of CONNECTION for derivers
and looking for their logs."
  (map (lambda (drv)
         (log-file-name (connection-layout connection) drv))
       (if (derivation-path? path)
           (list path)
           (valid-derivers connection path))))

(define (log-file connection path)
  "Return the name of the file with the log of the build of @var{path}, a .drv
or an output of one, or false if there is none.  It may be compressed."
  (let ((control (connection-control connection)))
    (define (existing files)
      (find file-exists? files))
    (if (and control (file-exists? control))
        (existing (log-files/control control path))
        (existing (append-map (lambda (file)
                                (list file (string-drop-right file 3)))
                              (log-files/directory connection path))))))
