;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Building derivations for real: a store, a sandbox, a static shell.
;;;
;;; The same builds run under build users, where this test is run by root, and
;;; in a user namespace.

(use-modules (fruix build)
             ((fruix build host) #:select (build-host-users))
             (fruix config)
             (fruix flag)
             (fruix store)
             (fruix store clean-ups)
             (fruix store layout)
             (fruix store notes)
             (fruix store staging)
             (ice-9 ftw)
             (ice-9 match)
             (ice-9 textual-ports)
             (ice-9 threads)
             (rnrs bytevectors)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests support)
             (tests store-support))

;; The first has a supplementary group.
(define %users
  (list (build-user 35101 35100 '(35103))
        (build-user 35102 35100)))

(define (string->log events)
  "Return what the builder wrote, from the published @var{events}."
  (utf8->string
   (u8-list->bytevector
    (append-map (match-lambda
                  (('log bytes) (bytevector->u8-list bytes))
                  (_ '()))
                events))))

(define* (try-build store host drv #:key (options '()) (flag (make-flag)))
  "Build @var{drv}; return the result and the list of published events."
  (let* ((events '())
         (result (perform-task! store host drv options
                                    (lambda (event)
                                      (set! events (cons event events)))
                                    flag)))
    (values result (reverse events))))

(define (log-of store host drv)
  (call-with-values (lambda () (try-build store host drv))
    (lambda (result events)
      (unless (eq? result 'built)
        (format #t "~s~%~s~%" result events))
      (string->log events))))

(define (result-of store host drv . arguments)
  (call-with-values (lambda () (apply try-build store host drv arguments))
    (lambda (result events) result)))

(define (leftovers store)
  "Return the names of what is in the staging directory of @var{store}, of its
build directories, and those that are noted."
  (define layout (store-layout store))
  (define (names directory)
    (or (scandir directory
                 (lambda (name) (not (member name '("." "..")))))
        '()))
  (append (noted (staged-file (store-staging store) "."))
          (remove (lambda (name) (string-prefix? "elsewhere-" name))
                  (names (staged-file (store-staging store) ".")))
          (names (layout-temporary-directory layout))))

;; With programs.
(define %host-directories
  (map (lambda (name) (cons name (canonicalize-path name)))
       (filter file-exists?
               '("/bin" "/lib" "/lib64" "/libexec" "/usr/bin" "/usr/lib"))))

(define (output-file store drv name)
  (physical (store-layout store)
            (assoc-ref (query-derivation-outputs store drv) name)))

(define (add-items! store)
  "Add an item of each kind to @var{store}; return their paths."
  (call-with-temporary-directory
   (lambda (directory)
     (define (file name) (string-append directory "/" name))
     (define (write-file name text)
       (call-with-output-file (file name)
         (lambda (port) (display text port))))
     (mkdir (file "directory"))
     (write-file "directory/file" "file")
     (write-file "small" "small")
     ;; FreeBSD copies what is smaller.
     (write-file "large" (make-string 2000000 #\x))
     (symlink "directory" (file "link"))
     (map (lambda (name) (add-tree! store name directory name))
          '("directory" "small" "large" "link")))))

;; On most file systems that is more than one megabyte of names.
(define %litter
  (string-append "cd /tmp; i=0; while [ $i -lt 6000 ]
do : > $i-" (make-string 200 #\x) "; i=$((i + 1)); done; echo > $out"))

(define (run-tests label users)
  (call-with-temporary-store
   (lambda (store)
     (define host
       (build-host #:users (and users
                                (make-user-pool
                                 users
                                 (string-append
                                  (layout-state-directory (store-layout store))
                                  "/userpool")))))
     (define shell (add-static-shell! store))
     (define* (drv name script #:rest rest)
       (apply add-shell-derivation! store shell name script rest))
     (define-syntax-rule (test name body ...)
       (test-assert (string-append label ": " name) (begin body ...)))
     (define-syntax-rule (check-equal name expected actual)
       (test-equal (string-append label ": " name) expected actual))

     (check-equal "output is registered with its deriver" #t
                  (let ((drv (drv "simple" "echo hello > $out")))
                    (and (eq? 'built (result-of store host drv))
                         (let ((info (query-path-info
                                      store
                                      (assoc-ref
                                       (query-derivation-outputs store drv)
                                       "out"))))
                           (and (string=? drv (path-info-deriver info))
                                (= 120 (path-info-nar-size info)))))))
     (check-equal "what the builder writes is logged" "one\ntwo\n"
                  (log-of store host
                          (drv "log" "echo one; echo two >&2; echo > $out")))
     (check-equal "a builder has its user's ids and groups"
                  (if users
                      "35101 35100 35103\n"
                      "30001 30000\n")
                  (log-of store host
                          (drv "ids" "echo $(id -u) $(id -G); echo > $out")))
     (check-equal "a failing builder"
                  '(failed failed "exit code 3")
                  (match (result-of store host (drv "fails" "exit 3"))
                    (('failed kind message)
                     (list 'failed kind
                           (string-take-right message 11)))))
     (check-equal "a killed builder"
                  '(failed failed "signal 9")
                  (match (perform-task!
                          store host (drv "killed" "sleep 1000") '()
                          (match-lambda
                            (('started system log pid) (kill pid SIGKILL))
                            (_ #t))
                          (make-flag))
                    (('failed kind message)
                     (list 'failed kind (string-take-right message 8)))))
     (check-equal "inputs are there, whatever they are, and as old as all items"
                  "directory: file\nfile: small\nfile: xxxxx\nlink\n"
                  (let ((items (add-items! store)))
                    (log-of store host
                            (drv "reads" "\
for item in $items; do
  if test -L $item; then echo link
  elif test -d $item; then echo directory: $(cat $item/file)
  else echo file: $(head -c 5 $item)
  fi
  if test $item -nt $old; then echo new; fi
done
echo > $out"
                                 #:sources items
                                 #:environment
                                 `(("items" . ,(string-join items))
                                   ("old" . ,shell))))))
     (test "a builder without output"
           (match (result-of store host (drv "nothing" "true"))
             (('failed 'output message)
              (string-contains message "failed to produce output path"))))
     (test "a builder that does not exist"
           (match (result-of store host
                             (drv "absent" "true"
                                  #:builder (string-append shell
                                                           "/bin/absent")))
             (('failed 'failed message)
              (string-contains message "cannot start the builder"))))
     (test "a fixed output with the right hash"
           (eq? 'built
                (result-of store host
                           (drv "fixed" "printf hello > $out"
                                #:hash (sha256-of "hello")))))
     (check-equal "a fixed output with the wrong hash" '(output #t)
                  (call-with-values
                      (lambda ()
                        (try-build store host
                                   (drv "wrong" "printf other > $out"
                                        #:hash (sha256-of "hello"))))
                    (lambda (result events)
                      (list (second result)
                            (any (match-lambda
                                   (('trace text)
                                    (string-prefix? "@ hash-mismatch " text))
                                   (_ #f))
                                 events)))))
     (test "a background process dies with the builder"
           (let ((before (current-time)))
             (and (eq? 'built
                       (result-of store host
                                  (drv "daemon" "\
(sleep 1000 &) ; echo > $out")))
                  (< (- (current-time) before) 30))))
     (test "a set-user-id output is not"
           (let ((drv (drv "setuid" "echo > $out; chmod 6755 $out")))
             (and (eq? 'built (result-of store host drv))
                  (= #o555
                     (logand #o7777
                             (stat:mode
                              (lstat (output-file store drv "out"))))))))
     (when (eq? %platform 'freebsd)
       (test "an output that its builder made immutable"
             (eq? 'built
                  (result-of store host
                             (drv "immutable" "\
mkdir $out; echo > $out/file; ln -s file $out/link
chflags -h uchg $out/file $out/link $out")))))
     (unless (eq? %platform 'freebsd)   ;its static programs make none
       (test "a fifo in the output is refused"
             (match (result-of store host
                               (drv "fifo" "mkdir $out; mkfifo $out/fifo"))
               (('failed 'output message) #t))))
     (test "a world-writable output is refused"
           (match (result-of store host
                             (drv "suspicious" "mkdir $out; chmod 777 $out"))
             (('failed 'output message)
              (string-contains message "suspicious"))))
     (test "silence is limited"
           (match (result-of store host (drv "silent" "sleep 1000")
                             #:options '((max-silent-time . 1)))
             (('failed 'timeout message)
              (string-contains message "silence"))))
     (test "time is limited"
           (match (result-of store host
                             (drv "busy" "while true; do echo; done")
                             #:options '((timeout . 1)))
             (('failed 'timeout message) #t)))
     (test "the log is limited"
           (match (result-of store host
                             (drv "flood" "while true; do echo; done")
                             #:options '((max-log-size . 100000)))
             (('failed 'timeout message)
              (string-contains message "log output"))))
     (test "a builder does not survive an error in following it"
           (let ((builder #f))
             (match (perform-task!
                     store host (drv "orphan" "echo ready; sleep 1000") '()
                     (match-lambda
                       (('started system log pid) (set! builder pid))
                       (_ (error "disk full")))
                     (make-flag))
               (('failed 'transient message)
                (errno-of (lambda () (kill builder 0)))))))
     (test "a cancelled build ends"
           (let* ((flag (make-flag))
                  (drv (drv "cancelled" "echo ready; sleep 1000"))
                  (result (perform-task!
                           store host drv '()
                           (match-lambda
                             (('log _) (flag-set! flag))
                             (_ #t))
                           flag)))
             (match result
               (('failed 'cancelled message) #t))))
     (test "outputs may refer to each other and to inputs"
           (let* ((drv (drv "many" "\
echo $lib > $out; echo $0 > $lib; echo $doc > $doc"
                            #:outputs '("out" "lib" "doc")))
                  (result (result-of store host drv))
                  (outputs (query-derivation-outputs store drv)))
             (and (eq? 'built result)
                  (equal? (list (assoc-ref outputs "lib"))
                          (references store (assoc-ref outputs "out")))
                  (equal? (list (assoc-ref outputs "doc"))
                          (references store (assoc-ref outputs "doc"))))))
     (check-equal "an output that is valid already is not replaced"
                  '(built "before" (#f #t))
                  (let* ((drv (drv "partly" "echo $lib > $out; echo > $lib"
                                   #:outputs '("out" "lib")))
                         (outputs (query-derivation-outputs store drv))
                         (out (assoc-ref outputs "out"))
                         (lib (assoc-ref outputs "lib"))
                         (file (output-file store drv "lib")))
                    (call-with-output-file file
                      (lambda (port) (display "before" port)))
                    (register-items!
                     store (list (path-info lib (make-string 64 #\0) 1)))
                    (let ((result (result-of store host drv)))
                      (list result
                            (call-with-input-file file get-string-all)
                            (map (lambda (path)
                                   (->bool (path-info-deriver
                                            (query-path-info store path))))
                                 (list lib out))))))
     (test "disallowed references are refused"
           (match (result-of store host
                             (drv "disallowed" "echo $out > $out"
                                  #:environment
                                  '(("allowedReferences" . ""))))
             (('failed 'output message)
              (string-contains message "not allowed to refer"))))
     (check-equal "what others are making is postponed" '(postponed built)
                  (let* ((drv (drv "locked" "echo > $out"))
                         (locks (lock-paths
                                 store
                                 (map cdr (query-derivation-outputs store
                                                                    drv))))
                         (result (result-of store host drv)))
                    (unlock-paths! locks)
                    (list result (result-of store host drv))))
     (check-equal "no other build gets a directory that has grown large" '()
                  (let ((staging (store-staging store)))
                    (result-of store host (drv "litter" %litter))
                    (await-clean-ups (staging-clean-ups staging))
                    (filter (lambda (name)
                              (let ((file (staged-file staging
                                                       (string-append
                                                        name "/tmp"))))
                                (and (file-exists? file)
                                     (> (stat:size (stat file)) 1048576))))
                            (directory-entries (staged-file staging ".")))))
     (let* ((made (drv "graphed" "echo > $out"))
            (output (begin
                      (result-of store host made)
                      (assoc-ref (query-derivation-outputs store made)
                                 "out")))
            (graph (lambda (name item)
                     (log-of store host
                             (drv name "\
while read line; do echo \"$line\"; done < graph; echo > $out"
                                  #:environment
                                  `(("exportReferencesGraph"
                                     . ,(string-append "graph "
                                                       item))))))))
       (check-equal "a references graph of an item"
                    (string-append output "\n\n0\n")
                    (graph "graph-of-item" output))
       (check-equal "that of a derivation has its outputs, too"
                    (string-concatenate
                     (map (lambda (item)
                            (string-append
                             item "\n\n"
                             (if (string=? item made)
                                 (string-append "1\n" shell "\n")
                                 "0\n")))
                          (sort (list made output shell) string<?)))
                    (graph "graph-of-derivation" made)))
     (check-equal "an output is a copy if the builder shares directories"
                  '(#t #f)
                  (let* ((drv (drv "inode" "\
echo of its own > $out; /bin/ls -i $out"))
                         (log (log-of store (build-host
                                             #:users (build-host-users host)
                                             #:directories %host-directories)
                                      drv))
                         (inode (string->number
                                 (car (string-tokenize log)))))
                    (list (integer? inode)
                          (eqv? inode
                                (stat:ino (stat (output-file store drv
                                                             "out")))))))
     (test "kept build directory"
           (call-with-values
               (lambda ()
                 (try-build store host (drv "kept" "echo > file; exit 1")
                            #:options '((keep-failed? . #t)
                                        (client . (35999 . 35999)))))
             (lambda (result events)
               (match (find (match-lambda
                              (('note _) #t) (_ #f))
                            events)
                 (('note text)
                  (let* ((start (+ 1 (string-index text #\`)))
                         (directory (substring text start
                                               (- (string-length text) 1)))
                         (kept? (file-exists?
                                 (string-append directory "/file"))))
                    (delete-recursively directory)
                    kept?))))))
     (await-clean-ups (staging-clean-ups (store-staging store)))
     (check-equal "nothing is left behind" '() (leftovers store)))))

(test-begin "build")
(when (zero? (getuid))
  (run-tests "build users" %users))
(when (eq? %platform 'linux)
  (run-tests "user namespace" #f))
(test-end "build")
