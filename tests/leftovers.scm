;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; What processes that were killed have left goes when a store is opened, and
;;; nothing else.

(use-modules (fruix errors)
             (fruix mailbox)
             (fruix process)
             (fruix store)
             (fruix store clean-ups)
             (fruix store layout)
             (fruix store notes)
             (fruix store staging)
             (ice-9 match)
             (ice-9 rdelim)
             (ice-9 threads)
             (srfi srfi-64)
             (tests mount-support)
             (tests support))

(define %hash (make-string 32 #\0))

(define (make-file file mode text)
  (call-with-output-file file
    (lambda (port) (display text port)))
  (chmod file mode))

(define (entries layout)
  "Return what is in the store when nobody has it open."
  (directory-entries (layout-physical-store layout)))

(define (open-and-close layout)
  (call-with-store layout (const #t)))

(define (call-with-test-layout proc)
  (call-with-temporary-directory
   (lambda (directory)
     (let ((layout (make-layout #:root directory)))
       (open-and-close layout)
       (proc layout)))))

(define %lock-holder
  "(use-modules (fruix record-lock) (ice-9 rdelim))
   (acquire-file-lock (cadr (command-line)) 'exclusive)
   (display \"locked\n\")
   (force-output)
   (read-line)")

(define (call-while-locked file thunk)
  "Call THUNK while another process has FILE locked."
  (match (list (pipe) (pipe))
    (((input . output) (their-input . our-output))
     (let ((process (spawn-process (getenv "GUILE")
                                   (list "guile" "--no-auto-compile" "-c"
                                         %lock-holder file)
                                   #:input their-input #:output output)))
       (close-port output)
       (close-port their-input)
       (read-line input)
       (let ((value (thunk)))
         (close-port our-output)
         (close-port input)
         (wait-process process)
         value)))))

(test-begin "leftovers")

(call-with-test-layout
 (lambda (layout)
   (define store (layout-physical-store layout))
   (define (item name) (string-append store "/" %hash "-" name))
   (make-file (item "a.lock") #o600 "")
   (make-file (item "Cargo.lock") #o444 "")
   (make-file (item "full.lock") #o600 "contents")
   (mkdir (item "directory.lock") #o600)
   (test-equal "a lock that another process holds stays"
     #t
     (call-while-locked (item "a.lock")
       (lambda ()
         (open-and-close layout)
         (file-exists? (item "a.lock")))))
   (make-file (item "a.lock") #o600 "")
   (open-and-close layout)
   (test-equal "lock files go, but not what is an item by that name"
     (list ".links" (string-append %hash "-Cargo.lock")
           (string-append %hash "-directory.lock")
           (string-append %hash "-full.lock"))
     (entries layout))))

;; A shell makes and deletes names that are no text in our encoding.
(call-with-test-layout
 (lambda (layout)
   (define store (layout-physical-store layout))
   (define (in-store command)
     (run-program "sh" "-c" (string-append "cd \"$0\" && " command) store))
   (make-file (string-append store "/a.lock") #o600 "")
   (link (string-append store "/a.lock") (string-append store "/b.lock"))
   (in-store "umask 77 && > \"$(printf '\\377c.lock')\" &&
              mkdir \"$(printf '.fruix-\\377')\"")
   (test-equal "what builders make in the store keeps nobody from it"
     '(5 2)
     (let ((warnings (call-with-output-string
                       (lambda (port)
                         (parameterize ((current-warning-port port))
                           (open-and-close layout))))))
       (list (length (entries layout))
             (string-count warnings #\newline))))
   (in-store "rm -r *c.lock .fruix-*")))

(call-with-test-layout
 (lambda (layout)
   (define roots (layout-temporary-roots-directory layout))
   (make-file (string-append roots "/4711") #o600 "/gnu/store/x\0")
   (open-and-close layout)
   (test-equal "temporary roots of dead processes go" '()
     (directory-entries roots))))

(call-with-test-layout
 (lambda (layout)
   (define root (layout-root layout))
   (define stale (string-append (layout-physical-store layout) "/.fruix-dead"))
   (define (elsewhere name mode)
     (let ((directory (string-append root "/" name)))
       (mkdir directory mode)
       (chmod directory mode)
       (note name (string-append directory "\0"))))
   (define (note name text)
     (make-file (string-append stale "/elsewhere-" name) #o600 text))
   (mkdir stale)
   (elsewhere "build" #o700)
   (make-file (string-append root "/build/file") #o600 "contents")
   (elsewhere "builder's" #o700)
   (when (zero? (geteuid))
     (chown (string-append root "/builder's") 35111 35110))
   (elsewhere "kept" #o755)
   (elsewhere "other" #o700)
   ;; A note that was erased, one that was never complete, and one too many.
   (note "other" (string-append "\0" (string-drop root 1) "/other\0"))
   (note "half" (string-append root "/other"))
   (note "gone" (string-append root "/nothing\0"))
   ;; An item that is a symbolic link: its target is somebody's idea.
   (mkdir (string-append root "/private") #o700)
   (symlink (string-append root "/private") (string-append stale "/1"))
   (call-with-store layout
     (lambda (store)
       (test-equal "what a staging directory has elsewhere goes with it"
         '(#f #f #t #t #t #f)
         (map (lambda (name) (file-exists? (string-append root "/" name)))
              '("build" "builder's" "kept" "other" "private"
                "gnu/store/.fruix-dead")))
       (test-equal "a note is there as long as what it is about"
         (list (list root) '() (list root stale) '())
         (let* ((staging (store-staging store))
                (notes (lambda ()
                         (sort (noted (staged-file staging ".")) string<?)))
                (during (lambda (directory thunk)
                          (call-with-noted-directory staging directory
                            (lambda (forget)
                              (let ((result (thunk)))
                                (forget)
                                result))))))
           (list (during root notes)
                 (notes)
                 (during root (lambda () (during stale notes)))
                 (notes))))
       (test-equal "notes are used again" '("elsewhere-1" "elsewhere-2")
         (directory-entries (staged-file (store-staging store) ".")))))))

(call-with-test-layout
 (lambda (layout)
   (define stale (string-append (layout-physical-store layout) "/.fruix-dead"))
   (define (open-with release)
     "Open and close the store; return what was told, and whether the directory
is still there."
     (list (call-with-output-string
             (lambda (port)
               (parameterize ((current-warning-port port))
                 (close-store! (open-store layout #:release release)))))
           (file-exists? stale)))
   (mkdir stale)
   (test-equal "where something stays mounted, the store can be opened"
     (list (format #f "fruix: cannot delete `~a': unmount: Device busy~%"
                   stale)
           #t)
     (open-with (lambda (directory)
                  (throw 'system-error "unmount" "~a" '("Device busy")
                         (list EBUSY)))))
   (test-equal "and the next attempt may be better" '("" #f)
     (open-with (const #t)))))

(define (test-cleaning store)
  (define clean-ups (staging-clean-ups (store-staging store)))
  (define go (make-mailbox))
  (define done '())
  (define mutex (make-mutex))
  (define (work name)
    (lambda ()
      (mailbox-get! go)
      (with-mutex mutex
        (set! done (cons name done)))))
  (test-equal "nobody waits for what is cleaned up" '()
    (begin
      (clean-up-later! clean-ups (work 'first))
      done))
  (test-equal "when much goes on, one does it oneself" 'here
    (let ((here (current-thread)))
      (for-each (lambda (n) (clean-up-later! clean-ups (work n))) (iota 7))
      (clean-up-later! clean-ups
                       (lambda ()
                         (when (eq? here (current-thread))
                           (set! done 'here))))
      done))
  (test-equal "what is cleaned up can be waited for" 8
    (begin
      (set! done '())
      (for-each (lambda (_) (mailbox-put! go 'go)) (iota 8))
      (await-clean-ups clean-ups)
      (length done)))
  (test-equal "what cannot be cleaned up is told" "fruix: no way\n"
    (call-with-output-string
      (lambda (port)
        (parameterize ((current-warning-port port))
          (clean-up-later! clean-ups (lambda () (fail "no way")))
          (await-clean-ups clean-ups)))))
  (test-equal "and where it cannot be told, nobody waits for ever" 'done
    (call-with-full-port
     (lambda (port)
       (parameterize ((current-warning-port port))
         (clean-up-later! clean-ups (lambda () (fail "no way")))
         (await-clean-ups clean-ups)
         'done)))))

(call-with-test-layout
 (lambda (layout) (call-with-store layout test-cleaning)))

(call-with-test-layout
 (lambda (layout)
   (define private (string-append (layout-root layout) "/private"))
   (define store (layout-physical-store layout))
   (define theirs (string-append store "/.fruix-theirs"))
   (mkdir private #o700)
   (mkdir theirs)
   (make-file (string-append theirs "/elsewhere-1") #o600
              (string-append private "\0"))
   (skip-unless (zero? (getuid)) "needs root")
   (test-equal "notes of build users are not heeded"
     '((".links") #t)
     (begin
       (chown theirs 65534 -1)
       (open-and-close layout)
       (list (entries layout) (file-exists? private))))))

(unless (and %linux? (can-mount?)) (test-skip 1))
(test-equal "what cannot be deleted is told, and keeps nobody from the store"
  '("fruix: cannot delete" #t #f)
  (trial
   (define layout (make-layout #:root (getcwd)))
   (define (in-store name)
     (file (string-append "gnu/store/" name)))
   (call-with-store layout (const #t))
   (for-each mkdir (map in-store '(".fruix-a" ".fruix-a/x" ".fruix-b")))
   (mount-tmpfs (in-store ".fruix-a/x"))
   (make-file (in-store ".fruix-a/x/file") "")
   (let ((warning (call-with-output-string
                    (lambda (port)
                      (parameterize ((current-warning-port port))
                        (call-with-store layout (const #t)))))))
     (cons (string-take warning 20)
           (map file-exists?
                (map in-store '(".fruix-a/x/file" ".fruix-b")))))))

(unless (and %linux? (can-mount?)) (test-skip 1))
(test-equal "nor is a store held open by what cannot be deleted"
  '(#t #t 0)
  (trial
   (define layout (make-layout #:root (getcwd)))
   (define (open? descriptor)
     (equal? (layout-physical-store layout)
             (false-if-exception
              (readlink (string-append "/proc/self/fd/" descriptor)))))
   (let* ((store (open-store layout))
          (mounted ((@ (fruix store staging) staged-file)
                    (store-staging store) "x")))
     (mkdir mounted)
     (mount-tmpfs mounted)
     (call-with-output-file (string-append mounted "/file") (const #t))
     (let* ((error (message-of (lambda () (close-store! store))))
            (lock ((@ (fruix record-lock) acquire-file-lock)
                   (layout-big-lock layout) 'exclusive #:wait? #f)))
       (list (string? error) (->bool lock)
             (count open? (directory-entries "/proc/self/fd")))))))

(test-end "leftovers")
