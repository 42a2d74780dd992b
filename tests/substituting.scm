;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Substitutes, from the client's question to the item in the store.  A script
;;; stands in for 'guix substitute': a server has the items for which there are
;;; files in a directory.

(use-modules (fruix base32)
             (fruix descriptors)
             (fruix nar)
             (fruix octets)
             (fruix protocol wire)
             (fruix store)
             (fruix store layout)
             (ice-9 match)
             (ice-9 textual-ports)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests daemon-support)
             (tests support)
             (tests worker-client))

;; For an item NAME there are NAME, its contents; NAME.info, what the server
;; says of it, line by line; and NAME.reply, what the agent says at last.  When
;; it is asked whether there is an item whose name ends in -hangs, it never
;; answers, and its process ID is in the file 'pid'.
(define %agent "#!/bin/sh
cd \"$SUBSTITUTES\" || exit 1
while read command arguments; do
  case $command in
    have|info)
      for item in $arguments; do
        name=${item##*/}
        case $name in
          *-hangs) echo $$ > pid.new; mv pid.new pid; exec sleep 1000;;
        esac
        if test -f \"$name.info\"; then
          echo \"$item\" >&4
          test $command = have || cat \"$name.info\" >&4
        fi
      done
      echo >&4;;
    substitute)
      set -- $arguments
      name=${1##*/}
      echo \"getting $2\" >&2
      case $name in *-breaks) echo 'a word' >&2; exit 3;; esac
      test -f \"$name\" && cp \"$name\" \"$2\"
      cat \"$name.reply\" >&4;;
  esac
done
")

(define (item name)
  (string-append "/gnu/store/" (make-string 32 #\a) "-" name))

(define (write-file directory name text)
  (call-with-output-file (string-append directory "/" name)
    (lambda (port) (display text port))))

(define (archive-hash directory name)
  (call-with-directory directory
    (lambda (fd)
      (bytevector->nix-base32-string (file-nar-hash fd name)))))

(define* (offer! directory item contents #:key (references '()) (deriver "")
                 reply)
  "Let the server have ITEM."
  (define name (basename item))
  (write-file directory name contents)
  (write-file directory (string-append name ".info")
              (format #f "~a~%~a~%~{~a~%~}~a~%~a~%" deriver
                      (length references) references 100 200))
  (write-file directory (string-append name ".reply")
              (or reply
                  (format #f "success sha256:~a 200~%"
                          (archive-hash directory name)))))

(define (output-of port drv)
  (first (result-of port read-octets-list 22 drv)))

(define (file-contents daemon item)
  (call-with-input-file (physical (daemon-layout daemon) item)
    get-string-all))

(define (read-info port)
  (let* ((deriver (read-octets port))
         (hash (read-octets port))
         (references (read-octets-list port))
         (time (read-int port)))
    (list deriver references (read-long port))))

(define (valid? port item)
  (result-of port read-boolean 1 item))

(define (build port . paths)
  "Return the result of building PATHS, and the log."
  (call-with-values (lambda () (request port read-int 9 paths 0))
    (lambda (result log data) (list result (string-concatenate log)))))

(define (mentions? text . words)
  (every (lambda (word) (string-contains text word)) words))

(define* (wanting port #:key (fallback 0) (substitutes 1) (keep-going 0)
                  (settings '()))
  (set-options port #:fallback fallback #:substitutes substitutes
               #:keep-going keep-going #:settings settings
               #:print-build-trace 1))

(define (run-tests daemon directory)
  (define-syntax-rule (with-port port body ...)
    (call-with-client daemon (lambda (port) body ...)))
  (define (offer item contents . options)
    (apply offer! directory item contents options))

  (offer (item "needed") "needed\n")
  (offer (item "there") "there\n" #:references (list (item "needed"))
         #:deriver (item "there.drv"))
  (with-port port
    (wanting port)
    (test-equal "who has what"
      (list #t #f (list (item "needed")))
      (list (result-of port read-boolean 3 (item "there"))
            (result-of port read-boolean 3 (item "nowhere"))
            (result-of port read-octets-list 32
                       (list (item "needed") (item "nowhere")))))
    (test-equal "what is no path is not asked about, nor a second question put"
      (list 1 (list (item "needed")))
      (match (result-of port read-boolean 21
                        (string-append "/x\nhave " (item "there")))
        ((_ status)
         (list status
               (result-of port read-octets-list 32 (list (item "needed")))))))
    (test-equal "what is needed comes along"
      (list 1 "there\n" #t
            (list (item "there.drv") (list (item "needed")) 200))
      (let ((result (result-of port read-int 10 (item "there"))))
        (list result (file-contents daemon (item "there"))
              (valid? port (item "needed"))
              (result-of port read-info 26 (item "there")))))
    (test-assert "what nobody has is an error"
      (match (result-of port read-int 10 (item "nowhere"))
        ((text status) (mentions? text "cannot be created"))))
    (test-equal "but not when it is asked to be built" 1
      (first (build port (item "nowhere"))))

    (let ((drv (add-script port "fails" "exit 1")))
      (offer (output-of port drv) "substituted\n")
      (test-equal "an output that can be substituted is not built"
        '(1 "substituted\n")
        (list (first (build port drv))
              (file-contents daemon (output-of port drv)))))

    (offer (item "heard") "heard\n")
    (test-assert "what is said of the copy is said of the item"
      (mentions? (second (build port (item "heard")))
                 (string-append "getting " (item "heard") "\n")))

    (let* ((drv (add-script port "breaks" "exit 1"))
           (output (output-of port drv)))
      (offer output "broken\n")
      (test-assert "what breaks is told in one line of the trace"
        (mentions? (second (build port drv))
                   "a word\n@ substituter-failed"
                   (string-append "@ substituter-failed " output
                                  " failed `guix substitute --substitute' \
ended unexpectedly with exit code 3\n"))))

    (let ((drv (add-script port "insists" "echo built > $out"
                           #:environment '(("allowSubstitutes" . "0")))))
      (offer (output-of port drv) "substituted\n")
      (test-equal "nor is one that must be built substituted" '(1 "built\n")
        (list (first (build port drv))
              (file-contents daemon (output-of port drv)))))

    (let ((drv (add-script port "incomplete" "echo built > $out")))
      (offer (output-of port drv) "substituted\n"
             #:references (list (item "nowhere")))
      (test-equal "nor one that needs what nobody has" '(1 "built\n")
        (list (first (build port drv))
              (file-contents daemon (output-of port drv)))))

    (let ((drv (add-script port "deceived" "echo built > $out")))
      (define output (output-of port drv))
      (offer output "something else\n"
             #:reply (format #f "success sha256:~a 200~%"
                             (make-string 52 #\0)))
      (test-assert "what has another hash is refused, and not looked at again"
        (match (build port drv)
          (((text status) log)
           (and (mentions? text "some substitutes" drv "--fallback")
                (= status 1)
                (mentions? log
                           (string-append "@ hash-mismatch " output " sha256 "
                                          (make-string 52 #\0))
                           (string-append "@ substituter-failed " output))
                (not (valid? port output))
                (not (file-exists? (physical (daemon-layout daemon)
                                             output)))))))
      (test-equal "who falls back to building has it built" '(1 "built\n")
        (begin
          (wanting port #:fallback 1)
          (list (first (build port drv)) (file-contents daemon output)))))

    (let ((drv (add-script port "kept" "exit 1"))
          (name (lambda (file) (text->octets (file (daemon-layout daemon))))))
      (test-equal "files are named in UTF-8" '(100 #t)
        (begin
          (set-options port #:keep-failed 1)
          (match (build port drv)
            (((_ status) log)
             (list status
                   (->bool
                    (mentions? log (name (lambda (layout)
                                           (log-file-name layout drv)))
                               (string-append
                                "note: keeping build directory `"
                                (name layout-temporary-directory)))))))))
      (wanting port))

    (let ((deceived (lambda (name)
                      "Return a derivation with a substitute that is none."
                      (let ((drv (add-script port name "echo built > $out")))
                        (offer (output-of port drv) "something else\n"
                               #:reply (format #f "success sha256:~a 200~%"
                                               (make-string 52 #\0)))
                        drv)))
          (starts (lambda (log drv)
                    "Return how often DRV was built, according to LOG."
                    (length (filter (lambda (line)
                                      (string-prefix? (string-append
                                                       "@ build-started " drv)
                                                      line))
                                    (string-split log #\newline))))))
      (test-equal "whoever falls back, what else was begun goes on" '(1 1)
        (let ((drv (add-script port "slow" "sleep 3; echo built > $out")))
          (wanting port #:fallback 1
                   #:settings '(("build-max-jobs" . "2")))
          (match (build port (deceived "first") drv)
            ((result log) (list result (starts log drv))))))
      (test-equal "what cannot be built is not tried again" '(100 1 #t)
        (let ((drv (add-script port "hopeless" "exit 1"))
              (other (deceived "second")))
          (wanting port #:fallback 1 #:keep-going 1)
          (match (build port other drv)
            (((_ status) log)
             (list status (starts log drv)
                   (valid? port (output-of port other)))))))))

  (test-equal "the search ends when its client leaves" '(#t #f)
    (match (with-port port
             (define file (string-append directory "/pid"))
             (wanting port)
             (say port 32 (list (item "hangs")))
             (wait-until (lambda () (file-exists? file)))
             (let ((agent (call-with-input-file file read)))
               (list agent (running? agent))))
      ((agent there?)
       (wait-until (lambda () (not (running? agent))))
       (list there? (running? agent)))))

  (with-port port
    (wanting port #:substitutes 0)
    (test-equal "who wants no substitutes sees none" '(#f ())
      (list (result-of port read-boolean 3 (item "needed"))
            (result-of port read-octets-list 32 (list (item "needed")))))))

(test-begin "substituting")
(call-with-temporary-directory
 (lambda (directory)
   (define agent (string-append directory "/guix"))
   (chmod directory #o755)
   (call-with-output-file agent (lambda (port) (display %agent port)))
   (chmod agent #o755)
   (setenv "GUIX" agent)
   (setenv "SUBSTITUTES" directory)
   (call-with-daemon
    (lambda (daemon) (run-tests daemon directory))
    ;; Programs and clients are told names of files in UTF-8.
    #:below "/łukasz"
    #:prepare install-shell
    #:options (append %build-users %host-directories))))
(test-end "substituting")
