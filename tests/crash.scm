;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; A daemon that several clients keep busy is killed at random moments.  What
;;; must hold then:
;;;
;;; 1. No builder, nor anything that it started, lives two seconds later.
;;; 2. Every valid item has its hash, and its references are valid.
;;; 3. When the daemon runs again, nothing is left of the old one: files,
;;;    mounts, cgroups.
;;; 4. What was asked for when it died succeeds when it is asked for again.

(use-modules (fruix client)
             (fruix errors)
             (fruix process)
             ((fruix store) #:select (call-with-store))
             (fruix store layout)
             (fruix thread)
             (ice-9 exceptions)
             (ice-9 format)
             (ice-9 ftw)
             (ice-9 match)
             (ice-9 textual-ports)
             (ice-9 threads)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests crash-support)
             (tests daemon-support)
             (tests store-support)
             (tests support))

(define %crashes
  (string->number (or (getenv "FRUIX_CRASHES") "25")))

(define %seed
  (string->number (or (getenv "FRUIX_SEED")
                      (number->string (modulo (current-time) 100000)))))

(define %clients 4)

;; Milliseconds that a daemon lives under load, at most.
(define %life 350)


;;
;; What clients ask for.
;;

;; Names, number of outputs, and scripts of what is built.
(define %scripts
  '((trivial ("out") "echo ~a > $out")
    (several ("out" "lib" "doc")
             "mkdir $out $lib; echo ~a > $lib/x; echo $lib > $out/y
echo $out > $doc")
    (slow ("out") "(sleep 300; echo > $out) & sleep 0.2; mkdir $out
echo ~a > $out/x")
    (failing ("out") "echo ~a > $out; sleep 0.02; exit 3")))

(define (random-task state)
  (list (list-ref '(text tree trivial trivial several slow failing)
                  (random 7 state))
        (random 1000000 state)))

(define (start-of connection shell kind number)
  "Return the derivation of a build."
  (match (assq-ref %scripts kind)
    ((outputs script)
     (derivation connection (format #f "~a-~a" kind number)
                 (string-append shell "/bin/sh")
                 (list "-c" (format #f script number))
                 #:inputs (list shell) #:outputs outputs))))

(define (fails? thunk)
  "Return true if the build that THUNK asks for fails as it has to."
  (guard (exception ((and (protocol-error? exception)
                          (= 100 (protocol-error-status exception)))
                     #t))
    (thunk)
    #f))

(define (perform task connection shell tree)
  "Have TASK done and return true if what came of it is right."
  (match task
    (('text number)
     (valid-path? connection
                  (add-text-to-store connection "text"
                                     (format #f "~5000,' d" number))))
    (('tree number)
     (valid-path? connection
                  (add-to-store connection tree
                                #:name (format #f "tree-~a" number))))
    (('failing number)
     (let ((drv (start-of connection shell 'failing number)))
       (fails? (lambda () (build-derivations connection (list drv))))))
    ((kind number)
     (let ((drv (start-of connection shell kind number)))
       (build-derivations connection (list drv))
       (every (lambda (output)
                (valid-path? connection (cdr output)))
              (derivation->output-paths drv))))))

(define (call-with-daemon-connection layout proc)
  (call-with-connection
   (lambda (connection)
     (parameterize ((current-build-output-port (%make-void-port "w")))
       (proc connection)))
   #:layout layout))

;; What a client was waiting for when the daemon died, and what went wrong
;; before.
(define (keep-busy layout shell tree state alive?)
  (define task #f)
  (define faults '())
  (define (go-on connection)
    (set! task (random-task state))
    (unless (perform task connection shell tree)
      (set! faults (cons (list 'wrong task) faults)))
    (go-on connection))
  (guard (exception
          (#t (when (alive?)
                (set! faults (cons (list task (exception->text exception))
                                   faults)))))
    (call-with-daemon-connection layout go-on))
  (cons task faults))


;;
;; What is left.
;;

(define (processes)
  (filter-map string->number (or (scandir "/proc") '())))

(define (mentions? file text)
  (catch 'system-error
    (lambda ()
      (string-contains (call-with-input-file file get-string-all) text))
    (const #f)))

(define (processes-below root)
  "Return the processes in whose world there is something below ROOT."
  (filter (lambda (pid)
            (mentions? (format #f "/proc/~a/mountinfo" pid) root))
          (processes)))

(define (cgroups-of root)
  "Return the cgroups whose names are those of sandboxes below ROOT."
  (define name (last (string-split root #\/)))
  (file-system-fold (lambda (file status result) #t)
                    (lambda (file status result) result)
                    (lambda (file status result)
                      (if (string-contains (basename file) name)
                          (cons file result)
                          result))
                    (lambda (file status result) result)
                    (lambda (file status result) result)
                    (lambda (file status errno result) result)
                    '() "/sys/fs/cgroup" lstat))

(define (entries directory)
  (if (file-exists? directory)
      (directory-entries directory)
      '()))

(define (item? name)
  (and=> (string-index name #\-) (lambda (index) (= 32 index))))

(define (leftovers layout process)
  "Return what is there besides the valid items and what the daemon PROCESS,
which is idle, needs.  An item that is not valid yet is no matter: it is made
again, or collected."
  (define own (format #f "~a-" (process-id process)))
  (append (remove (lambda (name)
                    (or (string-prefix? ".fruix-" name) (item? name)))
                  (store-strays layout))
          (filter (lambda (name) (string-suffix? ".lock" name))
                  (store-strays layout))
          (remove (lambda (name) (string-prefix? own name))
                  (entries (layout-temporary-roots-directory layout)))
          (entries (layout-temporary-directory layout))
          (cgroups-of (layout-root layout))))


;;
;; One crash.
;;

(define (await-death root)
  "Return the processes that still live below ROOT after two seconds."
  (let loop ((times 40))
    (match (processes-below root)
      (() '())
      (left (if (zero? times)
                left
                (begin
                  (usleep 50000)
                  (loop (- times 1))))))))

;; How many processes of builds there were, in all, when a daemon was killed.
(define %victims 0)

(define (live layout process shell tree states pause)
  "Let clients keep the daemon busy for PAUSE milliseconds, then kill it.
Return what they return."
  (define alive? #t)
  (let ((threads (map (lambda (state)
                        (start-thread
                         (lambda ()
                           (keep-busy layout shell tree state
                                      (lambda () alive?)))))
                      states)))
    (usleep (* 1000 pause))
    (set! %victims
          (+ %victims (length (processes-below (layout-root layout)))))
    (set! alive? #f)
    (kill-process process SIGKILL)
    (wait-process process)
    (map join-thread threads)))

(define (try-again layout shell tree tasks)
  "Return those of TASKS that do not succeed now."
  (call-with-daemon-connection layout
    (lambda (connection)
      (remove (lambda (task)
                (guard (exception (#t #f))
                  (perform task connection shell tree)))
              tasks))))

(define (problem what found)
  (if (null? found) '() (list (cons what found))))

(define (crash layout options shell tree states pause tasks)
  "Start a daemon, look for leftovers of the one before, ask for TASKS, which
that was killed at, and kill it.  Return the new tasks, and problems."
  (call-with-values (lambda () (start-daemon (layout-root layout) options))
    (lambda (process output)
      (call-with-process process
        (lambda (process)
          (let* ((left (leftovers layout process))
                 (again (try-again layout shell tree tasks))
                 (ends (live layout process shell tree states pause))
                 (survivors (await-death (layout-root layout))))
            (close-port output)
            (list (filter-map car ends)
                  (append (problem 'left left)
                          (problem 'fails-again again)
                          (problem 'meanwhile (append-map cdr ends))
                          (problem 'alive survivors)
                          (problem 'store (store-faults layout))))))))))

(define (prepare layout)
  "Put a shell into the store; return it, and a tree to add."
  (let ((tree (string-append (layout-root layout) "/tree")))
    (mkdir tree)
    (for-each (lambda (i)
                (call-with-output-file (format #f "~a/~a" tree i)
                  (lambda (port) (display (make-string 10000 #\x) port))))
              (iota 20))
    (list (call-with-store layout add-static-shell!) tree)))

;; Hashing all of a store takes longer the more there is in it.
(define %crashes-of-a-store 25)

(define (crashes options count state)
  "Return the problems of COUNT crashes."
  (define states
    (map (lambda (i) (seed->random-state (random 1000000 state)))
         (iota %clients)))
  (call-with-temporary-directory
   (lambda (root)
     (let ((layout (make-layout #:root root)))
       (match (prepare layout)
         ((shell tree)
          (let loop ((count count) (tasks '()) (problems '()))
            (if (zero? count)
                problems
                (match (crash layout options shell tree states
                              (random %life state) tasks)
                  ((tasks found)
                   (loop (- count 1) tasks
                         (append problems found))))))))))
   #:mode #o755))

(define (all-crashes)
  (define state (seed->random-state %seed))
  (define options `("--max-jobs=3" ,@%build-users))
  (let loop ((count %crashes))
    (if (<= count 0)
        '()
        (append (crashes options (min count %crashes-of-a-store) state)
                (loop (- count %crashes-of-a-store))))))

(define %possible?
  (and (file-exists? "/bin/busybox") (file-exists? "/proc/self/mountinfo")))

(test-begin "crash")
(sigaction SIGPIPE SIG_IGN)
(skip-unless %possible? "needs Linux and a static shell")
(format #t "~a crashes, seed ~a~%" %crashes %seed)
(test-equal "nothing is lost when a daemon is killed" '()
  (if %possible? (all-crashes) '()))
(format #t "~a processes of builds died with it~%" %victims)
(test-assert "builds were going on" (positive? %victims))
(test-end "crash")
