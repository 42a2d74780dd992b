;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Which links keep which items, whoever made them; profile directories.

(use-modules ((fruix descriptors) #:select (call-with-directory))
             (fruix links)
             (fruix store)
             (fruix store directories)
             (fruix store layout)
             (fruix store roots)
             (fruix store temporary-roots)
             ((fruix tree) #:select (delete-tree!))
             ((ice-9 textual-ports) #:select (get-string-all))
             (rnrs bytevectors)
             (srfi srfi-64)
             (tests support))

(test-begin "store-roots")

(test-equal "the name of an indirect root is guix-daemon's"
  "f2iay49f07g4g5ir4si4549p4avi0lbq"
  (indirect-root-name "/tmp/gc-root"))

(call-with-temporary-directory
 (lambda (directory)
   (define layout (make-layout #:root directory))
   (define state (layout-state-directory layout))
   (define (in-state name) (string-append state "/" name))
   (define home (string-append directory "/home"))
   (mkdir home)

   (call-with-store layout
     (lambda (store)
       (define (text name)
         (add-text! store name (string->utf8 name) '()))
       (define a (text "a"))
       (define b (text "b"))
       (define c (text "c"))
       (define none "/gnu/store/00000000000000000000000000000000-none")

       (test-equal "no roots at first" '()
         (find-roots store))

       (test-equal "direct roots, in gcroots, profiles and manifests, at any \
depth; links into an item stand for it"
         (list (cons (in-state "gcroots/deep/down/a") a)
               (cons (in-state "manifests/c") c)
               (cons (in-state "profiles/per-user/b-1-link") b))
         (begin
           (for-each (lambda (name) (mkdir (in-state name)))
                     '("gcroots/deep" "gcroots/deep/down" "manifests"))
           (symlink (string-append a "/bin/a")
                    (in-state "gcroots/deep/down/a"))
           (symlink b (in-state "profiles/per-user/b-1-link"))
           (symlink c (in-state "manifests/c"))
           (find-roots store)))
       (delete-file (in-state "gcroots/deep/down/a"))
       (delete-file (in-state "manifests/c"))
       (delete-file (in-state "profiles/per-user/b-1-link"))

       (test-equal "a regular file with the name of an item"
         (list (cons (in-state (string-append "gcroots/" (basename a))) a))
         (let ((file (in-state (string-append "gcroots/" (basename a)))))
           (close-port (open-output-file file))
           (let ((roots (find-roots store)))
             (delete-file file)
             roots)))

       (test-equal "what is not valid, other targets and loops are none"
         '()
         (begin
           (symlink none (in-state "gcroots/invalid"))
           (symlink "/etc" (in-state "gcroots/etc"))
           (symlink "/gnu/store" (in-state "gcroots/store"))
           (symlink "loop" (in-state "gcroots/loop"))
           (symlink "nowhere/at/all" (in-state "gcroots/dangling"))
           (find-roots store)))
       (test-assert "only dangling ones in auto are deleted"
         (and (read-link (in-state "gcroots/dangling")) #t))

       (let ((result (string-append home "/result")))
         (symlink a result)
         (add-indirect-root! store result)
         (test-equal "an indirect root is known by the user's link"
           (list (cons result a))
           (find-roots store))
         (test-equal "its link in auto" result
           (read-link (in-state (string-append "gcroots/auto/"
                                               (indirect-root-name
                                                result)))))
         (test-equal "added twice it is one" (list (cons result a))
           (begin
             (add-indirect-root! store result)
             (find-roots store)))
         (delete-file result)
         (test-equal "deleted by the user, it is none" '()
           (find-roots store))
         (test-equal "and cleaned up" '()
           (directory-entries (in-state "gcroots/auto"))))

       (let ((odd (string-append home "/r\xe9sultat \xff")))
         (make-link b odd)
         (add-indirect-root! store odd)
         (test-equal "names that are no text in any encoding"
           (list (cons odd b))
           (find-roots store)))

       (let ((file (string-append home "/file")))
         (close-port (open-output-file file))
         (add-indirect-root! store file)
         (test-equal "a user's file that is no link is none, and stays" 2
           (begin
             (find-roots store)
             (length (directory-entries (in-state "gcroots/auto"))))))

       (test-assert "one that was added again while it was cleaned up stays"
         (let ((link (string-append home "/again")))
           (define root
             (in-state (string-append "gcroots/auto/"
                                      (indirect-root-name link))))
           (symlink a link)
           (add-indirect-root! store link)
           ((@@ (fruix store roots) clean-up) root link)
           (let ((stays? (member (cons link a) (find-roots store))))
             (delete-file link)
             stays?)))

       (test-assert "a relative name is taken from the root directory"
         (begin
           (add-indirect-root! store "no/such/file")
           (and (read-link
                 (in-state (string-append
                            "gcroots/auto/"
                            (indirect-root-name "/no/such/file"))))
                #t)))

       (test-equal "100 levels of directories do not stop the search" 1
         (let ((deep (let loop ((directory (in-state "profiles/per-user"))
                                (level 0))
                       (if (= level 100)
                           directory
                           (let ((next (string-append directory "/d")))
                             (mkdir next)
                             (loop next (+ level 1)))))))
           (symlink a (string-append deep "/too-deep"))
           (length (find-roots store))))

       (test-equal "a profile directory is made once"
         (list #t #o755 #t)
         (let* ((first (make-profile-directory layout "somebody" (getuid)))
                (perms (stat:perms
                        (stat (in-state "profiles/per-user/somebody")))))
           (list first perms
                 (make-profile-directory layout "somebody" (getuid)))))
       (test-assert "names that are none are refused"
         (let loop ((names '("" "." ".." "a/b" "../x")))
           (or (null? names)
               (and (message-of (lambda ()
                                  (make-profile-directory layout (car names)
                                                          (getuid))))
                    (loop (cdr names))))))))
   ;; Guile cannot delete a file whose name it cannot decode.
   (call-with-directory directory
     (lambda (descriptor) (delete-tree! descriptor "home")))))

(skip-unless (zero? (getuid)) "needs root")
(test-equal "a profile directory belongs to its user" 61000
  (call-with-temporary-directory
   (lambda (directory)
     (let ((layout (make-layout #:root directory)))
       (call-with-store layout
         (lambda (store)
           (make-profile-directory layout "somebody" 61000)
           (stat:uid (stat (string-append
                            (layout-profiles-directory layout)
                            "/per-user/somebody")))))))))

(test-equal "with build users the store is theirs to add to" '(#o1775 0 61001)
  (call-with-temporary-directory
   (lambda (directory)
     (let ((layout (make-layout #:root directory)))
       (call-with-store layout
         (lambda (store)
           (let ((status (stat (layout-physical-store layout))))
             (list (stat:perms status) (stat:uid status)
                   (stat:gid status))))
         #:build-group 61001)))))

(test-equal "temporary roots are not without number"
  '("more than 1048576 temporary roots" 3)
  (call-with-temporary-directory
   (lambda (directory)
     (let ((layout (make-layout #:root directory)))
       (call-with-store layout
         (lambda (store)
           (let ((roots (make-temporary-roots layout)))
             (define (add! name)
               (add-temporary-root! roots
                                    (string-append "/gnu/store/" name)))
             ((@@ (fruix store temporary-roots) set-temporary-roots-count!)
              roots (- (expt 2 20) 3))
             (for-each add! '("a" "b" "a" "c" "c"))
             (let ((message (message-of (lambda () (add! "d")))))
               (add! "b")
               (let ((paths ((@@ (fruix store temporary-roots) paths-of)
                             roots)))
                 (close-temporary-roots! roots)
                 (list message (length paths)))))))))))

(test-equal "a temporary root that cannot be written down is not there in part"
  (list EFBIG '("/gnu/store/a" "/gnu/store/c"))
  (call-with-temporary-directory
   (lambda (directory)
     (let ((layout (make-layout #:root directory)))
       (sigaction SIGXFSZ SIG_IGN)
       (call-with-store layout
         (lambda (store)
           (let* ((roots (make-temporary-roots layout))
                  (file ((@@ (fruix store temporary-roots)
                             temporary-roots-file)
                         roots)))
             (add-temporary-root! roots "/gnu/store/a")
             (let ((errno (call-with-values (lambda () (getrlimit 'fsize))
                            (lambda (soft hard)
                              (dynamic-wind
                                (lambda () (setrlimit 'fsize 20 hard))
                                (lambda ()
                                  (errno-of
                                   (lambda ()
                                     (add-temporary-root! roots
                                                          "/gnu/store/b"))))
                                (lambda () (setrlimit 'fsize soft hard)))))))
               (add-temporary-root! roots "/gnu/store/c")
               ;; What a collector of another process reads.
               (let ((text (call-with-input-file file get-string-all)))
                 (close-temporary-roots! roots)
                 (list errno
                       (delete "" (string-split text #\nul))))))))))))

(test-end "store-roots")
