;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Which items a collection deletes and which it spares; what other sessions
;;; may do meanwhile.

(use-modules (fruix store)
             (fruix store layout)
             (fruix thread)
             (ice-9 match)
             (ice-9 threads)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests collector-support)
             (tests store-support)
             (tests support))

(define (name-of path)
  (string-drop path (string-length (string-append "/gnu/store/"
                                                  (make-string 33 #\0)))))

(test-begin "collector")

;;
;; What lives.
;;

(call-with-temporary-store
 (lambda (store)
   (define state (layout-state-directory (store-layout store)))
   (define a (text store "a"))
   (define b (text store "b" a))
   (define c (text store "c"))
   (define root (string-append state "/gcroots/b"))

   (test-equal "what this session has added is dead to itself"
     (sorted a b c)
     (dead-paths store))
   (test-equal "and nothing lives" '()
     (live-paths store))

   (test-equal "what other sessions have added lives"
     (list (sorted a b c) '())
     (call-with-temporary-roots store
       (lambda ()
         (list (live-paths store) (dead-paths store)))))

   (symlink b root)
   (test-equal "a root keeps its references"
     (list (sorted a b) (list c))
     (list (live-paths store) (dead-paths store)))
   (test-equal "what is alive is not deleted, what comes before it is"
     (list (string-append "cannot delete path `" a
                          "' since it is still alive")
           (sorted a b))
     (list (message-of (lambda () (delete-paths! store (list c a))))
           (all-valid-paths store)))
   (test-equal "what is not in the store is an error that deletes nothing"
     (list "path `/dev/null' is not in the store" (sorted a b))
     (list (message-of (lambda ()
                         (delete-paths! store (list b "/dev/null"))))
           (all-valid-paths store)))
   (delete-file root)

   (test-equal "with an item go those that refer to it" (sorted a b)
     (deleted (lambda () (delete-paths! store (list a)))))
   (test-equal "also from the disk" '()
     (on-disk store))
   (test-equal "what does not exist is no trouble" '()
     (deleted (lambda () (delete-paths! store (list a)))))
   (test-assert "it can be added again"
     (and (string=? a (text store "a"))
          (valid-path? store a)
          (file-exists? (file store a))))))

;; Build users without a sandbox can make entries in the store.
(call-with-temporary-store
 (lambda (store)
   (define theirs "/gnu/store/.fruix-theirs")
   (mkdir (file store theirs))
   (when (zero? (geteuid))
     (chown (file store theirs) 35111 35110))
   (test-equal "what others call as the daemon does its own is garbage"
     (if (zero? (geteuid)) (list theirs) '())
     (collected store))
   (test-assert "but not where items are made"
     (file-exists? (staged-file (store-staging store) ".")))))

(define (make-output! store drv)
  "Make the only output of @var{drv} an item of @var{store} and return it."
  (match (query-derivation-outputs store drv)
    (((_ . path))
     (make-file (file store path) "output")
     (register-items! store (list (path-info path (make-string 64 #\0) 100
                                             #:deriver drv)))
     path)))

(call-with-temporary-store
 (lambda (store)
   (define shell (text store "shell"))
   (define drv (add-shell-derivation! store shell "thing" "exit"))
   (define output (make-output! store drv))
   (define root (string-append (layout-state-directory (store-layout store))
                               "/gcroots/root"))
   (define (dead-with-root path . options)
     (symlink path root)
     (let ((dead (apply dead-paths store options)))
       (delete-file root)
       dead))

   (test-equal "an output keeps the derivation that it was built from" '()
     (dead-with-root output))
   (test-equal "unless told otherwise" (sorted shell drv)
     (dead-with-root output #:keep-derivations? #f))
   (test-equal "a derivation keeps no outputs" (list output)
     (dead-with-root drv))
   (test-equal "unless told to" '()
     (dead-with-root drv #:keep-outputs? #t))
   (test-equal "a process that uses an item keeps it" '()
     (begin
       (chmod (file store output) #o444)
       (let* ((port (open-input-file (file store output)))
              (dead (dead-paths store)))
         (close-port port)
         dead)))
   (test-equal "and no longer than that" (sorted shell drv output)
     (dead-paths store))))

;;
;; Strays.
;;

(call-with-temporary-store
 (lambda (store)
   (define (stray name)
     (string-append "/gnu/store/" (make-string 32 #\0) "-" name))
   (define (make name)
     (make-file (file store (stray name)) name))
   (for-each make '("plain" "used" "used.lock" "unused.lock"))
   (mkdir (file store (stray "used.chroot")))
   (mkdir (file store (stray "tree")))
   (make-file (string-append (file store (stray "tree")) "/file") "x")
   (chmod (file store (stray "tree")) #o555)
   (let ((keep (map stray '("used" "used.chroot" "used.lock")))
         (garbage (map stray '("plain" "tree" "unused.lock"))))
     (call-with-temporary-roots store
       (lambda ()
         (add-temp-root! store (stray "used"))
         (call-with-temporary-roots store
           (lambda ()
             (test-equal "what is in the store without being valid is dead"
               garbage
               (dead-paths store))
             (test-equal "nothing goes when nothing is to be freed" '()
               (collected store #:max-freed 0))
             (test-equal "not even what is named" '()
               (deleted (lambda ()
                          (delete-paths! store (list (stray "plain"))
                                         #:max-freed 0))))
             (test-equal "one of them can be deleted by name"
               (list (stray "plain"))
               (deleted (lambda ()
                          (delete-paths! store (list (stray "plain"))))))
             (test-equal "all go but roots, their locks and their chroots"
               (list (cdr garbage) (map basename keep))
               (list (collected store) (on-disk store)))))))
     (test-equal "which go when nobody needs the root"
       (list keep '())
       (list (collected store) (on-disk store))))))

(call-with-temporary-store
 (lambda (store)
   (define physical-store (layout-physical-store (store-layout store)))
   (define (in-store name) (string-append physical-store "/" name))

   (mkdir (in-store "trash"))
   (mkdir (in-store "trash/old"))
   (make-file (in-store "trash/old/file") "x")
   (test-equal "the trash of a collection that was killed is no garbage" '()
     (dead-paths store))
   (test-equal "but goes with the next one, which frees nothing else"
     (list '() '())
     (list (collected store #:max-freed 0) (on-disk store)))

   (symlink "/etc" (in-store "trash"))
   (test-equal "somebody else's trash is not used" '()
     (begin
       (text store "a")
       (collected store)
       (on-disk store)))

   (make-file (in-store ".links/unused") (make-string 10000 #\x))
   (test-assert "links that nobody uses are freed, and count"
     (call-with-values (lambda () (collect-garbage! store))
       (lambda (paths freed)
         (and (>= freed 10000)
              (null? (directory-entries (in-store ".links"))))))) ))

(test-equal "old items go first, until more than enough is freed" '("0" "1")
  (call-with-temporary-store
   (lambda (store)
     ;; 120 bytes each.
     (for-each (lambda (n) (text store (number->string n))) (iota 8))
     (sort (map name-of (collected store #:max-freed 239)) string<?))))

(test-equal "derivations, which are made again easily, go before the rest"
  '("drv" #t)
  (call-with-temporary-store
   (lambda (store)
     (let* ((early (text store "early"))
            (drv (add-shell-derivation! store early "late" "true")))
       (list (match (collected store #:max-freed 1)
               ((deleted) (string-take-right deleted 3)))
             (valid-path? store early))))))

;;
;; Roots that are added while a collection runs.
;;

(define (call-with-holder store proc)
  "Call @var{proc} with a procedure that adds its argument to the temporary
roots of another session, until @var{proc} returns."
  (let ((roots ((@ (fruix store temporary-roots) make-temporary-roots)
                (store-layout store))))
    (dynamic-wind
      (const #t)
      (lambda ()
        (proc (lambda (path)
                ((@ (fruix store temporary-roots) add-temporary-root!)
                 roots path))))
      (lambda ()
        ((@ (fruix store temporary-roots) close-temporary-roots!)
         roots)))))

(call-with-temporary-store
 (lambda (store)
   (define a (text store "a"))
   (define b (text store "b" a))
   (define c (text store "c"))
   (make-file (file store "/gnu/store/stray") "x")
   (call-with-holder store
     (lambda (hold!)
       (test-equal "a root that is added after marking keeps its references"
         (list (sorted c "/gnu/store/stray") (sorted a b))
         (list (collected store #:reached (at 'marked (lambda () (hold! b))))
               (all-valid-paths store)))))
   (call-with-holder store
     (lambda (hold!)
       ;; The first lot is of strays.
       (make-file (file store "/gnu/store/stray") "x")
       (test-equal "one that is added while others go, too"
         (list '("/gnu/store/stray") (sorted a b))
         (list (collected store
                          #:reached (at 'condemned (lambda () (hold! b))))
               (all-valid-paths store)))))
   (test-equal "and in the end it is a root no more" (sorted a b)
     (collected store))))

(call-with-temporary-store
 (lambda (store)
   (define a (text store "a"))
   (define holder #f)
   (define valid-then '())
   (call-with-holder store
     (lambda (hold!)
       (define (note!)
         (set! valid-then (append valid-then
                                  (list (valid-path? store a)))))
       (test-equal "who wants what is being deleted waits until it is gone"
         '((#t #f) #f)
         (begin
           (collected store
                      #:reached
                      (at 'condemned
                          (lambda ()
                            (set! holder (start-thread
                                          (lambda ()
                                            (hold! a)
                                            (note!))))
                            (usleep 50000)
                            (note!))))
           (join-thread holder)
           (list valid-then (file-exists? (file store a)))))
       (test-assert "adds it again, and is protected"
         (begin
           (text store "a")
           (null? (dead-paths store))))))))

(test-equal "what somebody has come to refer to is spared, with all it needs"
  '("a" "b" "new")
  (call-with-temporary-store
   (lambda (store)
     (let* ((a (text store "a"))
            (b (text store "b" a)))
       (collected store
                  #:reached (at 'condemned
                                (lambda ()
                                  (call-with-temporary-roots store
                                    (lambda () (text store "new" b))))))
       (sort (map name-of (all-valid-paths store)) string<?)))))

(test-equal "a session that begins meanwhile does not wait" 'added
  (call-with-temporary-store
   (lambda (store)
     (define result #f)
     (text store "a")
     (collected store
                #:reached (at 'marked
                              (lambda ()
                                (call-with-holder store
                                  (lambda (hold!)
                                    (hold! "/gnu/store/whatever")
                                    (set! result 'added))))))
     result)))

(test-end "collector")
