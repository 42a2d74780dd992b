;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; A disk that is really full: who is told, what goes on, and what the space
;;; kept in reserve is good for.

(use-modules (fruix build log)
             (fruix protocol wire)
             (fruix store)
             (fruix store layout)
             (ice-9 binary-ports)
             (ice-9 match)
             (rnrs bytevectors)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests daemon-support)
             (tests support)
             (tests worker-client))

(define %mebibyte (expt 2 20))

;; Of a collection: as much as there is.
(define %no-limit (make-bytevector 8 255))

(define (call-on-small-disk proc)
  "Call @var{proc} with a directory in which there is room for 24 MiB, and new
temporary directories are."
  (call-with-temporary-directory
   (lambda (directory)
     (define saved (getenv "TMPDIR"))
     (dynamic-wind
       (lambda ()
         (run-program "mount" "-t" "tmpfs" "-o" "size=24m,mode=755" "tmpfs"
                      directory)
         (setenv "TMPDIR" directory))
       (lambda () (proc directory))
       (lambda ()
         (if saved (setenv "TMPDIR" saved) (unsetenv "TMPDIR"))
         (run-program "umount" directory))))
   #:mode #o755))

(define (fill! directory)
  "Use up all the space on the file system of DIRECTORY; return a thunk that
gives it back."
  (define file (string-append directory "/filler"))
  (let ((port (open file (logior O_WRONLY O_CREAT O_APPEND))))
    (setvbuf port 'none)
    (let loop ((size %mebibyte))
      (unless (zero? size)
        (loop (if (errno-of (lambda ()
                              (put-bytevector port (make-bytevector size 1))))
                  (quotient size 2)
                  size))))
    (close-port port))
  (lambda () (delete-file file)))

(define %drv
  (string-append "/gnu/store/" (make-string 32 #\0) "-hello.drv"))

(define (reserve layout)
  (string-append (layout-database-directory layout) "/reserved"))

(define (clear-failure value layout)
  "Return the symbol full if VALUE is an error that says that the disk is, and
names a file of LAYOUT; else VALUE."
  (define (contains? text words)
    (any (lambda (words) (string-contains text words)) words))
  (match value
    (((? (lambda (text)
           (and (contains? text '("No space left on device" "disk is full"))
                (contains? text (list (layout-root layout) "/gnu/store")))))
      1)
     'full)
    (_ value)))

(test-begin "full-disk")
(sigaction SIGPIPE SIG_IGN)
(skip-unless (zero? (getuid)) "mounting a small file system needs root")

(call-on-small-disk
 (lambda (directory)
   (call-with-daemon
    (lambda (daemon)
      (define layout (daemon-layout daemon))
      ;; The first session makes a directory for profiles, or tells why not.
      (define ready? (alive? daemon))
      (define free! (fill! directory))
      (define (add port)
        (result-of port read-octets 8 "text" (make-string 20000 #\t) '()))
      (define (add-archive port)
        (result-of port read-octets 7 "file" 1 1 "sha256"
                   (regular-file-nar (make-string 20000 #\a))))
      (define (add-builder port)
        (add-script port "build" "printf %20000d 1 > $out"))
      (define (all)
        ;; After an archive that could not be taken in, a session ends.
        (map (lambda (request) (call-with-client daemon request))
             (list add add-archive add-builder)))
      (test-equal "whatever adds to the store fails, and says why and where"
        '(full full full)
        (map (lambda (value) (clear-failure value layout)) (all)))
      (test-assert "the daemon goes on" (alive? daemon))
      (free!)
      (let* ((added (all))
             (drv (last added)))
        (test-assert "with space again, the same is added"
          (every string? added))
        (let ((free! (fill! directory)))
          (call-with-client daemon
            (lambda (port)
              (test-assert "a build fails on a full disk"
                (pair? (result-of port read-int 9 (list drv) 0)))))
          (free!))
        (call-with-client daemon
          (lambda (port)
            (test-equal "and succeeds later" 1
              (result-of port read-int 9 (list drv) 0)))))
      (call-with-client daemon
        (lambda (port)
          (test-equal "nothing is wrong with the store" #f
            (result-of port read-boolean 35 0 0))
          (test-equal "nor with what is new in it" #f
            ;; The shell has a hash from elsewhere.
            (any (lambda (line) (not (string-contains line %shell)))
                 (call-with-values
                     (lambda () (request port read-boolean 35 1 0))
                   (lambda (result log data) log))))))
      (let ((free! (fill! directory)))
        (test-equal "garbage can be collected on a full disk" 'collected
          (call-with-client daemon
            (lambda (port)
              (result-of port (const 'collected)
                         20 2 '() 0 %no-limit 0 0 0))))
        (free!)))
    #:prepare install-shell
    #:options (append %build-users %host-directories))))

(call-on-small-disk
 (lambda (directory)
   (call-with-temporary-directory
    (lambda (root)
      (define layout (make-layout #:root root))
      (close-store! (open-store layout))
      (let ((free! (fill! directory)))
        (test-equal "a store on a full disk opens, giving up its reserve"
          '(() #f)
          (call-with-store layout
            (lambda (store)
              (list (all-valid-paths store)
                    (file-exists? (reserve layout))))))
        (free!)
        (let ((free-all! (fill! directory)))
          (test-equal "which it can do once" ENOSPC
            (errno-of (lambda () (open-store layout))))
          (free-all!)))
      (test-equal "with space again, there is a reserve again"
        (* 8 %mebibyte)
        (call-with-store layout
          (lambda (store) (stat:size (stat (reserve layout))))))
      ;; FreeBSD makes no directories on a full disk, either.
      (call-with-build-log layout %drv 'none (const #t))
      (call-with-store layout
        (lambda (store)
          (define free! (fill! directory))
          (define (add)
            (add-text! store "text" (make-bytevector 100000 1) '()))
          (test-equal "a full disk" ENOSPC (errno-of add))
          (test-assert "a log for which there is no room is named"
            (every
             (lambda (compression)
               (define log (log-file-name layout %drv
                                          #:compression compression))
               (string-suffix?
                (string-append ": " log ": No space left on device")
                (message-of
                 (lambda ()
                   (call-with-build-log layout %drv compression
                     (lambda (file write)
                       (write (make-bytevector 10000 1) 10000)))))))
             '(gzip none)))
          (test-assert "whoever makes room can have the reserve for that"
            (call-without-reserve store
              (lambda ()
                (let ((item (add)))
                  (free!)
                  (string? item)))))
          (test-assert "after which it is kept again"
            (file-exists? (reserve layout)))))))))

(test-end "full-disk")
