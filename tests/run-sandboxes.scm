;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Run programs in sandboxes, for tests that need another process:
;;; run-sandboxes.scm FILE, FILE holding a list of (HOW SANDBOX PROGRAM
;;; ARGUMENT...).  HOW is
;;;
;;;   alone     for a sandbox that is made for it
;;;   bare      the same, and the host does nothing for it
;;;   open      for one that is opened first
;;;   crowded   alone, by a process with many descriptors, and not allowed so
;;;             many any more
;;;
;;; Write what came of each: (ran EXIT-VALUE OUTPUT), or (refused STEP ERRNO);
;;; and then whether this process is as it was before.
;;; Code:

(use-modules (fruix sandbox)
             (ice-9 match)
             (srfi srfi-1)
             (tests sandbox-support))

(define (output-in-bare-sandbox box program arguments)
  (output-of (lambda (out) (start-alone box program arguments out))))

(define (output-in-crowd box program arguments)
  (define-values (soft hard) (getrlimit 'nofile))
  (define crowd (map (lambda (fd) (dup->fdes 0 fd)) (iota 300 300)))
  (dynamic-wind
    (lambda () (setrlimit 'nofile 128 hard))
    (lambda () (output-in-sandbox box program arguments))
    (lambda ()
      (setrlimit 'nofile soft hard)
      (for-each close-fdes crowd))))

(define run
  (match-lambda
    ((how box program . arguments)
     (call-with-values
         (lambda ()
           ((match how
              ('alone output-in-sandbox)
              ('bare output-in-bare-sandbox)
              ('open output-in-open-sandbox)
              ('crowded output-in-crowd))
            (sexp->sandbox box) program arguments))
       (lambda (output status)
         `(ran ,(or (status:exit-val status) (status:term-sig status))
               ,output))))))

(define (outcome description)
  (let* ((result #f)
         (fault (fault-of (lambda () (set! result (run description))))))
    (match fault
      (#f result)
      ((step errno _) `(refused ,step ,errno)))))

(match (command-line)
  ((_ file)
   (let* ((before (process-state))
          (outcomes (map outcome (call-with-input-file file read))))
     (write (list outcomes (equal? before (process-state)))))))
