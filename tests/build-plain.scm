;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Builders without a sandbox: what they see, and what becomes of what they
;;; leave in the store.

(use-modules (fruix build)
             (fruix config)
             (fruix flag)
             ((fruix scheduler task) #:select (task))
             (fruix store)
             (fruix store layout)
             (ice-9 ftw)
             (ice-9 match)
             (ice-9 textual-ports)
             (rnrs bytevectors)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests store-support)
             (tests support))

(define %user (+ 55000 (modulo (getpid) 5000)))

(define (call-with-plain-store proc)
  "Call PROC with a store that is where builders look for it."
  (call-with-temporary-directory
   (lambda (directory)
     (define (file name) (string-append directory name))
     (call-with-store (make-layout #:store-directory (file "/store")
                                   #:state-directory (file "/state")
                                   #:log-directory (file "/log")
                                   #:configuration-directory (file "/etc"))
       (lambda (store) (proc store directory))))
   #:mode #o755))

(define (plain-host store users?)
  (build-host #:chroot? #f
              #:users
              (and users?
                   (make-user-pool
                    (list (build-user %user %user))
                    (string-append (layout-state-directory
                                    (store-layout store))
                                   "/userpool")))))

(define* (build store host drv #:key (options '()))
  "Build DRV; return the result and what the builder wrote."
  (define log '())
  (define result
    (perform-task! store host drv options
                       (match-lambda
                         (('log bytes) (set! log (cons bytes log)))
                         (_ #t))
                       (make-flag)))
  (list result (string-concatenate (map utf8->string (reverse log)))))

(define (output-of store drv name)
  (assoc-ref (query-derivation-outputs store drv) name))

(define (contents file)
  (call-with-input-file file get-string-all))

(define (running? process)
  "Return true if the process with the ID PROCESS, a string, has not ended."
  (catch 'system-error
    (lambda ()
      (not (string-contains (contents (string-append "/proc/" process
                                                     "/status"))
                            "State:\tZ")))
    (const #f)))

(define (builder-process-count)
  "Return how many processes of the build user have not ended."
  (define user (format #f "\nUid:\t~a\t" %user))
  (length (filter (lambda (process)
                    (catch 'system-error
                      (lambda ()
                        (let ((status (contents (string-append
                                                 "/proc/" process
                                                 "/status"))))
                          (and (string-contains status user)
                               (running? process))))
                      (const #f)))
                  (scandir "/proc" string->number))))

(define (kept-directory store name)
  (string-append (layout-temporary-directory (store-layout store))
                 "/guix-build-" name ".drv-0"))

(define (test-mode label users?)
  (call-with-plain-store
   (lambda (store directory)
     (define shell (add-static-shell! store))
     (define host (plain-host store users?))
     (define* (drv name script #:rest rest)
       (apply add-shell-derivation! store shell name script rest))
     (define-syntax-rule (check what expected actual)
       (test-equal (string-append label ": " what) expected actual))

     (check "an output is registered, and is the daemon's" '(built #t 292 #t)
       (let* ((drv (drv "simple" "echo hello > $out"))
              (result (first (build store host drv)))
              (output (output-of store drv "out")))
         (list result (valid-path? store output)
               (stat:perms (lstat output))
               (= (geteuid) (stat:uid (lstat output))))))
     (check "an output that the builder can have given to others is a copy"
       '(built #f)
       (let ((drv (drv "inode" "\
mkdir $out; echo hello > $out/file; stat -c %i $out/file")))
         (define (inode)
           (stat:ino (lstat (string-append (output-of store drv "out")
                                           "/file"))))
         (match (build store host drv)
           ((result log)
            (list result
                  (= (string->number (string-trim-right log)) (inode)))))))
     (check "the build directory is the one of the host"
       (list 'built
             (format #f "~a/guix-build-directory.drv-0\n"
                     (layout-temporary-directory (store-layout store))))
       (build store host (drv "directory" "\
test $TMPDIR = $PWD && test -O . && pwd; echo > $out")))
     (check "the builder sees the host" '(built "seen\n")
       (begin
         (call-with-output-file (string-append directory "/file") newline)
         (build store host
                (drv "host" (format #f "test -e ~a/file && echo seen; \
echo > $out" directory)))))
     (check "as the build user, with its arguments and no more descriptors"
       (list 'built (format #f "~a sh 0 1 2 3\n"
                            (if users? %user (geteuid))))
       (build store host
              (drv "identity" "\
echo $(id -u) $0 $(ls /proc/self/fd); echo > $out")))
     (check "it is nice to die first, and at fixed addresses"
       '(built "1000 00040000\n")
       (build store host
              (drv "attributes" "\
echo $(cat /proc/self/oom_score_adj) $(cat /proc/self/personality)
echo > $out")))
     (check "what bears the name of an output and is not valid is replaced"
       '(built "new\n")
       (let* ((drv (drv "stale" "mkdir $out; echo new > $out/file"))
              (output (output-of store drv "out")))
         (mkdir output)
         (call-with-output-file (string-append output "/old") newline)
         (let ((result (first (build store host drv))))
           (list result (contents (string-append output "/file"))))))
     (check "a builder that fails leaves nothing" '(failed #f)
       (let ((drv (drv "fails" "echo > $out; exit 1")))
         (match (build store host drv)
           ((('failed kind _) _)
            (list kind (file-exists? (output-of store drv "out")))))))
     (check "nor does a wrong output" '(output #f)
       (let ((drv (drv "wrong" "echo > $out" #:hash (sha256-of "hello"))))
         (match (build store host drv)
           ((('failed kind _) _)
            (list kind (file-exists? (output-of store drv "out")))))))
     (check "a valid output is left alone, and meant by its name"
       '(built "before" #t)
       (let* ((drv (drv "partly" "\
test $lib != PATH; mkdir $out; ln -s $lib/x $out/$(basename $lib)
echo $lib > $out/file; echo after > $lib"
                        #:outputs '("out" "lib")))
              (out (output-of store drv "out"))
              (lib (output-of store drv "lib")))
         (call-with-output-file lib
           (lambda (port) (display "before" port)))
         (register-items! store
                          (list (path-info lib (make-string 64 #\0) 1)))
         (let ((result (first (build store host drv))))
           (list result (contents lib)
                 (and (string=? (string-append lib "\n")
                                (contents (string-append out "/file")))
                      (string=? (string-append lib "/x")
                                (readlink (string-append out "/"
                                                         (basename lib))))
                      (equal? (list lib) (references store out)))))))
     (check "no collector takes what stands for a valid output" 'built
       (let ((drv (drv "again" (format #f "\
echo x > $out; echo made; until test -e ~a/collected; do sleep 0.1; done"
                                       directory)))
             (collected (string-append directory "/collected")))
         (call-with-output-file collected newline)
         (build store host drv)
         (delete-file collected)
         (perform-task! store host (task 'check drv) '()
                        (match-lambda
                          (('log _)
                           ;; Its own roots would not count.
                           (call-with-temporary-roots store
                             (lambda () (collect-garbage! store)))
                           (call-with-output-file collected newline))
                          (_ #t))
                        (make-flag))))
     (check "a builder through a magic link is refused"
       '(failed "program-within")
       (let ((link (string-append directory "/link")))
         (symlink "/proc/self/exe" link)
         (match (build store host
                       (drv "magic" "true" #:builder link))
           ((('failed kind message) _)
            (list kind (and (string-contains message "program-within")
                            "program-within"))))))
     (check "and so is one that is not in the store"
       '(failed "`/bin/sh' is not in the store")
       (match (build store host (drv "outside" "true" #:builder "/bin/sh"))
         ((('failed kind message) _)
          (list kind (string-drop message
                                  (string-contains message "`/bin/sh'"))))))
     (check "a kept directory is the client's"
       (list 'failed (if (zero? (geteuid)) 35999 (geteuid)) #t)
       (match (build store host (drv "kept" "echo > file; exit 1")
                     #:options '((keep-failed? . #t)
                                 (client . (35999 . 35999))))
         ((('failed kind _) _)
          (let ((kept (kept-directory store "kept")))
            (list kind (stat:uid (stat kept))
                  (file-exists? (string-append kept "/file")))))))
     (check "one whose client is not known is still harmless"
       (list 'failed (if users? %user (geteuid)) #o755 #o755)
       (match (build store host
                     (drv "unknown" "echo > file; chmod 6757 file; exit 1")
                     #:options '((keep-failed? . #t)))
         ((('failed kind _) _)
          (let ((kept (stat (kept-directory store "unknown")))
                (file (stat (string-append (kept-directory store "unknown")
                                           "/file"))))
            (list kind (stat:uid file) (stat:perms kept)
                  (logand #o7777 (stat:mode file)))))))
     (check "a process that is left in the group is killed" '(built #t)
       (match (build store host (drv "background" "\
sleep 1000 > /dev/null 2>&1 & echo $!; echo > $out"))
         ((result log)
          (list result
                (wait-until
                 (lambda ()
                   (not (running? (string-trim-right log)))))))))
     (when users?
       (check "a process that has left the group is killed" '(built #t)
         (list (first (build store host
                             (drv "daemon" "\
(setsid sleep 1000 > /dev/null 2>&1 &); echo > $out")))
               (wait-until (lambda () (zero? (builder-process-count))))))
       (check "a process that has left the group and writes does not matter"
         '(built #t)
         (list (first (build store host
                             (drv "writer" "\
(setsid sh -c 'while true; do echo; done' &); echo > $out")))
               (wait-until (lambda () (zero? (builder-process-count))))))
       (check "others' homes must not be there"
         "`/homeless-shelter' exists; remove it, or builders may use it"
         (dynamic-wind
           (lambda () (mkdir "/homeless-shelter"))
           (lambda ()
             (third (first (build store host
                                  (drv "home" "echo > $out")))))
           (lambda () (rmdir "/homeless-shelter"))))))))

(test-begin "build-plain")
(skip-unless (eq? %platform 'linux) "needs Linux")
(when (and (eq? %platform 'linux) (zero? (getuid)))
  (test-mode "build users" #t))
(if (eq? %platform 'linux)
    (test-mode "own user" #f)
    (test-assert "builders without a sandbox" #f))

(test-equal "a store that is elsewhere is not found" 'transient
  (call-with-temporary-store
   (lambda (store)
     (define shell (add-static-shell! store))
     (match (build store (build-host #:chroot? #f)
                   (add-shell-derivation! store shell "elsewhere" "true"))
       ((('failed kind message) _) kind)))))
(test-end "build-plain")
