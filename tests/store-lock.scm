;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Locks on store paths: threads, processes, order, what remains.

(use-modules (fruix store)
             (fruix store layout)
             (ice-9 popen)
             (ice-9 rdelim)
             (ice-9 textual-ports)
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
  (join-thread (call-with-new-thread (lambda () body ...))))

(define %holder
  ;; Another process: it locks the path that it is told, says so, and goes on
  ;; when its input does.
  "(use-modules (fruix store) (fruix store layout) (ice-9 rdelim))
   (call-with-store (make-layout #:root (cadr (command-line)))
     (lambda (store)
       (call-with-path-locks store (list (caddr (command-line)))
         (lambda ()
           (display \"locked\n\")
           (force-output)
           (read-line)))))")

(define %collector
  ;; Another process: it says which lock it can get on the file it is told.
  "(use-modules (fruix record-lock))
   (let ((descriptor (open-fdes (cadr (command-line)) O_RDWR)))
     (display (cond ((set-record-lock descriptor 'exclusive #:wait? #f)
                     'exclusive)
                    ((set-record-lock descriptor 'shared #:wait? #f)
                     'shared)
                    (else 'none)))
     (newline))")

(test-begin "store-lock")

(call-with-temporary-directory
 (lambda (directory)
   (define layout (make-layout #:root directory))
   (call-with-store layout
     (lambda (store)
       (define a (item "a"))
       (define b (item "b"))

       (test-equal "the lock file is beside the item"
         (list (string-append (basename a) ".lock"))
         (call-with-path-locks store (list a)
           (lambda () (lock-files layout))))
       (test-equal "and deleted afterwards" '()
         (lock-files layout))
       (test-equal "it stays when its holder fails"
         '((oops) #t)
         (list (catch 'oops
                 (lambda ()
                   (call-with-path-locks store (list a)
                     (lambda () (throw 'oops))))
                 list)
               (file-exists? (string-append (physical layout a) ".lock"))))

       (test-equal "another thread is told when it does not want to wait"
         '(#f #t)
         (call-with-path-locks store (list b)
           (lambda ()
             (in-thread
              ;; B is taken, so A must be given back.
              (let ((both (lock-paths store (list b a) #:wait? #f))
                    (one (lock-paths store (list a) #:wait? #f)))
                (unlock-paths! one)
                (list both (->bool one)))))))

       (test-equal "a path given twice is locked once" 'done
         (call-with-path-locks store (list a b a) (const 'done)))

       (test-equal "threads that want the same in other orders do not lock up"
         '(100 100)
         (map join-thread
              (map (lambda (paths)
                     (call-with-new-thread
                      (lambda ()
                        (count (lambda (_)
                                 (call-with-path-locks store paths
                                   (const #t)))
                               (iota 100)))))
                   (list (list a b) (list b a)))))

       (let ((other (open-pipe* OPEN_BOTH "guile" "--no-auto-compile"
                                "-c" %holder directory a)))
         (read-line other)
         (test-equal "another process is respected"
           #f
           (lock-paths store (list a) #:wait? #f))
         (let ((waiter (call-with-new-thread
                        (lambda ()
                          (call-with-path-locks store (list a)
                            (const 'mine))))))
           (newline other)
           (force-output other)
           (test-equal "and waited for" 'mine
             (join-thread waiter)))
         (close-pipe other))
       (test-equal "no lock file is left" '()
         (lock-files layout))

       (let* ((directory (layout-temporary-roots-directory layout))
              (roots (string-append directory "/"
                                    (first (directory-entries directory)))))
         (test-equal "a collector elsewhere sees that a session is alive"
           "shared\n"
           (let* ((port (open-pipe* OPEN_READ "guile" "--no-auto-compile"
                                    "-c" %collector roots))
                  (output (get-string-all port)))
             (close-pipe port)
             output)))))))

(test-end "store-lock")
