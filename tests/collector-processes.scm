;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; What other processes may do while a collection runs, and what is left when
;;; the one that collects is killed.

(use-modules (fruix descriptors)
             (fruix store)
             (fruix store layout)
             (ice-9 rdelim)
             (ice-9 textual-ports)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests collector-support)
             (tests crash-support)
             (tests store-support)
             (tests support))

(define (call-with-root proc)
  (call-with-temporary-directory
   (lambda (root)
     (call-with-store (make-layout #:root root)
       (lambda (store) (proc root store))))))

(define (says-something? port)
  "Return true if there is something to read on @var{port}, or soon will be."
  (pair? (poll-descriptors `((,(fileno port) readable)) 200)))

(define (tell port)
  (newline port)
  (force-output port))

(test-begin "collector-processes")

(call-with-root
 (lambda (root store)
   (define roots-directory
     (layout-temporary-roots-directory (store-layout store)))
   (define path
     (call-with-store-process root
         '(begin
            (say (add-text! store "theirs" (string->utf8 "theirs") '()))
            (read-line)
            (say (call-with-values (lambda () (collect-garbage! store))
                   (lambda (paths freed) paths)))
            (say (add-text! store "theirs" (string->utf8 "theirs") '()))
            (sleep 60))
       (lambda (from to)
         (let ((path (read from)))
           (test-equal "what another process has added lives" '()
             (collected store))
           (tell to)
           (test-equal "for all but that one" (list path)
             (read from))
           (read from)
           (test-equal "when it adds it again, it lives again" '()
             (collected store))
           path))))
   (define stale
     (find (lambda (name) (not (string-prefix? (number->string (getpid))
                                               name)))
           (directory-entries roots-directory)))
   (define port
     (open-file (string-append roots-directory "/" stale) "r"))
   (test-equal "it does not when that process was killed" (list path)
     (collected store))
   (test-equal "whose file is deleted, and marked"
     '(#f #\d)
     (list (file-exists? (string-append roots-directory "/" stale))
           (string-ref (get-string-all port) 0)))
   (close-port port)))

(call-with-root
 (lambda (root store)
   (define a (text store "a"))
   (call-with-store-process root
       `(begin
          (add-temp-root! store "/gnu/store/something")
          (say 'ready)
          (read-line)
          (add-temp-root! store ,a)
          (say (valid-path? store ,a))
          (sleep 60))
     (lambda (from to)
       (read from)
       (test-equal "another process that wants a root waits until all is gone"
         '(waiting #f)
         (let ((then #f))
           (collected store
                      #:reached
                      (at 'condemned
                          (lambda ()
                            (tell to)
                            (set! then (if (says-something? from)
                                           'done
                                           'waiting)))))
           (list then (read from))))))))

(call-with-root
 (lambda (root store)
   (define a (text store "a"))
   (call-with-store-process root
       '(collect-garbage! store
                          #:reached
                          (lambda (moment)
                            (say moment)
                            (read-line)))
     (lambda (from to)
       (define lines '())
       (define (report level more)
         (when (null? lines)
           ;; Let it go on, to the end.
           (for-each (lambda _ (tell to)) (iota 10)))
         (set! lines (append lines more)))
       (test-equal "the first moment" 'marked
         (read from))
       ;; Not in this process, where the text is our own: it is the other
       ;; one that spares it.
       (test-equal "two collections exclude each other, also with another \
process"
         (list "waiting for the big garbage collector lock..." (list a))
         (let ((paths (collected store #:report report)))
           (list (first lines) paths)))))))

;;
;; Crashes.
;;

(for-each
 (lambda (moment)
   (call-with-temporary-directory
    (lambda (root)
      (define layout (make-layout #:root root))
      (define kept
        (call-with-store layout
          (lambda (store)
            (let* ((a (text store "a"))
                   (b (text store "b" a)))
              (for-each (lambda (n) (text store (number->string n) a))
                        (iota 20))
              (mkdir (file store "/gnu/store/stray"))
              (make-file (file store "/gnu/store/stray/file") "x")
              (symlink b (string-append (layout-state-directory layout)
                                        "/gcroots/b"))
              (sorted a b)))))
      (call-with-store-process root
          `(let ((count 0))
             (collect-garbage! store
                               #:reached
                               (lambda (moment)
                                 (when (eq? moment ',moment)
                                   (set! count (+ count 1)))
                                 ;; The first lot is of strays.
                                 (when (= count ,(if (memq moment
                                                           '(condemned moved))
                                                     2
                                                     1))
                                   (say moment)
                                   (sleep 60)))))
        (lambda (from to) (read from)))
      (test-equal (format #f "killed when ~a, nothing valid is missing" moment)
        '()
        (store-faults layout))
      (call-with-store layout
        (lambda (store)
          (test-equal "and the next collection leaves what is needed"
            (list kept (map basename kept) '())
            (begin
              (collected store)
              (list (all-valid-paths store) (on-disk store)
                    (dead-paths store)))))))))
 '(marked condemned invalidated moved shared))

(test-end "collector-processes")
