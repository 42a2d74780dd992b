;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Automake's driver for SRFI-64 tests: one '.trs' line a test case.
;;;
;;; A driver rather than a plain interpreter, since SRFI-64's own runner exits
;;; with 0 whatever failed.  It reports through the '.trs' file and itself
;;; exits with 0, as Automake wants; an exception outside a test case, or a
;;; file without any, is an ERROR.
;;; Code:

(use-modules (ice-9 format)
             (ice-9 getopt-long)
             (ice-9 match)
             (srfi srfi-64))

(define %options
  (map (lambda (name) `(,name (value #t)))
       '(test-name log-file trs-file color-tests expect-failure
         enable-hard-errors collect-skipped-logs)))

(define (result-name kind)
  (string-upcase (symbol->string kind)))

(define (make-reporting-runner trs)
  "Return a runner that writes each result to the port @var{trs}, and a thunk
that returns the results so far, latest first, as symbols."
  (define results '())
  (define runner (test-runner-null))
  (define (report runner)
    (let ((kind (test-result-kind runner))
          (name (test-runner-test-name runner)))
      (set! results (cons kind results))
      (format trs ":test-result: ~a ~a~%" (result-name kind) name)
      (format #t "~a: ~a~%" (result-name kind) name)
      (when (memq kind '(fail xpass))
        (for-each (match-lambda
                    ((key . value) (format #t "  ~a: ~s~%" key value)))
                  (test-result-alist runner)))))
  (test-runner-on-test-end! runner report)
  (values runner (lambda () results)))

(define (overall results)
  "Return the one word for @var{results}, a list of symbols."
  (cond ((null? results) 'error)
        ((or (memq 'fail results) (memq 'xpass results)) 'fail)
        ((memq 'pass results) 'pass)
        (else 'skip)))

(define (call-reporting-crash thunk)
  "Call @var{thunk}; return true if it returned, false after printing what it
raised."
  (catch #t
    (lambda () (thunk) #t)
    (lambda (key . args)
      (print-exception (current-output-port) #f key args)
      #f)
    (lambda _
      (display-backtrace (make-stack #t 2) (current-output-port)))))

(define (main arguments)
  (let* ((options (getopt-long arguments %options))
         (option (lambda (name) (option-ref options name #f)))
         (file (car (option-ref options '() '())))
         (log (open-file (option 'log-file) "w0"))
         (trs (open-file (option 'trs-file) "wl"))
         (console (duplicate-port (current-output-port) "wl")))
    (redirect-port log (current-output-port))
    (redirect-port log (current-error-port))
    (call-with-values (lambda () (make-reporting-runner trs))
      (lambda (runner results)
        (let* ((name (option 'test-name))
               (finished? (call-reporting-crash
                           (lambda ()
                             (test-with-runner runner
                               (primitive-load (canonicalize-path file))))))
               (verdict (if finished? (overall (results)) 'error)))
          (when (eq? verdict 'error)
            (format trs ":test-result: ERROR ~a~%" name))
          (format trs ":global-test-result: ~a~%" (result-name verdict))
          (format trs ":recheck: ~a~%:copy-in-global-log: ~:*~a~%"
                  (if (memq verdict '(fail error)) "yes" "no"))
          (format console "~a: ~a~%" (result-name verdict) name)
          (for-each force-output
                    (list console trs (current-output-port)
                          (current-error-port)))
          (primitive-_exit 0))))))
