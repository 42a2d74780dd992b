;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Run one file of SRFI-64 tests: test-driver.scm FILE RESULTS.
;;;
;;; SRFI-64's own runner exits with 0 whatever failed.  This one writes a
;;; ':test-result:' line for each case to the file RESULTS, as soon as it is
;;; known, and exits with 0 if all is well, 201 if a case failed, 1 if FILE
;;; raised an exception outside of its cases or ended too early.  A test says
;;; why it skips cases by setting the runner's auxiliary value.
;;; Code:

(use-modules (fruix thread)
             (ice-9 match)
             (srfi srfi-64))

(define (case-name runner)
  "Return the name of the current case of @var{runner}, with the reason if it
is skipped."
  (let ((name (test-runner-test-name runner))
        (reason (test-runner-aux-value runner)))
    (if (and (eq? (test-result-kind runner) 'skip) (string? reason))
        (string-append name " (" reason ")")
        name)))

(define (make-reporting-runner results)
  "Return a runner that writes each result to the port @var{results}."
  (define (report runner)
    (let ((kind (string-upcase
                 (symbol->string (test-result-kind runner))))
          (name (case-name runner)))
      (format results ":test-result: ~a ~a~%" kind name)
      (format #t "~a: ~a~%" kind name)
      (when (member kind '("FAIL" "XPASS"))
        (for-each (match-lambda
                    ((key . value) (format #t "  ~a: ~s~%" key value)))
                  (test-result-alist runner)))))
  (let ((runner (test-runner-null)))
    (test-runner-on-test-end! runner report)
    runner))

(define (returns? thunk)
  "Call @var{thunk}; return true if it returned, false after printing what it
raised."
  (catch #t
    (lambda () (thunk) #t)
    (lambda (key . args)
      (print-exception (current-output-port) #f key args)
      #f)
    (lambda _
      (display-backtrace (make-stack #t 2) (current-output-port)))))

(define (exit-code runner)
  "Return what to exit with after @var{runner} ran a whole file."
  (cond ((pair? (test-runner-group-stack runner)) 1)
        ((positive? (+ (test-runner-fail-count runner)
                       (test-runner-xpass-count runner)))
         201)
        (else 0)))

(match (command-line)
  ((_ file results)
   (let ((runner (make-reporting-runner (open-file results "wl"))))
     (setvbuf (current-output-port) 'line)
     (reserve-stack!)
     ;; Threads that a failed test left behind must not keep us.
     (primitive-_exit
      (if (returns? (lambda ()
                      (test-with-runner runner
                        (primitive-load (canonicalize-path file)))))
          (exit-code runner)
          1)))))
