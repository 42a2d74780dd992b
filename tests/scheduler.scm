;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; The scheduler, one transition at a time: events and the actions that they
;;; must bring about.

(use-modules (fruix scheduler)
             (fruix scheduler request)
             (ice-9 match)
             (srfi srfi-1)
             (srfi srfi-64))

(define (run max-jobs events)
  "Return the actions that each of EVENTS brings about."
  (let loop ((state (make-scheduler #:max-jobs max-jobs)) (events events))
    (match events
      (() '())
      ((event . rest)
       (call-with-values (lambda () (schedule state event))
         (lambda (state actions)
           (cons actions (loop state rest))))))))

(define* (request client nodes #:key (goals (map car nodes)) keep-going?
                  (id 1) jobs (options 'options))
  (list 'request client id nodes goals keep-going? jobs options))

(define* (start drv #:rest clients)
  `(start ,drv ,clients options))

(define-syntax-rule (test-history name max-jobs (event action ...) ...)
  (test-equal name
    (list (list action ...) ...)
    (run max-jobs (list event ...))))

(define %failure '(failed failed "exit code 1"))

(define (dependency-failure drv cause)
  `(failed dependency
           ,(string-append "cannot build derivation `" drv
                           "': its dependency `" cause
                           "' could not be built")))

(test-begin "scheduler")

(test-group "one request"
  (test-history "nothing to build: answered at once" 1
    ((request 'a '() #:goals '("x"))
     '(done a 1 (("x" . built)))))
  (test-history "one build" 1
    ((request 'a '(("x"))) (start "x" 'a))
    ('(finished "x" built) '(done a 1 (("x" . built)))))
  (test-history "dependencies come first" 4
    ((request 'a '(("top" "left" "right") ("left" "base") ("right" "base")
                   ("base" "not a node"))
              #:goals '("top"))
     (start "base" 'a))
    ('(finished "base" built) (start "left" 'a) (start "right" 'a))
    ('(finished "right" built))
    ('(finished "left" built) (start "top" 'a))
    ('(finished "top" built) '(done a 1 (("top" . built)))))
  (test-history "a dependency named twice counts once" 1
    ((request 'a '(("top" "base" "base") ("base")) #:goals '("top"))
     (start "base" 'a))
    ('(finished "base" built) (start "top" 'a))))

(test-group "order"
  (let ((hash (lambda (char) (make-string 32 char))))
    (test-history "by name, not by hash" 2
      ((request 'a (map (lambda (base) (list (string-append "/store/" base)))
                        (list (string-append (hash #\a) "-zile.drv")
                              (string-append (hash #\z) "-bash.drv")
                              (string-append (hash #\y) "-bash.drv"))))
       (start (string-append "/store/" (hash #\y) "-bash.drv") 'a)
       (start (string-append "/store/" (hash #\z) "-bash.drv") 'a))))
  (test-history "clients take turns, late ones too" 1
    ((request 'a '(("a1") ("a2") ("a3"))) (start "a1" 'a))
    ((request 'b '(("b1") ("b2"))))
    ('(finished "a1" built) (start "a2" 'a))
    ('(finished "a2" built) (start "b1" 'b))
    ('(finished "b1" built) (start "a3" 'a))
    ('(finished "a3" built)
     '(done a 1 (("a1" . built) ("a2" . built) ("a3" . built)))
     (start "b2" 'b)))
  (test-history "two requests give no second turn" 1
    ((request 'a '(("a1") ("a2"))) (start "a1" 'a))
    ((request 'a '(("a3")) #:id 2))
    ((request 'b '(("b1"))))
    ('(finished "a1" built) (start "a2" 'a))
    ('(finished "a2" built)
     '(done a 1 (("a1" . built) ("a2" . built)))
     (start "b1" 'b))))

(test-group "limits"
  (test-history "a client's turn outlives its request" 1
    ((request 'a '(("a1") ("a2") ("a3"))) (start "a1" 'a))
    ((request 'b '(("a1"))) '(join "a1" b))
    ((request 'c '(("c1"))))
    ((request 'b '(("b1")) #:id 2))
    ('(finished "a1" built)
     '(done b 1 (("a1" . built)))
     (start "a2" 'a))
    ('(finished "a2" built) (start "b1" 'b)))
  (test-history "a client may want more, or less, than is usual" 1
    ((request 'a '(("a1") ("a2") ("a3") ("a4")) #:jobs 3)
     (start "a1" 'a) (start "a2" 'a) (start "a3" 'a))
    ((request 'b '(("b1") ("b2") ("b3")) #:jobs 2))
    ('(finished "a1" built) (start "a4" 'a))
    ('(finished "a2" built) (start "b1" 'b))
    ('(finished "a3" built) (start "b2" 'b))
    ('(finished "a4" built) '(done a 1 (("a1" . built) ("a2" . built)
                                        ("a3" . built) ("a4" . built)))))
  (test-history "there is one slot, to find out what can be done without" 0
    ((request 'a '(("x") ("y"))) (start "x" 'a))
    ('(finished "x" built) (start "y" 'a)))
  (test-history "what another machine does takes no slot" 1
    ((request 'a '(("x") ("y"))) (start "x" 'a))
    ('(released "x") (start "y" 'a))
    ('(finished "y" built))
    ('(finished "x" built) '(done a 1 (("x" . built) ("y" . built)))))
  (test-history "nor what is postponed, which then waits for one" 1
    ((request 'a '(("x") ("y"))) (start "x" 'a))
    ('(released "x") (start "y" 'a))
    ('(finished "x" postponed))
    ('(finished "y" built) (start "x" 'a))
    ('(finished "x" built) '(done a 1 (("x" . built) ("y" . built)))))
  (test-history "no more than max-jobs, which may rise" 2
    ((request 'a '(("x") ("y") ("z"))) (start "x" 'a) (start "y" 'a))
    ('(max-jobs 3) (start "z" 'a)))
  (test-history "lowering it ends no build" 2
    ((request 'a '(("x") ("y") ("z"))) (start "x" 'a) (start "y" 'a))
    ('(max-jobs 1))
    ('(finished "x" built))
    ('(finished "y" built) (start "z" 'a)))
  (test-history "a cycle is refused" 1
    ((request 'a '(("x" "y") ("y" "x")) #:goals '("x"))
     '(done a 1 (("x" . (failed rejected "dependencies form a cycle"))))))
  (test-history "a cycle is found behind what can be built" 1
    ((request 'a '(("base") ("x" "base" "y") ("y" "x")) #:goals '("x" "base"))
     (start "base" 'a))
    ('(finished "base" built)
     '(done a 1 (("x" . (failed rejected "dependencies form a cycle"))
                 ("base" . built))))))

(test-group "failures"
  (test-history "the first failure ends the request" 2
    ((request 'a '(("x") ("y") ("z"))) (start "x" 'a) (start "y" 'a))
    (`(finished "x" ,%failure)
     `(done a 1 (("x" . ,%failure) ("y" . (cancelled)) ("z" . (cancelled))))
     '(cancel "y"))
    ('(finished "y" (failed transient "killed"))))
  (test-history "or not, if it keeps going" 1
    ((request 'a '(("x") ("y")) #:keep-going? #t) (start "x" 'a))
    (`(finished "x" ,%failure) (start "y" 'a))
    ('(finished "y" built)
     `(done a 1 (("x" . ,%failure) ("y" . built)))))
  (let ((lost '(failed substitute "not there"))
        (dependency '(failed dependency "cannot build derivation `y': its \
dependency `/s' could not be substituted")))
    (test-history "or only after that of a substitution" 3
      ((request 'a '(("substitute:/s") ("y" "substitute:/s") ("x") ("z"))
                #:keep-going? 'substitutes #:goals '("y" "x" "z"))
       (start "substitute:/s" 'a) (start "x" 'a) (start "z" 'a))
      (`(finished "substitute:/s" ,lost))
      ('(finished "x" built))
      (`(finished "z" ,%failure)
       `(done a 1 (("y" . ,dependency) ("x" . built) ("z" . ,%failure))))))
  (test-history "what needs it fails too" 1
    ((request 'a '(("c" "b") ("b" "a") ("a") ("z")) #:goals '("c" "z")
              #:keep-going? #t)
     (start "a" 'a))
    (`(finished "a" ,%failure) (start "z" 'a))
    ('(finished "z" built)
     `(done a 1 (("c" . ,(dependency-failure "c" "a")) ("z" . built))))))

(test-group "failures of one client alone"
  (let ((too-slow '(failed timeout "timed out after 2 seconds")))
    (test-history "what one client's options end is built for the others" 1
      ((request 'a '(("x") ("y"))) (start "x" 'a))
      ((request 'b '(("x"))) '(join "x" b))
      (`(finished "x" ,too-slow)
       '(retry "x" b)
       `(done a 1 (("x" . ,too-slow) ("y" . (cancelled))))
       (start "x" 'b))
      ('(finished "x" built) '(done b 1 (("x" . built)))))
    (test-history "and fails for each with its own" 1
      ((request 'a '(("x")) #:options 'short) '(start "x" (a) short))
      ((request 'b '(("x")) #:options 'long) '(join "x" b))
      (`(finished "x" ,too-slow)
       '(retry "x" b)
       `(done a 1 (("x" . ,too-slow)))
       '(start "x" (b) long))
      (`(finished "x" ,too-slow) `(done b 1 (("x" . ,too-slow)))))
    (test-history "for whoever is left when that client has gone" 1
      ((request 'a '(("x"))) (start "x" 'a))
      ((request 'b '(("x"))) '(join "x" b))
      ('(gone a) '(leave "x" a))
      (`(finished "x" ,too-slow) '(retry "x" b) (start "x" 'b))))
  (test-history "a builder's own failure is everybody's" 1
    ((request 'a '(("x"))) (start "x" 'a))
    ((request 'b '(("x"))) '(join "x" b))
    (`(finished "x" ,%failure)
     `(done a 1 (("x" . ,%failure))) `(done b 1 (("x" . ,%failure))))))

(test-group "several clients"
  (test-history "what two want is built once" 2
    ((request 'a '(("x"))) (start "x" 'a))
    ((request 'b '(("x"))) '(join "x" b))
    ('(finished "x" built)
     '(done a 1 (("x" . built))) '(done b 1 (("x" . built)))))
  (test-history "those who wait for it follow it from the start" 1
    ((request 'a '(("x"))) (start "x" 'a))
    ((request 'b '(("y"))))
    ((request 'c '(("z" "y") ("y"))))
    ('(finished "x" built)
     '(done a 1 (("x" . built))) (start "y" 'b 'c)))
  (test-history "one who leaves does not end it" 1
    ((request 'a '(("x"))) (start "x" 'a))
    ((request 'b '(("x"))) '(join "x" b))
    ('(gone a) '(leave "x" a))
    ('(finished "x" built) '(done b 1 (("x" . built)))))
  (test-history "the last who leaves does" 1
    ((request 'a '(("x") ("y"))) (start "x" 'a))
    ('(gone a) '(cancel "x"))
    ('(gone a))
    ('(finished "x" (failed transient "killed"))))
  (test-history "nobody gets a second answer" 1
    ((request 'a '(("x"))) (start "x" 'a))
    ('(finished "x" built) '(done a 1 (("x" . built))))
    ('(finished "x" built)))
  (test-history "a failure that ends one request leaves the other's builds" 2
    ((request 'a '(("x") ("y"))) (start "x" 'a) (start "y" 'a))
    ((request 'b '(("y"))) '(join "y" b))
    (`(finished "x" ,%failure)
     `(done a 1 (("x" . ,%failure) ("y" . (cancelled))))
     '(leave "y" a))))

(test-group "cancelled builds"
  (test-history "keep their slot until they end" 1
    ((request 'a '(("x"))) (start "x" 'a))
    ((request 'b '(("y"))))
    ('(gone a) '(cancel "x"))
    ('(finished "x" (failed transient "killed")) (start "y" 'b)))
  (test-history "are built again for who asks meanwhile" 2
    ((request 'a '(("x"))) (start "x" 'a))
    ('(gone a) '(cancel "x"))
    ((request 'b '(("x"))))
    ('(finished "x" (failed transient "killed")) (start "x" 'b)))
  (test-history "unless they were finished all the same" 2
    ((request 'a '(("x"))) (start "x" 'a))
    ('(gone a) '(cancel "x"))
    ((request 'b '(("x"))))
    ('(finished "x" built) '(done b 1 (("x" . built))))))

(define (state-after max-jobs . events)
  (fold (lambda (event state)
          (call-with-values (lambda () (schedule state event))
            (lambda (state _) state)))
        (make-scheduler #:max-jobs max-jobs)
        events))

(define (alphabetically alist)
  (define (name entry) (symbol->string (car entry)))
  (sort alist (lambda (a b) (string<? (name a) (name b)))))

(define (starts max-jobs jobs count)
  "Return how many of COUNT tasks are started for a client that wants JOBS at
a time."
  (call-with-values
      (lambda ()
        (schedule (make-scheduler #:max-jobs max-jobs)
                  (request 'a (map (lambda (n) (list (number->string n)))
                                   (iota count))
                           #:jobs jobs)))
    (lambda (_ actions) (length actions))))

(test-equal "a client cannot want any number of slots" '(256 256 300 300)
  (list (starts 1 999999999 400)
        (starts 1 256 400)
        (starts 300 999999999 400)
        (starts 300 #f 400)))

(test-group "what others may see"
  (let ((state (state-after 1
                            (request 'a '(("x") ("z" "x")))
                            (request 'b '(("x") ("y")) #:options 'more))))
    (test-equal "builds, their phase, who wants them and how"
      '(("x" running ((a . options) (b . more)))
        ("y" queued ((b . more)))
        ("z" queued ((a . options))))
      (map (match-lambda
             ((drv phase wanters)
              (list drv phase (alphabetically wanters))))
           (scheduler-builds state)))
    (test-equal "clients" 2 (length (scheduler-clients state))))
  (test-equal "whether others wait for a build's slot" '(#f #t)
    (let* ((alone (list (request 'a '(("x") ("y")))))
           (both (append alone (list (request 'b '(("z")))))))
      (map (lambda (events)
             (scheduler-contended? (apply state-after 1 events) "x"))
           (list alone both))))
  (test-equal "a cancelled build is seen, and not idle"
    '(#f (("x" cancelled ())))
    (let ((state (state-after 1 (request 'a '(("x"))) '(gone a))))
      (list (scheduler-idle? state) (scheduler-builds state))))
  (test-assert "idle in the end"
    (scheduler-idle? (state-after 1 (request 'a '(("x")))
                                  '(finished "x" built)))))

(define (seconds thunk)
  (let ((start (get-internal-run-time)))
    (thunk)
    (/ (- (get-internal-run-time) start) internal-time-units-per-second 1.)))

(define (chain size)
  "Return the nodes of a chain of SIZE derivations."
  (define (name n) (string-pad (number->string n) 6 #\0))
  (map (lambda (n)
         (if (zero? n)
             (list (name 0))
             (list (name n) (name (- n 1)))))
       (iota size)))

(define (build-all nodes)
  (let loop ((events (list (request 'a nodes #:goals '())))
             (state (make-scheduler #:max-jobs 1)))
    (match events
      (() (scheduler-idle? state))
      ((event . rest)
       (call-with-values (lambda () (schedule state event))
         (lambda (state actions)
           (loop (append rest
                         (filter-map (match-lambda
                                       (('start drv . _)
                                        `(finished ,drv built))
                                       (_ #f))
                                     actions))
                 state)))))))

(test-assert "others do not wait for the graph of a request"
  (let* ((below (map (lambda (n) (list (format #f "b~a" n))) (iota 200)))
         (above (map (lambda (n) (cons (format #f "a~a" n) (map car below)))
                     (iota 200)))
         (nodes (append below above))
         (graph #f)
         (before (seconds (lambda () (set! graph (nodes->graph nodes)))))
         (during (seconds
                  (lambda ()
                    (schedule (make-scheduler)
                              (request 'a graph #:goals '()))))))
    (< during (/ before 10))))

(test-assert "a request of 10,000 does not take quadratic time"
  (let ((small (chain 1000)) (large (chain 10000)))
    (< (seconds (lambda () (build-all large)))
       (* 40 (max 0.01 (seconds (lambda () (build-all small))))))))

(test-end "scheduler")
