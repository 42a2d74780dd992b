;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Threads and processes that add to one store, and are killed meanwhile.

(use-modules (fruix store)
             (fruix store layout)
             (fruix thread)
             (ice-9 threads)
             (rnrs bytevectors)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests adding-support)
             (tests crash-support)
             (tests store-support)
             (tests support))

(test-begin "adding-together")

(with-store store layout
  (test-equal "8 threads that add the same 20 texts make each once" '(20 20)
    (let* ((threads
            (map (lambda (_)
                   (start-thread
                    (lambda ()
                      (map (lambda (i)
                             (text store "same" (number->string i)))
                           (iota 20)))))
                 (iota 8)))
           (results (map join-thread threads)))
      (list (length (delete-duplicates (concatenate results)))
            (length (all-valid-paths store)))))
  (test-equal "8 threads that add the same tree" 1
    (length
     (delete-duplicates
      (map join-thread
           (map (lambda (_)
                  (start-thread
                   (lambda () (archive store "tree" tree-archive))))
                (iota 8)))))))

(call-with-temporary-directory
 (lambda (directory)
   (define layout (make-layout #:root directory))
   (define half
     (let ((half (make-bytevector 9000)))
       (bytevector-copy! tree-archive 0 half 0 9000)
       half))
   (define (faults-once-opened)
     (close-store! (open-store layout))
     (store-faults layout))
   (close-store! (open-store layout))

   (test-equal "killed in the middle of an archive"
     'half
     (call-with-store-process directory
         `(call-with-store-restorer store "tree"
            (lambda (restorer)
              (nar-restore! restorer ,half)
              (say 'half)
              (pause)))
       (lambda (from to) (read from))))
   (test-assert "it leaves its staging directory"
     (not (equal? '(".links")
                  (directory-entries (layout-physical-store layout)))))
   (test-assert "which the next one to open the store deletes"
     (call-with-store layout
       (lambda (store) (clean? layout))))

   (test-equal "killed at 10 moments while it adds texts, all is consistent"
     '()
     (append-map
      (lambda (round)
        (call-with-store-process directory
            `(let loop ((i 0))
               (add-text! store "text"
                          (string->utf8 (format #f "~a-~a" ,round i)) '())
               (when (zero? i)
                 (say 'adding))
               (loop (+ i 1)))
          (lambda (from to)
            (read from)
            (usleep (random 40000))))
        (faults-once-opened))
      (iota 10)))
   (test-assert "and there is something to be consistent"
     (>= (length (valid-items layout)) 10))))

(test-end "adding-together")
