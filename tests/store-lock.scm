;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Locks on store paths: threads, processes, order, what remains.

(use-modules (fruix store)
             (fruix store layout)
             (fruix thread)
             (ice-9 rdelim)
             (ice-9 threads)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests support))

(define (item name)
  (string-append "/gnu/store/" (string-pad "" 32 #\0) "-" name))

(define (lock-files layout)
  (filter (lambda (name) (string-suffix? ".lock" name))
          (directory-entries (layout-physical-store layout))))

(define-syntax-rule (in-thread body ...)
  (join-thread (start-thread (lambda () body ...))))

(define %holder
  ;; Another process: it opens the store under the root that it is told, locks
  ;; the paths that it is told, says so, and goes on when its input does.
  "(use-modules (fruix store) (fruix store layout) (ice-9 match)
                (ice-9 rdelim))
   (match (command-line)
     ((_ root . paths)
      (call-with-store (make-layout #:root root)
        (lambda (store)
          (let ((locks (lock-paths store paths)))
            (display \"locked\n\")
            (force-output)
            (read-line)
            (unlock-paths! locks #:delete? #t))))))")

(define (call-with-other-process directory paths proc)
  "Call PROC while another process has the store under DIRECTORY open, and
PATHS in it locked; PROC may call the thunk that it gets to make it end."
  (call-with-program `("guile" "--no-auto-compile" "-c" ,%holder ,directory
                       ,@paths)
    (lambda (from to)
      (read-line from)
      (proc (lambda ()
              (newline to)
              (force-output to)))
      (close-port to)
      (read-line from))))

(define %collector
  ;; Another process: it says which lock it can get on the file that it is
  ;; told.
  "(use-modules (fruix record-lock))
   (let ((descriptor (open-fdes (cadr (command-line)) O_RDWR)))
     (display (cond ((set-record-lock descriptor 'exclusive #:wait? #f)
                     'exclusive)
                    ((set-record-lock descriptor 'shared #:wait? #f)
                     'shared)
                    (else 'none)))
     (newline))")

(define (lock-for-others file)
  (string->symbol
   (string-trim-right
    (program-output "guile" "--no-auto-compile" "-c" %collector file))))

(define (test-locks directory)
  (define layout (make-layout #:root directory))
  (define a (item "a"))
  (define b (item "b"))
  (define (lock-file path)
    (string-append (basename path) ".lock"))

  (call-with-store layout
    (lambda (store)
      (test-equal "what somebody else has put in their place goes"
        (make-list 4 #t)
        (map (lambda (put)
               (put (string-append (physical layout a) ".lock"))
               (let ((locks (false-if-exception
                             (lock-paths store (list a) #:wait? #f))))
                 (when locks (unlock-paths! locks #:delete? #t))
                 (->bool locks)))
             (list (lambda (file) (symlink "/nowhere" file))
                   (lambda (file) (mkdir file))
                   (lambda (file) (link (layout-schema-file layout) file))
                   (lambda (file)
                     (close-port (open-output-file file))
                     (chmod file 0)
                     (when (zero? (geteuid))
                       (chown file 35111 35110))))))
      (test-equal "which leaves alone what it is a link to" "7"
        (call-with-input-file (layout-schema-file layout) read-line))
      (test-equal "lock files are beside the items, and deleted on demand"
        (list (list (lock-file a) (lock-file b)) (list (lock-file a)) '())
        (let* ((locks-a (lock-paths store (list a)))
               (locks-b (lock-paths store (list b)))
               (both (lock-files layout)))
          (unlock-paths! locks-a)
          (unlock-paths! locks-b #:delete? #t)
          (let ((one (lock-files layout)))
            (unlock-paths! (lock-paths store (list a)) #:delete? #t)
            (list both one (lock-files layout)))))

      (test-equal "another thread is told when it does not want to wait"
        '(#f #t)
        (let* ((locks (lock-paths store (list b)))
               (result (in-thread
                        ;; B is taken, so A must be given back.
                        (let ((both (lock-paths store (list b a) #:wait? #f))
                              (one (lock-paths store (list a) #:wait? #f)))
                          (unlock-paths! one #:delete? #t)
                          (list both (->bool one))))))
          (unlock-paths! locks #:delete? #t)
          result))

      (test-equal "a path given twice is locked once" 2
        (let ((locks (lock-paths store (list a b a))))
          (unlock-paths! locks #:delete? #t)
          (length locks)))

      (test-equal "threads that want the same in other orders do not lock up"
        '(100 100)
        (map join-thread
             (map (lambda (paths)
                    (start-thread
                     (lambda ()
                       (count (lambda (_)
                                (unlock-paths! (lock-paths store paths)
                                               #:delete? #t)
                                #t)
                              (iota 100)))))
                  (list (list a b) (list b a)))))

      (test-equal "alone, a short lock needs no file, and keeps threads out"
        '(() #f none shared)
        (append
         (call-with-path-lock store a
           (lambda ()
             (list (lock-files layout)
                   (in-thread (lock-paths store (list a) #:wait? #f))
                   (lock-for-others (layout-big-lock layout)))))
         (list (lock-for-others (layout-big-lock layout)))))
      (test-equal "after a failure it is free again" '(oops done)
        (list (catch 'oops
                (lambda ()
                  (call-with-path-lock store a (lambda () (throw 'oops))))
                (lambda (key) key))
              (call-with-path-lock store a (const 'done))))
      (test-equal "8 threads under one cover count to 800" 800
        (let ((count 0))
          (for-each join-thread
                    (map (lambda (_)
                           (start-thread
                            (lambda ()
                              (do ((i 0 (+ i 1)))
                                  ((= i 100))
                                (call-with-path-lock store a
                                  (lambda ()
                                    (let ((seen count))
                                      (yield)
                                      (set! count (+ seen 1)))))))))
                         (iota 8)))
          count))

      (call-with-other-process directory '()
        (lambda (finish)
          (test-equal "in company, a short lock has a file"
            (list (list (lock-file a)) '())
            (list (call-with-path-lock store a
                    (lambda () (lock-files layout)))
                  (lock-files layout)))))
      (call-with-other-process directory (list a)
        (lambda (finish)
          (test-equal "another process is respected" #f
            (lock-paths store (list a) #:wait? #f))
          (let ((waiter (start-thread
                         (lambda ()
                           (call-with-path-lock store a (const 'mine))))))
            (finish)
            (test-equal "and waited for" 'mine
              (join-thread waiter)))))
      (test-equal "no lock file is left" '()
        (lock-files layout))

      (let* ((directory (layout-temporary-roots-directory layout))
             (roots (string-append directory "/"
                                   (first (directory-entries directory)))))
        (test-equal "a collector elsewhere sees that a session is alive"
          'shared
          (lock-for-others roots))
        (test-equal "a session's file is empty when it is over, and kept"
          '((2 shared 0) (2 shared 2))
          (let ((look
                 (lambda ()
                   (let* ((names (directory-entries directory))
                          (file (string-append directory "/" (last names))))
                     (list (length names) (lock-for-others file)
                           (stat:size (stat file)))))))
            (call-with-temporary-roots store
              (lambda () (add-temp-root! store (item "session"))))
            (let ((after (look)))
              (list after
                    (call-with-temporary-roots store
                      (lambda ()
                        (add-temp-root! store "x")
                        (look))))))))))
  (test-equal "none is left when the store is closed" '()
    (directory-entries (layout-temporary-roots-directory layout))))

(test-begin "store-lock")
(call-with-temporary-directory test-locks)
(test-end "store-lock")
