;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; A cgroup is made for a sandbox, keeps what is born in it, whatever that
;;; tries, and is gone with all of it; one that fails leaves nothing.

(use-modules (fruix config)
             (fruix descriptors)
             (fruix errors)
             (fruix plan)
             (fruix process)
             (fruix sandbox cgroup)
             (fruix sandbox performing)
             (ice-9 textual-ports)
             (srfi srfi-1)
             (srfi srfi-11)
             (srfi srfi-64)
             (tests sandbox-support)
             (tests support))

;; Where cgroups can be made, if they need no controllers.
(define %parent
  (and (eq? %platform 'linux) (delegated-cgroup '())))

(define %cgroup
  (format #f "~a/fruix-test-~a" %parent (getpid)))

(define (exists?)
  (file-exists? %cgroup))

(define (control name)
  "Return what is in the file NAME of the cgroup."
  (call-with-input-file (string-append %cgroup "/" name) get-string-all))

(define (call-with-cgroup proc)
  "Call PROC while there is a cgroup; return what it returned and whether the
cgroup is there afterwards."
  (let* ((receipt (perform-steps `(("cgroup" ,%cgroup))))
         (result (on-failure (lambda () (undo-steps receipt)) proc)))
    (undo-steps receipt)
    (list result (exists?))))

(define* (start command out #:key (namespaces '()) relative)
  "Start COMMAND in the cgroup."
  (perform-plan (car command) command (environ)
                `(("namespaces" ,@namespaces)
                  ("cgroup" ,%cgroup)
                  ("descriptors" -1 ,out ,out))
                #:relative relative))

(define (shell script)
  (list "/bin/sh" "-c" script))

(define (output . start-arguments)
  "Return what a command that is started so writes."
  (let-values (((text status)
                (output-of
                 (lambda (out)
                   (apply start (car start-arguments) out
                          (cdr start-arguments))))))
    text))

(define (perform . steps)
  "Perform STEPS and return #f, or what is wrong with them."
  (fault-of (lambda ()
              (call-with-step-errors (lambda () (perform-steps steps))))))

(define (fault step call object errno)
  (list step errno
        (format #f "sandbox: ~a: ~a: ~a: ~a" step call object
                (strerror errno))))

;;; Life.

(define %where-am-i
  (shell "sed -n 's,^0::.*/\\(.*/.*\\),\\1,p' /proc/self/cgroup"))

(define %inside
  (string-append (basename %cgroup) "/inside\n"))

(define (test-life)
  (test-equal "it is there, then it is gone" '(#t #f)
    (call-with-cgroup exists?))
  (test-equal "undone again, it is still gone" #f
    (begin
      (undo-steps `(("remove-cgroup" ,%cgroup)))
      (exists?)))
  (test-equal "it has limits" '("3\n" #f)
    (call-with-cgroup
     (lambda ()
       (perform `("cgroup-limit" ,%cgroup "cgroup.max.depth" "3"))
       (control "cgroup.max.depth"))))
  (test-equal "a process is born in it" `(,%inside #f)
    (call-with-cgroup (lambda () (output %where-am-i))))
  (test-equal "and so is one that joins its namespaces" `(,%inside #f)
    (call-with-cgroup
     (lambda ()
       (call-with-process (start (shell "sleep 60") -1
                                 #:namespaces '("user"))
         (lambda (process)
           (output %where-am-i
                   #:namespaces '("user") #:relative process))))))
  (test-equal "none is born in one that is gone"
    ENOENT
    (errno-of (lambda () (start (shell "exit 0") -1)))))

;;; Failures.

(define (test-faults)
  (define steps
    `(("cgroup" ,%cgroup)
      ("cgroup-limit" ,%cgroup "cgroup.max.depth" "3")
      ("cgroup-limit" ,%cgroup "cgroup.freeze" "0")))
  (test-equal "a missing controller leaves nothing, after whatever step"
    (make-list 4 (list (fault "cgroup-limit" "open"
                              (string-append %cgroup "/missing.max") ENOENT)
                       #f))
    (map (lambda (n)
           (list (apply perform
                        `(,@(take steps n)
                          ("cgroup-limit" ,%cgroup "missing.max" "1")
                          ,@(drop steps n)))
                 (exists?)))
         (iota 4)))
  (test-equal "nor does a value that is none"
    (list (fault "cgroup-limit" "write"
                 (string-append %cgroup "/cgroup.max.depth") EINVAL)
          #f)
    (list (perform `("cgroup" ,%cgroup)
                   `("cgroup-limit" ,%cgroup "cgroup.max.depth" "many"))
          (exists?)))
  (test-equal "nor does a cgroup that cannot be made"
    (fault "cgroup" "mkdir" "/nowhere/cgroup" ENOENT)
    (perform '("cgroup" "/nowhere/cgroup")))
  (test-equal "nor one that can be made in part only"
    (list (list (fault "cgroup" "mkdir" (string-append %cgroup "/box/inside")
                       EAGAIN)
                #f)
          #f)
    ;; Where there may be one more cgroup, but not two.
    (call-with-cgroup
     (lambda ()
       (define box (string-append %cgroup "/box"))
       (perform `("cgroup-limit" ,%cgroup "cgroup.max.descendants" "2"))
       (list (perform `("cgroup" ,box)) (file-exists? box))))))

;;; What is there already.

(define (test-predecessors)
  (test-equal "what a crash left is replaced" '(#t #f)
    (begin
      (mkdir %cgroup)
      (mkdir (string-append %cgroup "/inside"))
      (call-with-cgroup exists?)))
  (test-equal "what is in use is not"
    (list (list (fault "cgroup" "rmdir" (string-append %cgroup "/inside")
                       EBUSY)
                %inside)
          #f)
    (call-with-cgroup
     (lambda ()
       (call-with-process (start (shell "sleep 60") -1)
         (lambda (process)
           (list (perform `("cgroup" ,%cgroup))
                 (output %where-am-i))))))))

;;; What is in it at the end.

;; A process that is another one each time one looks.
(define %runaway
  (shell "run () { (run) & }; echo; run"))

(define (happens? watched)
  "Return true if something happens on the descriptor in WATCHED in time."
  (pair? (poll-descriptors (list watched) 10000)))

(define (test-ends)
  (test-equal "a process that runs away is killed" '((#t #f) #t)
    (call-with-pipe
     (lambda (in out)
       (let ((result
              (call-with-cgroup
               (lambda ()
                 (let ((process (start %runaway (fileno out))))
                   (close-port out)
                   (wait-process process)
                   (happens? `(,(fileno in) readable)))))))
         (list result (happens? `(,(fileno in))))))))
  (test-equal "it is told what cannot be removed"
    (list (fault "remove-cgroup" "rmdir" %cgroup EBUSY) #t #f)
    (let ((foreign (string-append %cgroup "/foreign"))
          (receipt (perform-steps
                    `(("cgroup" ,%cgroup)
                      ("cgroup-limit" ,%cgroup
                       "cgroup.max.descendants" "2")))))
      (mkdir foreign)
      (let* ((fault (fault-of (lambda () (undo-host-steps receipt))))
             (left? (exists?)))
        (rmdir foreign)
        (undo-steps receipt)
        (list fault left? (exists?))))))

;; An ordinary user owns the cgroups that are delegated to him, and so does
;; his program, which sees the one where it lives.
(define %conquest "
mount -t cgroup2 none \"$0\" || exit
(echo 9 > \"$0/cgroup.max.descendants\") 2> /dev/null
mkdir \"$0/child\" 2> /dev/null || echo no more cgroups
")

(define (test-conquest)
  (test-equal "its owner, in it, changes nothing above"
    '(("no more cgroups\n" "1\n") #f)
    (call-with-temporary-directory
     (lambda (directory)
       (call-with-cgroup
        (lambda ()
          (wait-process
           (spawn-process "chown" `("chown" "-R" ,(number->string %plain-user)
                                    ,%cgroup)))
          (let ((text (output
                       `("/usr/bin/env"
                         ,@(become-plain-user)
                         "unshare" "--user" "--map-root-user" "--mount"
                         "--cgroup" "/bin/sh" "-c" ,%conquest ,directory))))
            (list text (control "cgroup.max.descendants"))))))
     #:mode #o755)))

(test-begin "sandbox-cgroup")
(skip-unless %parent "needs a cgroup of version 2 that is delegated")
(if %parent
    (begin
      (test-life)
      (test-faults)
      (test-predecessors)
      (test-ends)
      (test-conquest))
    (test-assert "cgroups" #f))
(test-end "sandbox-cgroup")
