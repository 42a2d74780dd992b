;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; A failing case fails the run: what the drivers tell Automake.

(use-modules (fruix process)
             (ice-9 textual-ports)
             (srfi srfi-1)
             (srfi srfi-64))

(define %source (getenv "abs_top_srcdir"))
(define %build (getenv "abs_top_builddir"))
(define %directory (mkdtemp "/tmp/fruix-harness-XXXXXX"))

(define (scratch name)
  (string-append %directory "/" name))

(define (results . arguments)
  "Run the driver as Automake does, on @var{arguments}; return its exit code,
its verdict, and the results of the test cases."
  (let* ((trs (scratch "trs"))
         (driver (string-append %source "/build-aux/log-driver"))
         (status (wait-process
                  (spawn-process "sh"
                                 `("sh" ,driver "--test-name" "trial"
                                   "--log-file" ,(scratch "log")
                                   "--trs-file" ,trs "--color-tests" "no"
                                   "--expect-failure" "no"
                                   "--enable-hard-errors" "yes"
                                   "--" ,@arguments))))
         (lines (string-split (call-with-input-file trs get-string-all)
                              #\newline)))
    (define (values-of field)
      (filter-map (lambda (line)
                    (and (string-prefix? field line)
                         (string-drop line (string-length field))))
                  lines))
    (cons (status:exit-val status)
          (append (values-of ":global-test-result: ")
                  (values-of ":test-result: ")))))

(define (scheme-results . forms)
  "Return the @code{results} of a test file made of @var{forms}."
  (call-with-output-file (scratch "trial.scm")
    (lambda (port)
      (for-each (lambda (form) (write form port)) forms)))
  (results (scratch "trial.scm")))

(define %unit (string-append %build "/tests/unit"))

(test-begin "harness")

(test-equal "a file whose cases pass passes"
  '(0 "PASS" "PASS right")
  (scheme-results '(use-modules (srfi srfi-64))
                  '(test-begin "trial")
                  '(test-assert "right" #t)
                  '(test-end "trial")))

(test-equal "one failing case among others fails the file"
  '(0 "FAIL" "PASS right" "FAIL wrong" "PASS right again")
  (scheme-results '(use-modules (srfi srfi-64))
                  '(test-begin "trial")
                  '(test-assert "right" #t)
                  '(test-equal "wrong" 1 2)
                  '(test-assert "right again" #t)
                  '(test-end "trial")))

(test-equal "an exception in a case fails the file"
  '(0 "FAIL" "FAIL raises")
  (scheme-results '(use-modules (srfi srfi-64))
                  '(test-begin "trial")
                  '(test-assert "raises" (error "no"))
                  '(test-end "trial")))

(test-equal "an exception between cases is an error"
  '(0 "ERROR" "PASS right" "ERROR trial (exit status 1)")
  (scheme-results '(use-modules (srfi srfi-64))
                  '(test-begin "trial")
                  '(test-assert "right" #t)
                  '(error "no")
                  '(test-end "trial")))

(test-equal "a file that exits early is an error"
  '(0 "ERROR" "PASS right" "ERROR trial (exit status 1)")
  (scheme-results '(use-modules (srfi srfi-64))
                  '(test-begin "trial")
                  '(test-assert "right" #t)
                  '(exit 0)))

(test-equal "a file without cases is an error"
  '(0 "ERROR" "ERROR trial (exit status 0)")
  (scheme-results))

(test-equal "a skipped case is told with its reason"
  '(0 "SKIP" "SKIP privileged (needs root)")
  (scheme-results '(use-modules (srfi srfi-64))
                  '(test-begin "trial")
                  '(test-runner-aux-value! (test-runner-current) "needs root")
                  '(test-skip 1)
                  '(test-assert "privileged" #f)
                  '(test-end "trial")))

(unless (file-exists? %unit)
  (test-runner-aux-value! (test-runner-current) "needs Boost.Test")
  (test-skip 3))

(test-equal "a passing Boost case passes"
  '(0 "PASS" "PASS base/a_descriptor_has_one_owner")
  (results %unit "--run_test=base/a_descriptor_has_one_owner"))

(test-equal "a failing Boost case fails the program"
  '(0 "FAIL" "FAIL fails_when_asked")
  (results %unit "--run_test=fails_when_asked"))

(test-equal "a Boost program that runs nothing is an error"
  '(0 "ERROR" "ERROR trial (exit status 200)")
  (results %unit "--run_test=no_such_case"))

(test-equal "a program that crashes is an error"
  '(0 "ERROR" "ERROR trial (exit status 139)")
  ;; Or FreeBSD's shell takes what follows for its own options.
  (results "sh" "-c" "kill -SEGV $$" "sh"))

(for-each (lambda (name) (delete-file (scratch name)))
          '("log" "trial.scm" "trs"))
(rmdir %directory)

(test-end "harness")
