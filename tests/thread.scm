;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Threads that allocate and recurse at the same time, and that wait for each
;;; other.

(use-modules (fruix mailbox)
             (fruix thread)
             (ice-9 ftw)
             (ice-9 match)
             (ice-9 textual-ports)
             (ice-9 threads)
             (rnrs bytevectors)
             (srfi srfi-1)
             (srfi srfi-64))

(test-begin "thread")

(test-equal "the value of the thunk is the thread's" 42
  (join-thread (start-thread (lambda () 42))))

(test-assert "an exception ends the thread only"
  (eq? 'ended
       (join-thread (start-thread
                     (lambda ()
                       (catch #t
                         (lambda () (error "no"))
                         (const 'ended)))))))

;; Without the reserve this crashes one run in five.
(test-equal "stacks grow beside collections in other threads"
  (make-list 40 1500000)
  (append-map
   (lambda (round)
     (map join-thread
          (map (lambda (n)
                 (start-thread
                  (lambda ()
                    (fold + 0
                          (map (lambda (i)
                                 (bytevector-length (make-bytevector 3000)))
                               (iota 500))))))
               (iota 4))))
   (iota 10)))

(define (call-without-descriptors thunk)
  "Call THUNK while this process has all the descriptors that it may."
  (call-with-values (lambda () (getrlimit 'nofile))
    (lambda (soft hard)
      (define (take-all taken)
        (match (false-if-exception (open-fdes "/dev/null" O_RDONLY))
          (#f taken)
          (descriptor (take-all (cons descriptor taken)))))
      (setrlimit 'nofile 256 hard)
      (let ((taken (take-all '())))
        (dynamic-wind
          (const #t)
          thunk
          (lambda ()
            (for-each close-fdes taken)
            (setrlimit 'nofile soft hard)))))))

;; Guile ends the process instead.
(test-equal "without descriptors there is no thread, but an error" EMFILE
  (call-without-descriptors
   (lambda ()
     (catch 'system-error
       (lambda () (join-thread (start-thread (const #f))))
       (lambda arguments (system-error-errno arguments))))))
(test-equal "with some there is" 'value
  (join-thread (start-thread (const 'value))))

;; Waking up.

(test-equal "who does not hold the mutex may not wake up others" 'misc-error
  (catch 'misc-error
    (lambda () (notify! (make-condition-variable) (make-mutex)))
    (lambda (key . _) key)))

(define (sources)
  "Return the file names of all modules."
  (file-system-fold (const #t)
                    (lambda (file status result)
                      (if (string-suffix? ".scm" file)
                          (cons file result)
                          result))
                    (lambda (_ status result) result)
                    (lambda (_ status result) result)
                    (lambda (_ status result) result)
                    (lambda (_ status errno result) result)
                    '()
                    (string-append (getenv "abs_top_srcdir") "/guile")))

(test-equal "all modules wake up others by notify!" '("thread.scm")
  (filter-map (lambda (file)
                (let ((text (call-with-input-file file get-string-all)))
                  (and (or (string-contains text
                                            "broadcast-condition-variable")
                           (string-contains text
                                            "signal-condition-variable"))
                       (basename file))))
              (sources)))

(define (pass-on in out count)
  "Put what comes from IN into OUT, COUNT times; return #f when nothing comes
for ten seconds."
  (or (zero? count)
      (match (mailbox-get! in #:timeout 10)
        (#f #f)
        (message
         (mailbox-put! out message)
         (pass-on in out (- count 1))))))

;; What is put while its owner is about to sleep wakes it up.
(test-equal "two threads wake each other up 20,000 times" '(#t #t)
  (let* ((here (make-mailbox))
         (there (make-mailbox))
         (other (start-thread (lambda () (pass-on here there 20000)))))
    (mailbox-put! there 'ball)
    (let ((result (pass-on there here 20000)))
      (list result (join-thread other)))))

(test-end "thread")
