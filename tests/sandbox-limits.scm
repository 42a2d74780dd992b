;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Limits on what runs in a sandbox hold for a greedy program, whether a
;;; cgroup keeps them or not; and it is said if they are not what was asked.

(use-modules (fruix config)
             (fruix sandbox)
             (fruix sandbox cgroup)
             (fruix sandbox spec)
             (ice-9 match)
             (ice-9 rdelim)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests sandbox-support)
             (tests support))

(define %megabyte (expt 2 20))

;;; What is planned, on any system.

(define (limited . limits)
  (sandbox #:root "/box" #:user 35001 #:group 35002 #:limits limits))

(define (test-plans)
  (define both (limited '(memory . 1000) '(processes . 10)))
  (define (shortcomings box system . facts)
    (sandbox-shortcomings box #:system system #:facts facts))
  (test-equal "what limits lack without a cgroup, or rctl"
    '(("memory limit of 1000 bytes holds for the data of each process, \
not for all together: no cgroup is delegated"
       "process limit of 10 holds for all that the user runs anywhere: \
no cgroup is delegated")
      ()
      ("memory limit of 1000 bytes holds for the address-space of each \
process, not for all together: the kernel has no rctl"
       "process limit of 10 holds for all that the user runs anywhere: \
the kernel has no rctl")
      ())
    (list (shortcomings both 'linux)
          (shortcomings both 'linux '(cgroup . "/cg"))
          (shortcomings both 'freebsd)
          (shortcomings both 'freebsd '(rctl . #t))))
  (test-equal "limits on each process lack nothing"
    '(() ())
    (map (lambda (system)
           (shortcomings (limited '(open-files . 20) '(storage . 5000))
                         system))
         '(linux freebsd)))
  (test-equal "memory is no limit if it can go to disk"
    '("memory.max" "memory.swap.max")
    (filter-map (match-lambda
                  (("cgroup-limit" _ file _) file)
                  (_ #f))
                (assq-ref (sandbox-plan (limited '(memory . 1000))
                                        #:system 'linux
                                        #:facts '((cgroup . "/cg")
                                                  (swap . #t)))
                          'host)))
  (test-equal "a limit on the processes of root without a cgroup"
    '(#f #f "sandbox: limits: processes: as root, and no cgroup is delegated")
    (fault-of (lambda ()
                (sandbox-plan (sandbox #:root "/box"
                                       #:limits '((processes . 10))
                                       #:mapping '((uid 30001 . 0)
                                                   (gid 30000 . 0)))
                              #:system 'linux #:facts '())))))

;;; What a greedy program gets.

(define (greedy how box megabytes processes)
  "Return a use of BOX, with HOW as for run-sandboxes.scm."
  `(,how ,box "/gnu/store/item/glutton" "glutton"
         ,(number->string megabytes) ,(number->string processes)))

(define (what-it-got outcome)
  "Return megabytes, processes and why there were no more, as strings."
  (match outcome
    (('ran 0 text)
     (map (lambda (key) (assoc-ref (report text) key))
          '("megabytes" "processes")))
    (_ outcome)))

(define (lonely-sandbox mode directory)
  "Return a sandbox whose user runs nothing else; for rootless ones the kernel
counts by namespace."
  (let ((box (simple-sandbox mode directory)))
    (if (eq? mode 'root)
        (with-field box 'user (+ 100000 (getpid)))
        box)))

(define (test-substitutes mode)
  "Test limits that each process keeps itself."
  (call-with-sandbox-directory
   (lambda (directory)
     (define box (lonely-sandbox mode directory))
     (define (use limits megabytes processes)
       (greedy 'bare (with-field box 'limits limits) megabytes processes))
     (match (outcomes-in-mode
             mode directory
             (list (use '() 100 20)
                   (use `((memory . ,(* 64 %megabyte))) 100 0)
                   (use '((processes . 10)) 0 20)
                   (use '((processes . 10)) 0 9)))
       ((all memory processes few)
        (test-equal (format #f "~a: no limits" mode)
          '("100 all" "20 all")
          (what-it-got all))
        (test-assert (format #f "~a: memory" mode)
          (match (what-it-got memory)
            ((memory _)
             (match (string-tokenize memory)
               ((megabytes "ENOMEM")
                (< 48 (string->number megabytes) 64))
               (_ #f)))
            (_ #f)))
        (test-equal (format #f "~a: processes, itself among them" mode)
          '("0 all" "9 EAGAIN")
          (what-it-got processes))
        (test-equal (format #f "~a: those that may be there" mode)
          '("0 all" "9 all")
          (what-it-got few)))))))

;;; What is said.

(define (warnings thunk)
  "Return the lines that THUNK writes to the warning port."
  (report
   (call-with-output-string
     (lambda (port)
       (parameterize ((current-warning-port port))
         (thunk))))))

(define (test-warnings mode)
  (call-with-sandbox-directory
   (lambda (directory)
     (define (box . limits)
       (with-field (simple-sandbox mode directory) 'limits limits))
     (define (shortcomings box)
       (match (sandbox-shortcomings box)
         (() '(("" . "")))
         (texts (map (lambda (text) (cons "fruix" text)) texts))))
     (for-each
      (lambda (box)
        (test-equal (format #f "~a: shortcomings are told: ~a" mode
                            (sandbox-shortcomings box))
          (list (shortcomings box) (shortcomings box))
          (list (warnings
                 (lambda ()
                   (run-in-sandbox box '("glutton" "0" "0")
                                   #:program "/gnu/store/item/glutton"
                                   #:output #f)))
                (warnings
                 (lambda () (call-with-sandbox box (const #t)))))))
      (list (box)
            (box `(memory . ,(* 64 %megabyte)))
            (box '(open-files . 20)))))))

;;; What a cgroup keeps.

(define-syntax-rule (test-controller controller name expected actual)
  "Test that ACTUAL is EXPECTED, where cgroups with CONTROLLER can be made."
  (begin
    (unless (delegated-cgroup (list controller))
      (test-runner-aux-value! (test-runner-current)
                              (format #f "no cgroup is delegated with the \
controller ~a" controller))
      (test-skip 1))
    (test-equal (string-append "by a cgroup: " name) expected actual)))

(define (call-with-cgroup controller limits proc)
  "Call PROC with a sandbox that has LIMITS, its directory, and the cgroup
that it gets for CONTROLLER; return a pair of what PROC returned and whether
the cgroup is still there."
  (call-with-sandbox-directory
   (lambda (directory)
     (let* ((box (with-field (simple-sandbox %mode directory)
                             'limits limits))
            (cgroup (string-append (delegated-cgroup (list controller))
                                   "/" (sandbox-name box)))
            (result (proc box directory cgroup)))
       (cons result (file-exists? cgroup))))))

(define %mode
  (if %root? 'root 'rootless))

(define (got limits controller hows megabytes processes)
  "Return what a greedy program gets in a sandbox used in each of HOWS."
  (call-with-cgroup controller limits
    (lambda (box directory cgroup)
      (map what-it-got
           (outcomes-in-mode %mode directory
                             (map (lambda (how)
                                    (greedy how box megabytes processes))
                                  hows))))))

(define (test-controllers)
  ;; What holds an open sandbox is one of its processes.
  (test-controller "pids" "processes, alone and in an open sandbox"
    '((("0 all" "9 EAGAIN") ("0 all" "8 EAGAIN")) . #f)
    (got '((processes . 10)) "pids" '(alone open) 0 20))
  (test-controller "memory" "memory"
    `(((ran ,SIGKILL "")) . #f)
    (got `((memory . ,(* 64 %megabyte))) "memory" '(alone) 100 0))
  (test-controller "cpu" "time"
    '("200000 100000" . #f)
    (call-with-cgroup "cpu" '((cpus . 2))
      (lambda (box directory cgroup)
        (call-with-sandbox box
          (lambda (open)
            (call-with-input-file (string-append cgroup "/cpu.max")
              read-line)))))))

(test-begin "sandbox-limits")
(test-plans)
(skip-unless (eq? %platform 'linux) "needs Linux")
(if (eq? %platform 'linux)
    (begin
      (for-each test-substitutes %modes)
      (for-each test-warnings %own-modes)
      (test-controllers))
    (test-assert "limits" #f))
(test-end "sandbox-limits")
