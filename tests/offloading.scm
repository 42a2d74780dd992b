;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Builds on other machines, from the client's request to the registered
;;; output.  A script stands in for 'guix offload'; what it does is said by the
;;; name of the derivation.

(use-modules (fruix config)
             (fruix protocol wire)
             (fruix store layout)
             (ice-9 match)
             (ice-9 regex)
             (ice-9 textual-ports)
             (rnrs bytevectors)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests daemon-support)
             (tests support)
             (tests worker-client))

(define %agent "#!/bin/sh
test \"$1\" = offload || exit 9
make_output () {
  echo remote > \"$ROOT$1\"
  sqlite3 \"$ROOT/var/guix/db/db.sqlite\" \"pragma busy_timeout = 10000;
insert into ValidPaths (path, hash, registrationTime, narSize)
values ('$1', 'sha256:$(printf %064d 0)', 1, 120)\" > /dev/null
}
while read local system drv features; do
  echo \"$local $system $features\" >> \"$ROOT/offers\"
  case $drv in
    *-declined.drv) echo '# decline'; continue;;
    *-frees.drv) touch \"$ROOT/free\"; echo '# decline'; continue;;
    *-busy.drv)
      test -f \"$ROOT/free\" || { echo '# postpone'; continue; };;
    *-later.drv)
      if ! test -f \"$ROOT/later\"; then
        touch \"$ROOT/later\"; echo '# postpone'; continue
      fi;;
  esac
  echo 'a word to the user'
  echo '# accept'
  read inputs
  read outputs
  echo \"from afar\" >&4
  case $drv in
    *-fails.drv) echo 'it failed there'; exit 100;;
    *-slow.drv) exit 101;;
    *-breaks.drv) exit 7;;
    *-forgets.drv) exit 0;;
    *-waits.drv) sleep 1000;;
  esac
  for output in $outputs; do make_output \"$output\"; done
  exit 0
done
")

(define (offers daemon)
  "Return what was said when builds were offered, the last one first."
  (let ((file (string-append (layout-root (daemon-layout daemon)) "/offers")))
    (if (file-exists? file)
        (reverse (string-split (string-trim-right
                                (call-with-input-file file get-string-all))
                               #\newline))
        '())))

(define (output-of port drv)
  (first (result-of port read-octets-list 22 drv)))

(define (file-contents daemon item)
  (call-with-input-file (physical (daemon-layout daemon) item)
    get-string-all))

(define (build port drv)
  "Return the result of building DRV, and the log."
  (call-with-values (lambda () (request port read-int 9 (list drv) 0))
    (lambda (result log data) (list result (string-concatenate log)))))

(define* (wanting port #:key (settings '()))
  "Say what today's Guix says of a client that wants offloading."
  (say port 19 0 0 0 0 1 0 0 1 0)
  (write-octets-pairs port settings)
  (force-output port)
  (receive-reply port))

(define (status-of result)
  (match result
    (((text status) _) status)
    ((value _) value)))

(define (last-words drv log)
  "Return the last two lines of LOG, with DRV called so."
  (take-right (string-split
               (string-trim-right
                (regexp-substitute/global #f (regexp-quote drv) log
                                          'pre "DRV" 'post))
               #\newline)
              2))

(define (started? log)
  (string-match "@ build-started [^ ]+ - [^ ]+ [^ ]+ [0-9]+\n" log))

(define (run-tests daemon)
  (define-syntax-rule (with-port port body ...)
    (call-with-client daemon (lambda (port) body ...)))
  (define script "echo here > $out")
  (with-port port
    (wanting port)
    (test-equal "what another machine accepts is not built here"
      (list 1 #t #t "remote\n" (string-append "1 " %system " big,fast"))
      (let* ((drv (add-script port "accepted" script
                              #:environment
                              '(("requiredSystemFeatures" . "big fast"))))
             (result (build port drv)))
        (match result
          ((value log)
           (list value (->bool (started? log))
                 (->bool (and (string-contains log "from afar\n")
                              (string-contains log "a word to the user\n")))
                 (file-contents daemon (output-of port drv))
                 (first (offers daemon)))))))
    (test-equal "what is declined is" '(1 "here\n")
      (let* ((drv (add-script port "declined" script))
             (result (build port drv)))
        (list (first result) (file-contents daemon (output-of port drv)))))
    (test-equal "what is postponed is offered again" '(1 "remote\n")
      (let* ((drv (add-script port "later" script))
             (result (build port drv)))
        (list (first result) (file-contents daemon (output-of port drv)))))
    (for-each
     (match-lambda
       ((name status)
        (test-equal (string-append "it " name) status
          (status-of (build port (add-script port name script))))))
     '(("slow" 101) ("breaks" 1) ("forgets" 1)))
    (test-equal "who has something built says why it fails, the trace how"
      `(100 ("it failed there" "@ build-failed DRV - 1 builder for `DRV' \
failed with exit code 100"))
      (let ((drv (add-script port "fails" script)))
        (match (build port drv)
          (((text status) log) (list status (last-words drv log))))))
    (test-equal "a fixed output may succeed another time" 1
      (status-of (build port (add-script port "fixed-fails" script
                                         #:hash (make-bytevector 32)))))
    (let ((before (offers daemon)))
      (test-equal "what prefers to be local is not offered" '(1 #t)
        (let* ((drv (add-script port "stays" script
                                #:environment '(("preferLocalBuild" . "1"))))
               (result (build port drv)))
          (list (first result) (equal? before (offers daemon)))))))

  (with-port port
    (wanting port #:settings '(("build-max-jobs" . "1")))
    (test-equal "what is postponed does not keep others waiting"
      '(1 "remote\n" "here\n")
      (let ((drvs (map (lambda (name) (add-script port name script))
                       '("busy" "frees"))))
        (cons (request port read-int 9 drvs 0)
              (map (lambda (drv) (file-contents daemon (output-of port drv)))
                   drvs)))))

  (with-port port
    (wanting port #:settings '(("build-max-jobs" . "0")))
    (test-equal "without slots here, others still build"
      (list 1 (string-append "0 " %system))
      (let ((result (build port (add-script port "elsewhere" script))))
        (list (first result) (first (offers daemon)))))
    (test-equal "or nobody does" 1
      (status-of (build port (add-script port "declined" "echo 2 > $out")))))

  (with-port other
    (wanting other)
    (say other 9 (list (add-script other "waits" script)) 0)
    (with-port port
      (wanting port #:settings '(("build-max-jobs" . "1")))
      (test-equal "what runs elsewhere takes no slot here" 1
        (first (build port (add-script port "declined" "echo 3 > $out")))))))

(test-begin "offloading")
(skip-unless (search-path (parse-path (getenv "PATH")) "sqlite3")
             "needs the program sqlite3")
(call-with-temporary-directory
 (lambda (directory)
   (define agent (string-append directory "/guix"))
   (call-with-output-file agent (lambda (port) (display %agent port)))
   (chmod agent #o755)
   (setenv "GUIX" agent)
   (call-with-daemon run-tests
    #:prepare (lambda (layout)
                (install-shell layout)
                (setenv "ROOT" (layout-root layout))
                (run-program "mkdir" "-p"
                             (layout-configuration-directory layout))
                (call-with-output-file (layout-machines-file layout)
                  (const #t)))
    #:options (append '("--no-substitutes") %build-users
                      %host-directories))))
(test-end "offloading")
