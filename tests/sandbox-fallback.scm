;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Where the kernel lacks a feature, a sandbox is as tight as ever, or there
;;; is none and nothing is left.

(use-modules (fruix config)
             (fruix sandbox spec)
             (ice-9 match)
             (srfi srfi-1)
             (srfi srfi-11)
             (srfi srfi-64)
             (tests sandbox-support)
             (tests support))

;; What comes of five uses of a sandbox where system calls are missing, as
;; root and as an ordinary user: each is the same as with them, or fails in a
;; step; #t is anything, and one outcome stands for all.  They are: a program
;; alone, one that must lie in a directory, one in an open sandbox, one
;; started by a process with hundreds of descriptors, and a hostile one.
(define %outcomes
  '((("clone3") same same)
    (("close_range") same same)
    (("pidfd_send_signal") same same)
    (("clone3" "close_range" "pidfd_send_signal") same same)
    (("setns")
     (same same "joinable" same same)
     (same same "joinable" same same))
    (("unshare") (same same same same #t) "lock-mounts")
    (("user-namespaces") (same same same same #t) "clone")
    (("close_range" "getdents64") "descriptors" "descriptors")
    (("fsconfig") "root" "root")
    (("fsmount") "root" "root")
    (("fsopen") "root" "root")
    (("mount") "root" "root")
    (("mount_setattr") "bind" "bind")
    (("move_mount") "root" "root")
    (("open_tree") "bind" "bind")
    (("open_tree" "setns") "bind" "bind")
    (("openat2") "directory" "directory")
    (("personality") "personality" "personality")
    (("pidfd_open") "pidfd_open" "pidfd_open")
    (("pivot_root") "pivot-root" "pivot-root")
    (("prctl") "drop-capabilities" "drop-capabilities")
    (("setgroups") "credentials" (same same same same #t))
    (("sethostname") "host-name" "host-name")
    (("setsid") "session" "session")
    (("umount2") "pivot-root" "pivot-root")))

(define (in-mode mode missing)
  (format #f "~a~a" mode
          (if (null? missing)
              ""
              (string-append ", without " (string-join missing ", ")))))

(define (without missing)
  "Return the command that executes another where the system calls MISSING
are."
  `(,(test-program "without") ,@missing "--"))

(define (own-namespace? name value)
  (equal? value (readlink (string-append "/proc/self/ns/" name))))

(define (facts text)
  "Return what TEXT reports, namespaces being told by whether they are ours."
  (map (match-lambda
         ((key . value)
          (cons key
                (if (string-prefix? "namespace " key)
                    (own-namespace? (string-drop key 10) value)
                    value))))
       (report text)))

(define (compare outcome whole)
  "Return 'same if OUTCOME is WHOLE, that with all features, or the step for
which a feature is missing, or what is strange about it."
  (match (list outcome whole)
    ((('ran 0 text) ('ran 0 expected))
     (match (lset-xor equal? (facts text) (facts expected))
       (() 'same)
       (difference difference)))
    ((('refused step (? (lambda (errno) (eqv? errno ENOSYS)))) _) step)
    (_ outcome)))

(define (uses mode directory program arguments)
  "Return the five uses of a sandbox; PROGRAM and ARGUMENTS are the hostile
one."
  (define strict (build-sandbox mode directory))
  (define box (with-field strict 'program-directory #f))
  (define probe '("/gnu/store/item/probe" "zero" "one"))
  `((alone ,box ,@probe)
    (alone ,strict ,@probe)
    (open ,box ,@probe)
    (crowded ,box ,@probe)
    (alone ,box ,program ,@arguments)))

(define (accept expected actual)
  "Return ACTUAL outcomes, with those that EXPECTED does not care for."
  (map (lambda (expected actual) (if (eq? expected #t) #t actual))
       expected actual))

(define (for-each-use outcome)
  (if (list? outcome) outcome (make-list 5 outcome)))

(define (test-missing mode directory uses)
  (define-values (whole clean?)
    (outcomes-in-mode mode directory uses))
  (test-equal (format #f "~a: with all features all run" mode)
    '(#t "0 1 2" "0 1 2" "0 1 2" "0 1 2" #f)
    (cons clean?
          (map (match-lambda
                 (('ran 0 text) (assoc-ref (report text) "descriptors"))
                 (outcome outcome))
               whole)))
  (for-each
   (match-lambda
     ((missing root rootless)
      (let-values (((expected)
                    (for-each-use (if (eq? mode 'root) root rootless)))
                   ((actual clean?)
                    (outcomes-in-mode mode directory uses
                                      #:through (without missing))))
        (test-equal (in-mode mode missing)
          (list expected 'nothing-left)
          (list (accept expected (map compare actual whole))
                (if clean? 'nothing-left 'something-left))))))
   %outcomes))

;; Ways through symbolic links of a mounted directory, and what is refused.
(define %detours
  '(("a mount through a link out" mounts "/bound/out/x"
     ("bind" ELOOP))
    ("a mount below a link out" mounts "/bound/out/etc/x"
     ("directory" ELOOP))
    ("a mount through a link to the same place" mounts "/bound/here/x"
     ("bind" ELOOP))
    ("a mount through a link to nothing" mounts "/bound/nothing/x"
     ("bind" ELOOP))
    ("a mount on a link" mounts "/bound/out"
     ("bind" EINVAL))
    ("a mount below a file" mounts "/bound/file/x"
     ("bind" ENOTDIR))
    ("a symbolic link through a link out" symlinks "/bound/out/x"
     ("symlink" ELOOP))))

(define (call-with-bound-directory directory proc)
  "Call PROC with the names of a directory of links in DIRECTORY, and of what
they lead to."
  (let ((bound (string-append directory "/bound"))
        (outside (string-append directory "/outside")))
    (for-each mkdir (list bound outside))
    (for-each (match-lambda
                ((name target)
                 (symlink target (string-append bound "/" name))))
              `(("out" ,outside) ("here" ".") ("nothing" "/nowhere")))
    (call-with-output-file (string-append bound "/file") newline)
    (chown bound %plain-user -1)
    (chown outside %plain-user -1)
    (proc bound outside)))

(define (detour-use mode directory bound)
  "Return a procedure that makes a use of a sandbox of a row of %DETOURS."
  (define box (simple-sandbox mode directory))
  (define (add box field . elements)
    (with-field box field
                (append (assq-ref (fields box) field) elements)))
  (match-lambda
    ((_ field name _)
     `(alone ,(add (add (with-field box 'program-directory #f)
                        'mounts `(,bound "/bound" read-write))
                   field
                   (if (eq? field 'mounts)
                       `("/etc" ,name read-only)
                       `(,name "target")))
             "/gnu/store/item/probe" "probe"))))

(define (fields box)
  (map (match-lambda ((name value) (cons name value)))
       (cdr (sandbox->sexp box))))

(define (test-detours mode)
  (call-with-sandbox-directory
   (lambda (directory)
     (call-with-bound-directory directory
       (lambda (bound outside)
         (define uses (map (detour-use mode directory bound) %detours))
         (let-values (((actual clean?)
                       (outcomes-in-mode mode directory uses)))
           (for-each
            (match-lambda*
              (((what _ _ (step errno)) outcome)
               (test-equal (format #f "~a: ~a" mode what)
                 `(refused ,step ,(module-ref (current-module) errno))
                 outcome)))
            %detours actual)
           (test-equal (format #f "~a: nothing is left of these" mode)
             '(#t ()) (list clean? (directory-entries outside)))))))))

(define (test-proc mode)
  "Descriptors are listed by /proc where they cannot be closed all at once,
but not by just anything of this name."
  (call-with-sandbox-directory
   (lambda (directory)
     (define false (string-append directory "/false"))
     (define box
       (with-field (with-field (simple-sandbox mode directory)
                               'program-directory #f)
                   'proc? #f))
     (define boxes
       (list box
             (with-field box 'mounts
                         `((,false "/proc" read-only)
                           ,@(sandbox-mounts box)))))
     (define (outcomes missing)
       (let-values (((outcomes clean?)
                     (outcomes-in-mode mode directory
                                       (map (lambda (box)
                                              `(open ,box
                                                "/gnu/store/item/job"
                                                "job" "/" "0"))
                                            boxes)
                                       #:through (without missing))))
         (cons clean? (map (match-lambda
                             (('ran value _) value)
                             (outcome outcome))
                           outcomes))))
     (for-each mkdir
               (list false (string-append false "/self")
                     (string-append false "/self/fd")))
     (test-equal (format #f "~a: without /proc, or with a false one" mode)
       '(#t 0 0)
       (outcomes '()))
     (test-equal (format #f "~a: the same, without close_range" mode)
       `(#t (refused "descriptors" ,ENOENT) (refused "descriptors" ,ENOSYS))
       (outcomes '("close_range"))))))

;; Executes a command with a mount of / as the root directory.
(define %chroot "
top=\"$0\"
mount --rbind / \"$top\" && exec chroot \"$top\" \"$@\"")

(define (test-chroot mode)
  "Who joins a mount namespace has its root, not that of a chroot in it."
  (call-with-sandbox-directory
   (lambda (directory)
     (define top (string-append directory "/top"))
     (define box
       (with-field (simple-sandbox mode directory) 'program-directory #f))
     (define (use how)
       `(,how ,box "/gnu/store/item/job" "job" "/etc" "0"))
     (mkdir top)
     (let-values (((outcomes clean?)
                   (outcomes-in-mode mode directory
                                     (list (use 'alone) (use 'open))
                                     #:through `("unshare" "--mount" "sh"
                                                 "-c" ,%chroot ,top))))
       (test-equal (format #f "~a, in a chroot: a sandbox cannot be opened"
                           mode)
         `(0 (refused "joinable" ,EPERM) #t)
         (match outcomes
           ((('ran alone _) open) (list alone open clean?))
           (_ outcomes)))))))

(define (test-holders mode)
  "Open sandboxes that cannot be held."
  (call-with-sandbox-directory
   (lambda (directory)
     (define (outcome holder)
       (let-values (((outcomes clean?)
                     (outcomes-in-mode
                      mode directory
                      `((open ,(simple-sandbox mode directory)
                              "/gnu/store/item/job" "job" "/" "0"))
                      #:through `("env"
                                  ,(string-append "FRUIX_HOLDER=" holder)))))
         (list outcomes clean?)))
     (test-equal (format #f "~a: without the program that holds it" mode)
       `(((refused "open-fdes" ,ENOENT)) #t)
       (outcome "/nowhere"))
     (test-equal (format #f "~a: with one that does not hold it" mode)
       '(((refused "holder" #f)) #t)
       (outcome (test-program "job"))))))

(define (test-mode mode)
  (call-with-sandbox-directory
   (lambda (directory)
     (call-with-attack mode directory
       (lambda (program arguments)
         (test-missing mode directory
                       (uses mode directory program arguments)))))))

(test-begin "sandbox-fallback")
(skip-unless (eq? %platform 'linux) "needs Linux")
(if (eq? %platform 'linux)
    (for-each (lambda (mode)
                (test-mode mode)
                (test-detours mode)
                (when (eq? mode 'root)
                  ;; Without /proc, IDs cannot be mapped, nor can they in a
                  ;; chroot.
                  (test-proc mode)
                  (test-chroot mode))
                (test-holders mode))
              %modes)
    (test-assert "sandboxes" #f))
(test-end "sandbox-fallback")
