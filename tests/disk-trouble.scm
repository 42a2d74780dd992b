;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Trouble with the disk: whichever call of whichever request fails, and
;;; why, the client is told, the daemon goes on, nothing is lost or left
;;; behind, and the same request succeeds afterwards.
;;;
;;; A preloaded library makes the first call that changes a file fail, then
;;; the second, until a request does not make so many.

(use-modules (fruix protocol wire)
             (fruix store)
             (fruix store layout)
             (ice-9 binary-ports)
             (ice-9 exceptions)
             (ice-9 match)
             (ice-9 popen)
             (ice-9 textual-ports)
             (rnrs bytevectors)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests daemon-support)
             (tests support)
             (tests worker-client))

(define %library
  (string-append (getenv "abs_top_builddir") "/tests/.libs/disk-trouble.so"))


;;
;; Trouble.
;;

(define (control-file layout)
  (string-append (layout-root layout) "/trouble"))

(define (make-control-file layout)
  (call-with-output-file (control-file layout)
    (lambda (port) (put-bytevector port (make-bytevector 32 0)))
    #:binary #t))

(define (prepare layout)
  "See to it that the daemon for LAYOUT is in our hands."
  (install-shell layout)
  ;; Its recorded hash is that of another shell: let it be learnt.
  (call-with-store layout
    (lambda (store)
      (register-items! store
                       (list (path-info %shell (make-string 64 #\0) #f)))))
  (make-control-file layout)
  (setenv "TROUBLE" (control-file layout))
  (setenv "LD_PRELOAD" %library))

(define (forget-trouble)
  (unsetenv "LD_PRELOAD")
  (unsetenv "TROUBLE"))

(define (arm! layout count errno lasting?)
  "Make the COUNTth call from now on fail with ERRNO, and if LASTING? all
later ones; none if COUNT is 0."
  (let ((port (open (control-file layout) O_WRONLY))
        (bytes (make-bytevector 32 0)))
    (bytevector-s64-native-set! bytes 16 errno)
    (bytevector-s64-native-set! bytes 24 (if lasting? 1 0))
    (put-bytevector port bytes)
    (force-output port)
    ;; Once everything else is in place.
    (seek port 0 SEEK_SET)
    (bytevector-s64-native-set! bytes 0 count)
    (put-bytevector port bytes 0 8)
    (close-port port)))

(define (failures layout)
  "Return how many calls have failed since the library was armed."
  (call-with-input-file (control-file layout)
    (lambda (port)
      (bytevector-s64-native-ref (get-bytevector-n port 16) 8))
    #:binary #t))


;;
;; Requests.
;;

(define (tree-nar marker)
  "Return the archive of a directory with two equal large files, a small one
and a symbolic link."
  (define large (string-append marker (make-string 9000 #\x)))
  (define (node . words)
    `("(" "type" ,@words ")"))
  (define (entry name . words)
    `("entry" "(" "name" ,name "node" ,@(apply node words) ")"))
  (call-with-values open-bytevector-output-port
    (lambda (port bytes)
      (for-each (lambda (word) (write-octets port word))
                (cons "nix-archive-1"
                      (apply node "directory"
                             (append (entry "a" "regular" "contents" large)
                                     (entry "b" "regular" "contents" large)
                                     (entry "c" "regular" "contents" marker)
                                     (entry "d" "symlink" "target" "a")))))
      (bytes))))

(define (outcome port read . words)
  "Send WORDS; return #t, or all that was said about the failure."
  (call-with-values (lambda () (apply request port read words))
    (lambda (value log data)
      (match value
        ((text 1) (string-concatenate (append log (list text))))
        (_ #t)))))

(define (build port name)
  (match (add-script port name (string-append "echo hi > $out # " name))
    ((? string? drv)
     (set-options port #:print-build-trace 0)
     (outcome port read-int 9 (list drv) 0))
    ((text _) text)))

;; Each is called with a connection and a name that was not used before; first
;; those that take the longer, the more items there are.
(define %requests
  `((verify
     ,(lambda (port name) (outcome port read-boolean 35 1 0)))
    (optimise
     ,(lambda (port name) (outcome port read-int 34)))
    (text
     ,(lambda (port name) (outcome port read-octets 8 name name '())))
    (archive
     ,(lambda (port name)
        (outcome port read-octets 7 name 1 1 "sha256" (tree-nar name))))
    (temporary-root
     ,(lambda (port name)
        (outcome port read-int 11 (string-append "/gnu/store/" name))))
    (root
     ,(lambda (port name)
        (outcome port read-int 12 (string-append "/no-such/" name))))
    (build ,build)))

(define (attempt daemon request name)
  "Return the outcome of REQUEST on a new connection, the symbol closed if
that ends instead."
  (guard (exception (#t 'closed))
    (call-with-client daemon (lambda (port) (request port name)))))


;;
;; What has to hold.
;;

(define (told? outcome errno)
  "Return true if OUTCOME is an error that says what ERRNO does, in the words
of the system or of SQLite."
  (and (string? outcome)
       (any (lambda (words) (string-contains outcome words))
            (list (strerror errno) "disk I/O error"
                  "database or disk is full"
                  "unable to open database file"))))

(define (spare-area? directory)
  "Return true if DIRECTORY is a chroot area that is kept for the next build;
#f if it goes meanwhile."
  (false-if-exception
   (and (file-is-directory? directory)
        (null? (lset-xor string=? '("root" "store" "tmp")
                         (directory-entries directory))))))

(define (left-in-staging directory)
  "Return what is in the staging DIRECTORY of which nobody has any use."
  (remove (lambda (entry)
            (or (string-prefix? "elsewhere-" entry) ;a note
                (spare-area? (string-append directory "/" entry))))
          (directory-entries directory)))

(define (left-behind layout)
  "Return the names in the store that are none of valid items."
  (define store (layout-physical-store layout))
  (append-map
   (lambda (name)
     (cond ((string-prefix? ".fruix-" name)
            (left-in-staging (string-append store "/" name)))
           ((string=? name ".links")
            (filter (lambda (name) (string-prefix? "." name))
                    (directory-entries (layout-links layout))))
           ((string-suffix? ".lock" name) '())
           (else (list name))))
   (directory-entries store)))

(define (invalid-entries daemon)
  (call-with-client daemon
    (lambda (port)
      (let ((valid (result-of port read-octets-list 23)))
        (lset-difference string=?
                         (left-behind (daemon-layout daemon))
                         (map basename valid))))))

(define (lasting-entries daemon)
  "Return those that do not go soon: they are deleted in the background."
  (define entries #f)
  (wait-until (lambda ()
                (set! entries (invalid-entries daemon))
                (null? entries)))
  entries)

(define (sound? daemon)
  (call-with-client daemon
    (lambda (port)
      (eq? #f (result-of port read-boolean 35 1 0)))))

(define next-name
  (let ((number 0))
    (lambda (prefix)
      (set! number (+ number 1))
      (format #f "~a-~a" prefix number))))

(define (try daemon kind request count errno lasting?)
  "Return what is wrong after the COUNTth call of REQUEST failed with ERRNO: a
list; #f if it makes fewer."
  (define layout (daemon-layout daemon))
  (define name (next-name kind))
  (arm! layout count errno lasting?)
  (let* ((first (attempt daemon request name))
         (struck (failures layout)))
    (arm! layout 0 errno #f)
    (and (positive? struck)
         (let ((left (lasting-entries daemon))
               (second (attempt daemon request name)))
           (append
            (if (or (eq? #t first) (told? first errno))
                '()
                `((first ,count ,first)))
            (if (null? left) '() `((left ,count ,left)))
            (if (eq? #t second) '() `((second ,count ,second))))))))

(define (try-all daemon kind request errno lasting?)
  (let loop ((count 1) (wrong '()))
    (match (try daemon kind request count errno lasting?)
      (#f (list (> count 1) wrong))
      (more (loop (+ count 1) (append wrong more))))))


;;
;; Opening a store.
;;

(define %open
  ;; A process of its own, which can be given the library.
  "(use-modules (fruix store) (fruix store layout) (fruix errors))
   (with-exception-handler
     (lambda (exception)
       (display (exception->text exception))
       (primitive-exit 1))
     (lambda () (close-store! (open-store (make-layout #:root \"~a\"))))
     #:unwind? #t)")

(define (open-elsewhere layout)
  "Open and close the store of LAYOUT in another process, with trouble; return
#t or what it says."
  (let* ((port (open-pipe* OPEN_READ "env"
                           (string-append "LD_PRELOAD=" %library)
                           (string-append "TROUBLE=" (control-file layout))
                           (or (getenv "GUILE") "guile") "--no-auto-compile"
                           "-c" (format #f %open (layout-root layout))))
         (text (get-string-all port)))
    (or (zero? (close-pipe port)) text)))

(define (try-to-open count errno)
  "Return what is wrong when the COUNTth call of opening a new store fails: a
list; #f if there are fewer."
  (call-with-temporary-directory
   (lambda (root)
     (define layout (make-layout #:root root))
     (make-control-file layout)
     (arm! layout count errno #f)
     (let ((first (open-elsewhere layout))
           (struck (failures layout)))
       (and (positive? struck)
            (let ((second (message-of
                           (lambda () (call-with-store layout empty?)))))
              (append (if (or (eq? #t first) (told? first errno))
                          '()
                          `((first ,count ,first)))
                      (if second `((second ,count ,second)) '()))))))))

(define (empty? store)
  (null? (all-valid-paths store)))

(define (try-to-open-all errno)
  (let loop ((count 1) (wrong '()))
    (match (try-to-open count errno)
      (#f (list (> count 1) wrong))
      (more (loop (+ count 1) (append wrong more))))))

(define (run-tests daemon)
  (define descriptors #f)
  (forget-trouble)
  (for-each (match-lambda
              ((kind request) (attempt daemon request (next-name kind))))
            %requests)
  (set! descriptors (open-descriptors daemon))
  (for-each
   (match-lambda
     ((kind request)
      (for-each
       (match-lambda
         ((errno lasting? what)
          (test-equal (format #f "~a, ~a" kind what) '(#t ())
            (try-all daemon kind request errno lasting?))))
       `((,EIO #f "one input/output error")
         (,ENOSPC #t "a full disk")))
      (test-assert (format #f "~a: the store is sound" kind)
        (sound? daemon))))
   %requests)
  (test-assert "no descriptors are lost"
    (wait-until (lambda ()
                  ;; Some are kept for what comes next.
                  (<= (open-descriptors daemon) (+ 6 descriptors))))))

(test-begin "disk-trouble")
(sigaction SIGPIPE SIG_IGN)
(skip-unless (file-exists? %library) "the library to preload was not built")

(test-equal "opening, one input/output error" '(#t ()) (try-to-open-all EIO))

(when (file-exists? %library)
  (call-with-daemon run-tests
   #:prepare prepare
   #:options (append %build-users %host-directories)))

(test-end "disk-trouble")
