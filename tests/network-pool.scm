;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Networks that are made before a builder needs one.

(use-modules (fruix build network-pool)
             (fruix config)
             (fruix network)
             (srfi srfi-64)
             (tests support))

(define %pool (make-network-pool))

(define (take)
  "Return the inode number of a network of the pool, or #f."
  (call-with-pooled-network %pool
    (lambda (network)
      (and network (stat:ino (stat network))))))

(define (take-when-there)
  (wait-until take))

(test-begin "network-pool")

(test-equal "a new pool has none" #f (take))

(if (and (eq? %platform 'linux) (zero? (getuid)))
    (begin
      (test-assert "each is another one, and not the host's"
        (let ((one (take-when-there))
              (other (take-when-there)))
          (not (or (= one other)
                   (memv (stat:ino (stat "/proc/self/ns/net"))
                         (list one other))))))
      (test-equal "want of descriptors is no reason to make none later" '(#f #t)
        (let* ((pool (make-network-pool))
               (spare (lambda ()
                        ((@@ (fruix build network-pool) network-pool-spare)
                         pool)))
               (take (lambda () (call-with-pooled-network pool identity))))
          ;; A new thread might not be possible either.
          (wait-until (lambda () (pair? (@@ (fruix worker) %idle))))
          (call-with-descriptors 3
            (lambda ()
              (take)
              (wait-until (lambda () (not (eq? 'coming (spare)))))))
          (let ((found (spare)))
            (take)
            (list found (wait-until (lambda () (integer? (spare))))))))
      (test-equal "a thread is where it was after making one"
        (stat:ino (stat "/proc/self/ns/net"))
        (begin
          (close-fdes (make-network))
          (stat:ino (stat "/proc/thread-self/ns/net")))))
    (test-assert "who may not make any is told so"
      (memv (catch 'system-error
              (lambda ()
                (close-fdes (make-network))
                #f)
              (lambda arguments (system-error-errno arguments)))
            (list EPERM ENOSYS))))

(test-end "network-pool")
