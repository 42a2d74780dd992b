;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; The durable mark, and what happens to items beyond it after a power cut.

(use-modules (fruix database)
             (fruix descriptors)
             (fruix durable)
             (fruix store)
             (fruix store durability)
             (fruix store layout)
             (ice-9 match)
             (ice-9 textual-ports)
             (rnrs bytevectors)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests crash-support)
             (tests store-support)
             (tests support))

(define (call-with-test-layout proc)
  (call-with-temporary-directory
   (lambda (directory)
     (proc (make-layout #:root directory)))))

(define-syntax-rule (with-store (store layout) body ...)
  (call-with-store layout (lambda (store) body ...)))

(define (text store name contents . references)
  (add-text! store name (string->utf8 contents) references))

(define (mark layout)
  (call-with-input-file (layout-durable-mark layout) read))

(define (set-mark layout . fields)
  (call-with-output-file (layout-durable-mark layout)
    (lambda (port) (write fields port))))

(define (empty layout path)
  "Do to the item PATH what a power cut does."
  (let ((file (physical layout path)))
    (chmod file #o644)
    (truncate-file file 0)
    (chmod file #o444)))

(define (call-quietly thunk)
  "Call THUNK; return its value, and what it wrote for the administrator."
  (let* ((value #f)
         (output (call-with-output-string
                   (lambda (port)
                     (parameterize ((current-warning-port port))
                       (set! value (thunk)))))))
    (list value output)))

(define (reopened layout)
  "Open and close the store; return its valid items, and what was told."
  (call-quietly (lambda () (with-store (store layout)
                             (all-valid-paths store)))))

(test-begin "durability")


;;
;; The system.
;;

(test-assert "a start of the system has one name"
  (and (< 5 (string-length (boot-id)))
       (string=? (boot-id) (boot-id))))

(test-equal "what is not there need not be made durable"
  #f
  (call-with-scratch
   (lambda (fd directory)
     (mkdir (string-append directory "/tree"))
     (errno-of (lambda () (make-durable fd '("tree" "nothing")))))))

(test-equal "what cannot be made durable is an error"
  EBADF
  (errno-of (lambda () (make-durable 9999 '()))))

(test-equal "a file is replaced as a whole"
  '("new" ("file"))
  (call-with-scratch
   (lambda (fd directory)
     (let ((file (string-append directory "/file")))
       (write-file-durably file "old, and longer")
       (write-file-durably file "new")
       (list (call-with-input-file file get-string-all)
             (directory-entries directory))))))


;;
;; The mark.
;;

(call-with-test-layout
 (lambda (layout)
   (with-store (store layout)
     (test-equal "nothing of a new store is durable" 0 (second (mark layout)))
     (text store "a" "1")
     (text store "b" "2")
     (test-equal "a registration does not wait" 0 (second (mark layout)))
     (sync-store! store)
     (test-equal "the mark follows" `(,(boot-id) 2)
       (list-head (mark layout) 2))
     (text store "c" "3")
     (test-assert "also by itself"
       (wait-until (lambda () (= 3 (second (mark layout)))))))))

(call-with-test-layout
 (lambda (layout)
   (with-store (store layout)
     (text store "a" "1"))
   (delete-file (layout-durable-mark layout))
   (reopened layout)
   (test-equal "a store without a mark is taken as it is"
     1 (second (mark layout)))
   (set-mark layout (boot-id) 1000 0)
   (reopened layout)
   (test-equal "a mark that is ahead of the database is put right"
     1 (second (mark layout)))
   (set-mark layout "x")
   (test-equal "a corrupt mark is an error"
     (string-append "`" (layout-durable-mark layout) "' is corrupt")
     (message-of (lambda () (reopened layout))))))

(define %not-brought "the store could not be brought to the disk")

(call-with-test-layout
 (lambda (layout)
   (with-store (store layout)
     (text store "a" "1")
     (test-equal "what cannot be brought to the disk now is an error"
       %not-brought
       (car (call-quietly
             (lambda ()
               (call-with-descriptors 3
                 (lambda () (message-of (lambda () (sync-store! store)))))))))
     (test-equal "the mark stays then" 0 (second (mark layout)))
     (test-assert "and follows by itself"
       (wait-until (lambda () (= 1 (second (mark layout)))))))))

(define (call-with-marker layout descriptor proc)
  "Call PROC with a marker for the store of LAYOUT, whose directory it thinks
has DESCRIPTOR."
  (let* ((db (open-database (layout-database layout) #:read-only? #t))
         (marker (start-marker layout descriptor (lambda (proc) (proc db)))))
    (dynamic-wind
      (const #t)
      (lambda () (proc marker))
      (lambda ()
        (stop-marker! marker)
        (close-database db)))))

(define (failure marker)
  (car (call-quietly
        (lambda () (message-of (lambda () (move-mark! marker)))))))

(call-with-test-layout
 (lambda (layout)
   ;; Without another one that moves the mark.
   (with-store (store layout)
     (text store "a" "1"))
   (set-mark layout (boot-id) 0 0)
   (call-with-marker layout 9999
     (lambda (marker)
       (test-equal "what could not be written is an error"
         %not-brought (failure marker))))
   (set-mark layout (boot-id) 0 0)
   (test-equal "also where nobody can be told"
     %not-brought
     (call-with-full-port
      (lambda (port)
        (parameterize ((current-warning-port port))
          (call-with-marker layout 9999
            (lambda (marker)
              (message-of (lambda () (move-mark! marker)))))))))
   (call-with-directory (layout-physical-store layout)
     (lambda (fd)
       (call-with-marker layout fd
         (lambda (marker)
           (test-equal "and still for the next, whose disk seems to be well"
             %not-brought (failure marker))))))
   (test-equal "the mark is where it was" `(,(boot-id) 0)
     (list-head (mark layout) 2))
   (reopened layout)
   (test-equal "also when the store has been opened again"
     0 (second (mark layout)))
   (pretend-reboot layout)
   (reopened layout)
   (test-equal "only the next start of the system tells what is there"
     1 (second (mark layout)))
   (set-mark layout (boot-id) 0 0)
   (call-with-directory (layout-physical-store layout)
     (lambda (fd)
       (call-with-marker layout fd
         (lambda (marker)
           (test-equal "then the mark can be moved" #f (failure marker))))))))

;;
;; Power cuts.
;;

(call-with-test-layout
 (lambda (layout)
   (define paths
     (with-store (store layout)
       (let* ((old (text store "old" "durable"))
              (old-too (text store "old-too" "durable" old)))
         (sync-store! store)
         (let* ((lost (text store "lost" "contents"))
                (missing (text store "missing" "contents"))
                (referrer (text store "referrer" "r" lost))
                (indirect (text store "indirect" "i" referrer old))
                (kept (text store "kept" "contents" old)))
           (list old old-too lost missing referrer indirect kept)))))
   (match paths
     ((old old-too lost missing referrer indirect kept)
      (empty layout lost)
      (delete-file (physical layout missing))
      (test-equal "where the system runs on, nothing is looked at"
        (list (sort paths string<?) "")
        (reopened layout))
      (pretend-reboot layout)
      (match (reopened layout)
        ((valid told)
         (test-equal "damaged items go after a power cut, and their referrers"
           (sort (list old old-too kept) string<?) valid)
         (test-assert "the administrator is told"
           (string-contains told
                            (string-append "`" lost
                                           "' was lost in a power cut\n")))))
      (test-equal "their files go, too" '() (store-strays layout))
      (test-equal "the rest is right" '() (store-faults layout))
      (test-equal "and vouched for" (list (boot-id) 7)
        (list-head (mark layout) 2))
      (test-equal "what was lost can be added again"
        lost
        (with-store (store layout) (text store "lost" "contents")))
      (empty layout old)
      (pretend-reboot layout)
      (test-assert "what was durable is not looked at"
        (member old (car (reopened layout))))))))

(define (antedate layout path seconds)
  (let ((db (open-database (layout-database layout))))
    (execute db "update ValidPaths
                   set registrationTime = registrationTime - ?
                 where path = ?"
             seconds path)
    (close-database db)))

;; As after a long time with another daemon, and then a power cut.
(call-with-test-layout
 (lambda (layout)
   (match (with-store (store layout)
            (let* ((future (text store "future" "contents"))
                   (old (text store "old" "contents"))
                   (user (text store "user" "u" old))
                   (hours (text store "hours" "contents"))
                   (lost (text store "lost" "contents" old)))
              (list future old user hours lost)))
     ((future old user hours lost)
      (antedate layout future (* -365 24 60 60))
      (antedate layout old (* 25 60 60))
      (antedate layout hours (* 23 60 60))
      (for-each (lambda (path) (empty layout path)) (list old hours lost))
      (set-mark layout "another start" 0 0)
      (match (reopened layout)
        ((valid told)
         (test-equal "what was on the disk long before stays, damaged or not"
           (sort (list future old user) string<?) valid)
         (test-assert "which the administrator is told"
           (string-contains told
                            (string-append "`" old "' is damaged, but not by \
a power cut; ")))))))))

(call-with-test-layout
 (lambda (layout)
   (define path
     (call-with-scratch
      (lambda (fd directory)
        ;; To walk it takes more than one descriptor.
        (fold (lambda (_ name) (mkdir name) (string-append name "/d"))
              (string-append directory "/tree")
              (iota 5))
        (with-store (store layout)
          (add-tree! store "kept" directory "tree")))))
   (define (valid-after-opening-with descriptors)
     (set-mark layout "another start" 0 0)
     (call-with-descriptors descriptors
       (lambda () (false-if-exception (reopened layout))))
     (car (reopened layout)))
   (gc)
   (let ((before (count-descriptors (getpid))))
     (test-equal "nothing is lost for want of a descriptor"
       (list (list path))
       (delete-duplicates
        (map (lambda (more) (valid-after-opening-with (+ before more)))
             (iota 40)))))))

(call-with-test-layout
 (lambda (layout)
   (define links (layout-links layout))
   (define (cut-at time)
     (set-mark layout "another start" 0 time)
     (reopened layout)
     (directory-entries links))
   (reopened layout)
   (call-with-output-file (string-append links "/x") (const #t))
   (test-equal "links that are older than the mark stay"
     '("x") (cut-at (+ 100 (current-time))))
   (test-equal "younger ones go"
     '() (cut-at (- (current-time) 100)))))

(test-end "durability")
