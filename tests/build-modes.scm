;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Tasks that are not plain builds: building again to compare or to repair,
;;; several rounds, remembered failures, and what other programs do.

(use-modules (fruix build)
             (fruix config)
             (fruix flag)
             (fruix scheduler task)
             (fruix store)
             (fruix store clean-ups)
             (fruix store layout)
             (fruix store staging)
             (ice-9 match)
             (ice-9 textual-ports)
             (rnrs bytevectors)
             (srfi srfi-1)
             (srfi srfi-64)
             ((tests daemon-support) #:select (running?))
             (tests support)
             (tests store-support))

(define %users
  (if (zero? (getuid))
      (list (build-user 35111 35110))
      #f))

;; A stand-in for Guix's program, which says what it was told.
(define %guix "#!/bin/sh
case $1 in
  perform-download)
    test -f \"$2\" || exit 4
    echo \"$_NIX_OPTIONS\"
    case $2 in
      *-dies.drv) echo cannot; exit 3;;
      *-runs-on.drv) sleep 1000 & echo \"child $!\"; exit 1;;
      *-hostile.drv)
        mv \"${3%/o-*}\" \"${3%/o-*}-away\"
        ln -s \"$CANARY\" \"${3%/o-*}\";;
      *-gains.drv)
        grep NoNewPrivs: /proc/self/status
        exit 1;;
      *) echo \"getting $3\"; printf contents > \"$3\";;
    esac;;
esac
")

(define (install-guix directory)
  "Make the stand-in the program that the daemon finds."
  (let ((file (string-append directory "/guix")))
    (call-with-output-file file
      (lambda (port) (display %guix port)))
    (chmod file #o755)
    (chmod directory #o755)
    (setenv "GUIX" file)))

(define (output-of store drv)
  (assoc-ref (query-derivation-outputs store drv) "out"))

(define (contents store item)
  (call-with-input-file (physical (store-layout store) item)
    get-string-all))

(define (overwrite! store item text)
  "Damage ITEM."
  (let ((file (physical (store-layout store) item)))
    (chmod file #o644)
    (call-with-output-file file
      (lambda (port) (display text port)))
    (chmod file #o444)))

(define (kind-of result)
  (match result
    (('failed kind _) kind)
    (result result)))

(define (text-of result)
  (match result
    (('failed _ text) text)
    (result (format #f "~s" result))))

(define (count-areas store)
  "Return the number of chroot areas of STORE."
  (count (lambda (name)
           (file-exists? (staged-file (store-staging store)
                                      (string-append name "/tmp"))))
         (directory-entries (staged-file (store-staging store) "."))))

(define (run-tests store shell host cautious-host)
  (define events '())
  (define* (perform kind drv #:key (options '()) (host host))
    (set! events '())
    (perform-task! store host (task kind drv) options
                   (lambda (event) (set! events (cons event events)))
                   (make-flag)))
  (define (log)
    (string-concatenate
     (filter-map (match-lambda
                   (('log bytes) (utf8->string bytes))
                   (_ #f))
                 (reverse events))))
  (define* (drv name script #:rest rest)
    (apply add-shell-derivation! store shell name script rest))
  (define* (download name #:key (builder "builtin:download")
                     (hash (sha256-of "contents")))
    (drv name "" #:builder builder #:hash hash))

  (test-group "check"
    (let* ((same (drv "same" "echo hello > $out"))
           (different (drv "different" "head -c 16 /dev/urandom > $out"))
           (out (output-of store different)))
      (perform 'build same)
      (perform 'build different)
      (test-equal "the same again" 'built (perform 'check same))
      (let* ((before (contents store out))
             (result (perform 'check different)))
        (test-equal "something else" '(nondeterministic #t #t)
          (list (kind-of result)
                (->bool (string-contains (text-of result)
                                         "may not be deterministic"))
                (string=? before (contents store out)))))
      (let ((kept (string-append out "-check")))
        (test-equal "what differs is kept for who wants to see it" '(#t #f)
          (begin
            (perform 'check different #:options '((keep-failed? . #t)))
            (list (file-exists? (physical (store-layout store) kept))
                  (valid-path? store kept)))))))

  (test-group "rounds"
    (test-equal "all rounds are the same" '(built 3)
      (let* ((drv (drv "steady" "echo built; echo x > $out"))
             (result (perform 'build drv #:options '((repeat . 2)))))
        (list result
              (count (match-lambda (('log _) #t) (_ #f)) events))))
    (test-assert "however many there are, two have their outputs at a time"
      (let ((areas 0)
            (drv (drv "rounds" "echo x > $out")))
        (define (look event)
          (match event
            (('started . _)
             (await-clean-ups (staging-clean-ups (store-staging store)))
             (set! areas (max areas (count-areas store))))
            (_ #t)))
        (perform-task! store host (task 'build drv) '((repeat . 5)) look
                       (make-flag))
        ;; One is clean again, for whoever is next.
        (<= 1 areas 3)))
    (test-equal "a round differs" '(unrepeatable #f)
      (let ((drv (drv "unsteady" "head -c 16 /dev/urandom > $out")))
        (list (kind-of (perform 'build drv #:options '((repeat . 1))))
              (valid-path? store (output-of store drv)))))
    (test-equal "a fixed output is made once" '(built 1)
      (let* ((drv (drv "fixed" "echo built; echo -n contents > $out"
                       #:hash (sha256-of "contents")))
             (result (perform 'build drv #:options '((repeat . 2)))))
        (list result
              (count (match-lambda (('log _) #t) (_ #f)) events)))))

  (test-equal "repairing replaces what is there" '(built "hello\n")
    (let* ((drv (drv "damaged" "echo hello > $out"))
           (out (output-of store drv)))
      (perform 'build drv)
      (overwrite! store out "goodbye")
      (let ((result (perform 'repair drv)))
        (list result (contents store out)))))

  (test-group "remembered failures"
    (let ((fails (drv "fails" "exit 3"))
          (fixed (drv "fixed-fails" "exit 3"
                      #:hash (sha256-of "x"))))
      (test-equal "a failure is not repeated" '(failed cached)
        (let* ((first (perform 'build fails #:host cautious-host))
               (second (perform 'build fails #:host cautious-host)))
          (map kind-of (list first second))))
      (test-equal "unless it is forgotten, or nobody remembers"
        '(failed failed)
        (let ((first (perform 'build fails)))
          (clear-failed-paths! store (list fails))
          (map kind-of
               (list first (perform 'build fails #:host cautious-host)))))
      (test-equal "what depends on the network is tried again"
        '(transient transient)
        (let* ((first (perform 'build fixed #:host cautious-host))
               (second (perform 'build fixed #:host cautious-host)))
          (map kind-of (list first second))))))

  (test-group "no jobs here"
    (test-equal "a build is refused" 'transient
      (kind-of (perform 'build (drv "elsewhere" "echo > $out")
                        #:options '((max-jobs . 0)))))
    (test-equal "but for one that insists on it" 'built
      (perform 'build (drv "local" "echo > $out"
                           #:environment '(("preferLocalBuild" . "1")))
               #:options '((max-jobs . 0)))))

  (test-group "builtin builders"
    (let* ((drv (download "download"))
           (output (output-of store drv)))
      (test-equal "what is downloaded becomes the output, and is called so"
        `(built "contents" ,(string-append "print-x=1\n\ngetting " output
                                           "\n"))
        (let ((result (perform 'build drv
                               #:options
                               '((agent-options . (("print-x" . "1")))))))
          (list result (contents store output) (log)))))
    (test-equal "or not, if it has another hash" 'output
      (kind-of (perform 'build
                        (download "mismatch"
                                  #:hash (sha256-of "x")))))
    (test-equal "a download that fails" '(transient "\ncannot\n")
      (let ((result (perform 'build (download "dies"))))
        (list (kind-of result) (log))))
    (test-equal "nothing of it runs on" '(transient #f)
      (let* ((result (perform 'build (download "runs-on")))
             (pid (string->number (last (string-tokenize (log))))))
        ;; It has been killed; how soon it is dead is the kernel's business.
        (wait-until (lambda () (not (running? pid))))
        (list (kind-of result) (running? pid))))
    (unless (eq? %platform 'linux) (test-skip 1))
    (test-assert "it gains no privileges"
      (begin
        (perform 'build (download "gains"))
        (string-contains (log) "NoNewPrivs:\t1\n")))
    (test-equal "it cannot put something else in the place of its directory"
      '(35112 #o755)
      (let* ((canary (string-append (layout-root (store-layout store))
                                    "/canary"))
             (physical-store (layout-physical-store (store-layout store)))
             (before (stat physical-store)))
        (mkdir canary)
        (chmod canary #o755)
        (when %users
          (chown canary 35112 35112)
          ;; As for builders of all sorts.
          (chown physical-store 0 35110)
          (chmod physical-store #o1775))
        (setenv "CANARY" canary)
        (perform 'build (download "hostile"))
        (chown physical-store 0 (stat:gid before))
        (chmod physical-store (stat:perms before))
        (let ((status (stat canary)))
          (list (if %users (stat:uid status) 35112) (stat:perms status)))))
    (test-equal "checking downloads again" 'built
      (perform 'check (download "download")))
    (test-equal "an unknown one is refused" 'failed
      (kind-of (perform 'build (download "unknown"
                                         #:builder "builtin:unknown"))))
    (test-equal "so is one without a fixed output" 'failed
      (kind-of (perform 'build (download "not-fixed" #:hash #f))))
    (test-assert "without the program, the message says so"
      (begin
        (setenv "GUIX" "/nowhere/guix")
        (string-contains (text-of (perform 'build (download "missing")))
                         "needs the program `guix'")))))

(test-begin "build-modes")

(call-with-temporary-directory
 (lambda (directory)
   (install-guix directory)
   (call-with-temporary-store
    (lambda (store)
      (define users
        (and %users
             (make-user-pool %users
                             (string-append
                              (layout-state-directory (store-layout store))
                              "/userpool"))))
      ;; Users without a sandbox must be able to get there.
      (chmod (layout-root (store-layout store)) #o755)
      (run-tests store (add-static-shell! store)
                 (build-host #:users users)
                 (build-host #:users users #:cache-failures? #t))))))

(test-end "build-modes")
