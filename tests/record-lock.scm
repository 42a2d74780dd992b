;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Lock files exclude threads and processes, and survive being deleted.

(use-modules (fruix record-lock)
             (fruix thread)
             (ice-9 rdelim)
             (ice-9 threads)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests support))

(define-syntax-rule (with-thread expression)
  (join-thread (start-thread (lambda () expression))))

;; A child of its own code, since locks belong to processes.
(define (call-with-holder file proc)
  "Call PROC with a thunk that ends a process which has locked FILE."
  (call-with-program
   (list "guile" "--no-auto-compile" "-c"
         "(use-modules (fruix record-lock) (ice-9 rdelim))
          (define file (cadr (command-line)))
          (acquire-file-lock file 'exclusive)
          (display \"locked\n\")
          (force-output)
          (read-line)"
         file)
   (lambda (from to)
     (read-line from)
     (proc (lambda () (close-port to))))))

;; More than select(2) knows.
(define (call-with-many-descriptors thunk)
  (call-with-values (lambda () (getrlimit 'nofile))
    (lambda (soft hard)
      (setrlimit 'nofile hard hard)))
  (let ((descriptors (map (lambda (_) (open-fdes "/dev/null" O_RDONLY))
                          (iota 1100))))
    (dynamic-wind
      (const #t)
      thunk
      (lambda () (for-each close-fdes descriptors)))))

(test-begin "record-lock")

(call-with-temporary-directory
 (lambda (directory)
   (define file (string-append directory "/lock"))

   (test-equal "shared locks go together, an exclusive one waits for both"
     '(#t #f #f #t)
     (let ((one (acquire-file-lock file 'shared))
           (two (acquire-file-lock file 'shared)))
       (define (free?)
         (let ((lock (acquire-file-lock file 'exclusive #:wait? #f)))
           (and lock
                (begin
                  (release-file-lock! lock)
                  #t))))
       (let ((before (->bool (and one two)))
             (both (free?)))
         (release-file-lock! one)
         (let ((single (free?)))
           (release-file-lock! two)
           (list before both single (free?))))))

   (test-equal "a lock file is private" #o600
     (stat:perms (stat file)))

   (test-equal "another thread cannot take an exclusive lock" #f
     (let ((lock (acquire-file-lock file 'exclusive)))
       (let ((result (with-thread
                      (acquire-file-lock file 'shared #:wait? #f))))
         (release-file-lock! lock)
         result)))

   (test-equal "an exclusive lock that is made shared lets others share it"
     '(#t #f #t)
     (let ((lock (acquire-file-lock file 'exclusive)))
       (share-file-lock! lock)
       (let* ((shared (acquire-file-lock file 'shared #:wait? #f))
              (exclusive (with-thread
                          (acquire-file-lock file 'exclusive #:wait? #f))))
         (release-file-lock! shared)
         (release-file-lock! lock)
         (list (->bool shared) exclusive
               (let ((lock (acquire-file-lock file 'exclusive #:wait? #f)))
                 (release-file-lock! lock)
                 #t)))))

   (test-assert "a thread that waits for itself is told"
     (let* ((lock (acquire-file-lock file 'exclusive))
            (message (message-of
                      (lambda () (acquire-file-lock file 'exclusive)))))
       (release-file-lock! lock)
       (string-contains message "already locked")))

   (test-equal "a deleted lock file is recreated by the thread that waited"
     '(#t #f)
     (let* ((lock (acquire-file-lock file 'exclusive))
            (waiter (start-thread
                     (lambda ()
                       (let ((lock (acquire-file-lock file 'exclusive)))
                         (release-file-lock! lock)
                         (file-exists? file))))))
       (release-file-lock! lock #:delete? #t)
       (let ((recreated? (join-thread waiter)))
         (release-file-lock! (acquire-file-lock file 'exclusive)
                             #:delete? #t)
         (list recreated? (file-exists? file)))))

   (test-equal "four threads count to 400 without losing one" 400
     (let ((count 0))
       (for-each join-thread
                 (map (lambda (_)
                        (start-thread
                         (lambda ()
                           (do ((i 0 (+ i 1)))
                               ((= i 100))
                             (let* ((lock (acquire-file-lock file 'exclusive))
                                    (seen count))
                               (yield)
                               (set! count (+ seen 1))
                               (release-file-lock! lock
                                                   #:delete? (odd? i)))))))
                      (iota 4)))
       count))

   (let ((link (string-append directory "/link")))
     (define refusal
       (format #f "lock file `~a' is a symbolic link" link))
     (symlink file link)
     (test-equal "a symbolic link is not followed" refusal
       (message-of (lambda () (acquire-file-lock link 'exclusive))))
     (test-equal "and the failure leaves no lock behind" refusal
       (message-of (lambda () (acquire-file-lock link 'exclusive)))))

   (test-equal "neither is a hard link locked"
     (string-append "lock file `" directory "/hard' has other names, too")
     (let ((victim (string-append directory "/victim"))
           (hard (string-append directory "/hard")))
       (call-with-output-file victim (const #t))
       (link victim hard)
       (message-of (lambda () (acquire-file-lock hard 'exclusive)))))

   (call-with-holder file
     (lambda (end)
       (test-equal "another process holds it" #f
         (acquire-file-lock file 'shared #:wait? #f))
       (let ((waiter (start-thread
                      (lambda ()
                        (let ((lock (acquire-file-lock file 'shared)))
                          (release-file-lock! lock)
                          'acquired)))))
         (end)
         (test-equal "its end releases it" 'acquired
           (join-thread waiter)))))

   ;; Guile's own 'usleep' ends the process there.
   (test-equal "waiting in a thread that starts with many descriptors open"
     'acquired
     (call-with-holder file
       (lambda (end)
         (call-with-many-descriptors
          (lambda ()
            (let ((waiter (start-thread
                           (lambda ()
                             (release-file-lock!
                              (acquire-file-lock file 'shared))
                             'acquired))))
              (usleep 100000)
              (end)
              (join-thread waiter)))))))

   (test-equal "a value comes through, an exception releases" '(value #t)
     (list (call-with-file-lock file 'exclusive (const 'value))
           (begin
             (false-if-exception
              (call-with-file-lock file 'exclusive (lambda () (throw 'oops))))
             (let ((lock (acquire-file-lock file 'exclusive #:wait? #f)))
               (release-file-lock! lock)
               #t))))))

(test-end "record-lock")
