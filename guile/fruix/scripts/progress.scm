;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Builds as people want to watch them: a line when one ends, and, on a
;;; terminal, a last line that says what runs and for how long.  Of a failed
;;; build the end of its log is shown.
;;;
;;; What builders write is not trusted: control characters, which would steer
;;; the terminal, are not printed.
;;; Code:

(define-module (fruix scripts progress)
  #:use-module (fruix client connection)
  #:use-module (fruix client trace)
  #:use-module (fruix octets)
  #:use-module (fruix scripts text)
  #:use-module (ice-9 format)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:export (call-with-progress))

(define-record-type <watch>
  (make-watch port terminal? verbosity builds)
  watch?
  (port      watch-port)                      ;where to print
  (terminal? watch-terminal?)                 ;whether that is a terminal
  (verbosity watch-verbosity)                 ;0 failures, 1 builds, 2 output
  (builds    watch-builds set-watch-builds!)) ;<build>s that run, latest first

(define-record-type <build>
  (make-build drv pid log-file since line tail)
  build?
  (drv      build-drv)                        ;file name
  (pid      build-pid)                        ;integer: of the builder
  (log-file build-log-file)                   ;file name, or ""
  (since    build-since)                      ;seconds since the Epoch
  (line     build-line set-build-line!)       ;octets: unfinished line
  (tail     build-tail set-build-tail!))      ;last lines, latest first

;; Lines of a failed build's log to show.
(define %tail-length 10)

(define (elapsed build)
  (duration->text (max 0 (- (current-time) (build-since build)))))


;;
;; Printing.
;;

(define (columns)
  "Return the width of the terminal."
  (match (and=> (getenv "COLUMNS") string->number)
    ((? (lambda (number) (and (exact-integer? number) (> number 2)))
        number)
     number)
    (_ 80)))

(define (status-line builds)
  (let* ((text (string-join (map (lambda (build)
                                   (string-append
                                    (item-name (build-drv build)) " "
                                    (elapsed build)))
                                 (reverse builds))
                            ", " 'infix))
         (line (string-append "building " text)))
    (if (< (string-length line) (columns))
        line
        (string-append (string-take line (- (columns) 2)) "…"))))

(define (clear-status watch)
  (when (watch-terminal? watch)
    (display "\r\x1b[K" (watch-port watch))))

(define (paint-status watch)
  (when (and (watch-terminal? watch)
             (positive? (watch-verbosity watch)))
    (clear-status watch)
    (unless (null? (watch-builds watch))
      (display (status-line (watch-builds watch)) (watch-port watch)))
    (force-output (watch-port watch))))

(define (say watch template . arguments)
  (clear-status watch)
  (display (printable (apply format #f template arguments))
           (watch-port watch))
  (newline (watch-port watch))
  (paint-status watch)
  (force-output (watch-port watch)))


;;
;; Events.
;;

(define (find-build watch drv)
  (find (lambda (build) (string=? drv (build-drv build)))
        (watch-builds watch)))

(define (remove-build! watch build)
  (set-watch-builds! watch (delq build (watch-builds watch))))

(define (started watch drv log-file pid)
  (set-watch-builds! watch
                     (cons (make-build drv pid log-file (current-time) "" '())
                           (watch-builds watch)))
  (if (watch-terminal? watch)
      (paint-status watch)
      (when (positive? (watch-verbosity watch))
        (say watch "building ~a" drv))))

(define (end-line watch build octets)
  (let* ((line (octets->text octets))
         (tail (cons line (build-tail build))))
    (set-build-tail! build (if (> (length tail) %tail-length)
                               (drop-right tail 1)
                               tail))
    (when (> (watch-verbosity watch) 1)
      (say watch "~a> ~a" (item-name (build-drv build)) line))))

(define (wrote watch pid bytes)
  (let ((build (find (lambda (build) (eqv? pid (build-pid build)))
                     (watch-builds watch))))
    (when build
      (match (string-split (string-append (build-line build)
                                          (bytevector->octets bytes))
                           #\newline)
        ((lines ... rest)
         (for-each (lambda (line) (end-line watch build line)) lines)
         (set-build-line! build rest))))))

(define (succeeded watch drv)
  (let ((build (find-build watch drv)))
    (when build
      (remove-build! watch build)
      (when (positive? (watch-verbosity watch))
        (say watch "built ~a in ~a" drv (elapsed build))))))

(define (show-tail watch build)
  (unless (string-null? (build-line build))
    (end-line watch build (build-line build)))
  (unless (or (null? (build-tail build))
              (> (watch-verbosity watch) 1))
    (say watch "the last lines of its log:")
    (for-each (lambda (line) (say watch "  ~a" line))
              (reverse (build-tail build))))
  (unless (string-null? (build-log-file build))
    (say watch "its log: ~a" (build-log-file build))))

(define (failed watch drv reason)
  (let ((build (find-build watch drv)))
    (if build
        (begin
          (remove-build! watch build)
          (say watch "failed ~a after ~a" drv (elapsed build))
          (show-tail watch build))
        (say watch "failed ~a" drv))
    (match reason
      ("timeout" (say watch "it took too long"))
      ("cached" (say watch "it failed earlier"))
      (_ #t))))

(define (handle watch event)
  (match event
    (('build-started drv _ log-file pid) (started watch drv log-file pid))
    (('build-log pid bytes) (wrote watch pid bytes))
    (('build-succeeded drv) (succeeded watch drv))
    (('build-failed drv reason) (failed watch drv reason))
    (('text line)
     (when (positive? (watch-verbosity watch))
       (say watch "~a" line)))
    (_ #t)))

(define* (call-with-progress thunk #:key (verbosity 1)
                             (port (current-error-port)))
  "Call @var{thunk}, telling on @var{port} of the builds that the daemon runs
meanwhile; return what it returns.  @var{verbosity} is 0 for failures only, 1
for all builds, and 2 for what builders write as well."
  (define watch
    (make-watch port (isatty? port) verbosity '()))
  (define output
    (open-trace-port (lambda (event) (handle watch event))))
  (dynamic-wind
    (const #t)
    (lambda ()
      (parameterize ((current-build-output-port output)
                     (current-idle-procedure
                      (and (watch-terminal? watch)
                           (lambda () (paint-status watch)))))
        (thunk)))
    (lambda ()
      (close-port output)
      (clear-status watch)
      (force-output port))))
