;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Every way out of a primitive is a Scheme exception or a value, and frees
;;; what the primitive had decoded.

(use-modules (fruix primitives)
             (fruix thread)
             (ice-9 threads)
             (srfi srfi-64)
             (tests support))

(test-begin "boundary")

(test-equal "value" 2 (%boundary-trial '("a" "b") ""))
(test-equal "value: nothing alive" 0 (%live-requests))

(test-equal "errno failure is a system-error" ENOENT
  (errno-of (lambda () (%boundary-trial '("a") "errno"))))
(test-equal "system-error names call and object"
  '("trial" "~A: ~A" ("/object" "No such file or directory"))
  (catch 'system-error
    (lambda () (%boundary-trial '("/object") "errno"))
    (lambda (key who template arguments errno)
      (list who template arguments))))
(test-equal "an object cannot forge a line of a log"
  '("/object?daemon: ?[31m" "No such file or directory")
  (catch 'system-error
    (lambda ()
      (%boundary-trial '("/object\ndaemon: \x1b[31m") "errno"))
    (lambda (key who template arguments errno)
      arguments)))
(test-equal "an object that is not UTF-8 is still reported" ENOENT
  (errno-of (lambda () (%boundary-trial '(#vu8(255 254)) "errno"))))

(test-equal "bad_alloc is ENOMEM" ENOMEM
  (errno-of (lambda () (%boundary-trial '("a") "bad_alloc"))))
(test-equal "std::system_error keeps its errno" EACCES
  (errno-of (lambda () (%boundary-trial '("a") "system_error"))))
(test-equal "any other C++ exception is EIO" EIO
  (errno-of (lambda () (%boundary-trial '("a") "other"))))

(test-equal "wrong type in the middle of a list" 'wrong-type-arg
  (key-of (lambda () (%boundary-trial '("a" 12 "b") ""))))
(test-equal "improper list" 'wrong-type-arg
  (key-of (lambda () (%boundary-trial '("a" . "b") ""))))
(test-equal "circular list" 'wrong-type-arg
  (key-of (lambda ()
            (let ((ring (list "a" "b")))
              (set-cdr! (cdr ring) ring)
              (%boundary-trial ring "")))))
(test-equal "embedded NUL" EINVAL
  (errno-of (lambda () (%boundary-trial '("a\x00b") ""))))

(test-equal "nothing alive after all that" 0 (%live-requests))

(test-equal "10,000 failures in each of two threads leave nothing alive"
  '(0 0)
  (map join-thread
       (map (lambda (_)
              (start-thread
               (lambda ()
                 (do ((i 0 (+ i 1)))
                     ((= i 10000) (%live-requests))
                   (false-if-exception (%boundary-trial '("a" 1) ""))
                   (false-if-exception (%boundary-trial '("a") "errno"))))))
            '(1 2))))

(test-end "boundary")
