;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Two jobs side by side, each under a user of its own, get at their own
;;; files and at nothing else, for as long as both run.

(use-modules (fruix sandbox)
             (ice-9 match)
             (ice-9 threads)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests sandbox-support)
             (tests support))

(define %jobs '(35001 35002))

(define (peer job)
  (find (lambda (other) (not (= job other))) %jobs))

(define (work directory job)
  (format #f "~a/work-~a" directory job))

(define (make-work-directory directory job)
  "Make the directory of JOB, with a file that only JOB can read."
  (let* ((work (work directory job))
         (input (string-append work "/input")))
    (mkdir work #o755)
    (call-with-output-file input newline)
    (chmod input #o600)
    (chown input job job)
    (chown work job job)
    (mkdir (format #f "~a/root-~a" directory job))))

(define (job-sandbox directory job)
  (sandbox #:root (format #f "~a/root-~a" directory job)
           #:user job
           #:group job
           #:devices? #f
           #:proc? #f
           #:directories '(("/protected" #o755))
           #:mounts `((,(string-append directory "/store/item")
                       "/gnu/store/item" read-only)
                      (,(work directory job) "/own" read-write)
                      (,(work directory (peer job)) "/peer" read-only))
           #:directory "/own"))

(define (run-job directory job)
  "Return what JOB reports while it holds for 2 seconds, as an alist, and its
exit value."
  (call-with-values
      (lambda ()
        (output-in-sandbox (job-sandbox directory job) "/gnu/store/item/job"
                           (list "job" (test-program "job") "2")))
    (lambda (text status)
      (acons "exit" (status:exit-val status) (report text)))))

(define (run-jobs)
  "Run the jobs side by side; return what they report, and the seconds that
took."
  (call-with-sandbox-directory
   (lambda (directory)
     (for-each (lambda (job) (make-work-directory directory job)) %jobs)
     (let* ((start (get-internal-real-time))
            (reports (par-map (lambda (job) (run-job directory job)) %jobs)))
       (values reports
               (exact->inexact
                (/ (- (get-internal-real-time) start)
                   internal-time-units-per-second)))))))

(define (expected job)
  `(("exit" . 0)
    ("user" . ,(format #f "~a ~a" job job))
    ("group" . ,(format #f "~a ~a" job job))
    ("become root" . "Operation not permitted")
    ("read own file" . "done")
    ("write output" . "done")
    ("output" . ,(format #f "~a ~a 600" job job))
    ("read the peer's file" . "Permission denied")
    ("see a file of the host" . "No such file or directory")
    ("write where root may" . "Permission denied")
    ("give output to root" . "Operation not permitted")))

(define (test-job job facts)
  (for-each (match-lambda
              ((what . value)
               (test-equal (format #f "~a: ~a" job what) value
                 (assoc-ref facts what))))
            (expected job))
  (test-equal (format #f "~a: nothing else" job)
    (length (expected job))
    (length facts)))

(test-begin "privilege-drop")
(skip-unless (memq 'root %modes) "needs root and sandboxes")
(if (memq 'root %modes)
    (call-with-values run-jobs
      (lambda (reports seconds)
        (for-each test-job %jobs reports)
        (test-assert "two jobs of 2 s take about 2 s together"
          (<= 2 seconds 3.5))))
    (test-assert "two jobs side by side" #f))
(test-end "privilege-drop")
