;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What a sandbox costs: making it, running next to nothing in it, and
;;; closing it again, with 0, 100 and 500 read-only mounts.  The floor runs
;;; the same program in the same kinds of namespaces, from a small process,
;;; with as many mounts by mount(2).
;;; Code:

(define-module (tests bench sandboxes)
  #:use-module (fruix sandbox)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:use-module (tests bench daemon)
  #:use-module (tests bench figures)
  #:use-module (tests support)
  #:export (bench-sandboxes))

(define (make-box directory mounts . options)
  "Return a sandbox in DIRECTORY where the builder is, with MOUNTS more."
  (apply sandbox
         #:root (string-append directory "/root")
         #:mounts `((,(string-append directory "/bin") "/bin" read-only)
                    ,@(map (lambda (i)
                             (list "/usr" (format #f "/gnu/store/~a" i)
                                   'read-only))
                           (iota mounts)))
         #:environment '("out=/tmp/out")
         (append options
                 (if (zero? (getuid))
                     '(#:user 35001 #:group 35001)
                     `(#:mapping ((uid 30001 . ,(getuid))
                                  (gid 30000 . ,(getgid))))))))

(define (call-with-directory proc)
  (call-with-temporary-directory
   (lambda (directory)
     (define bin (string-append directory "/bin"))
     (mkdir (string-append directory "/root"))
     (mkdir bin)
     (copy-file (program "builder") (string-append bin "/builder"))
     (chmod (string-append bin "/builder") #o555)
     (setenv "out" (string-append directory "/out"))
     (proc directory))
   #:mode #o755))

(define (repeat count thunk)
  (do ((i 0 (+ i 1)))
      ((= i count))
    (thunk)))

(define (run-one box)
  (run-in-sandbox box '("/bin/builder") #:input #f))

(define (floor-rate count mounts)
  (per-second count
              (lambda ()
                (run (program "floor") (number->string count) "1"
                     (number->string mounts) (program "builder")))))

(define (rate count box run-box)
  (per-second count (lambda () (repeat count (lambda () (run-box box))))))

(define (bench-mounts directory mounts count)
  "Report how many sandboxes with MOUNTS a second are made, used and closed;
return the seconds that one takes."
  (let* ((box (make-box directory mounts #:devices? #f #:proc? #f))
         (rate (rate count box run-one)))
    (report (format #f "sandboxes with ~a mounts" mounts) rate "/s"
            (floor-rate count mounts))
    (/ 1 rate)))

(define (bench-sandboxes)
  "Report what sandboxes cost."
  (call-with-directory
   (lambda (directory)
     (define plain (make-box directory 0 #:devices? #f #:proc? #f))
     (run-one plain)                    ;warm up
     (match (map (lambda (mounts count)
                   (bench-mounts directory mounts (scaled count)))
                 '(0 100 500) '(300 100 50))
       ((none _ many)
        (report "each further mount" (* 1e6 (/ (- many none) 500)) "us")))
     (report "sandboxes with devices and /proc"
             (rate (scaled 200) (make-box directory 0) run-one) "/s"
             (floor-rate (scaled 200) 0))
     (report "sandboxes that are opened, entered and closed"
             (rate (scaled 200) plain
                   (lambda (box) (call-with-sandbox box run-one)))
             "/s"
             (floor-rate (scaled 200) 0))
     (call-with-sandbox plain
       (lambda (open)
         (report "programs in an open sandbox"
                 (rate (scaled 300) open run-one) "/s"
                 (floor-rate (scaled 300) 0)))))))
