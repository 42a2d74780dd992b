;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Archives: what guix-daemon made, round trips, and every way of being
;;; malformed.

(use-modules (fruix base16)
             (fruix base32)
             (fruix config)
             (fruix hash)
             (fruix nar)
             (fruix primitives)
             (ice-9 binary-ports)
             (ice-9 ftw)
             (ice-9 iconv)
             (ice-9 match)
             (rnrs bytevectors)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests support))

(define %tree-nar
  (call-with-input-file (string-append (getenv "abs_top_srcdir")
                                       "/tests/vectors/tree.nar")
    get-bytevector-all
    #:binary #t))

(define (le64 n)
  (let ((bytes (make-bytevector 8)))
    (bytevector-u64-set! bytes 0 n (endianness little))
    bytes))

(define (concatenate-bytes parts)
  (call-with-values open-bytevector-output-port
    (lambda (port bytes)
      (for-each (lambda (part) (put-bytevector port part)) parts)
      (bytes))))

(define (token text)
  "Return TEXT, a string of bytes, as archives have it."
  (let ((bytes (string->bytevector text "ISO-8859-1")))
    (concatenate-bytes
     (list (le64 (bytevector-length bytes))
           bytes
           (make-bytevector (modulo (- (bytevector-length bytes)) 8) 0)))))

(define (tokens . parts)
  "Return an archive of PARTS: strings, made tokens, and bytevectors."
  (concatenate-bytes
   (map (lambda (part) (if (string? part) (token part) part))
        (cons "nix-archive-1" parts))))

(define (file contents)
  (list "(" "type" "regular" "contents" contents ")"))

(define (entry name node)
  `("entry" "(" "name" ,name "node" ,@node ")"))

(define (directory . entries)
  `("(" "type" "directory" ,@(concatenate entries) ")"))

(define* (restore-item! fd archive #:key (step (bytevector-length archive))
                        hash-algorithm flat? #:allow-other-keys)
  "Restore ARCHIVE, given STEP bytes at a time, as \"item\" in FD; return the
result."
  (let ((restorer (open-nar-restorer fd "item" #:flat? flat?
                                     #:hash-algorithm hash-algorithm)))
    (let loop ((start 0))
      (when (< start (bytevector-length archive))
        (let ((count (min step (- (bytevector-length archive) start))))
          (nar-restore! restorer archive start count)
          (loop (+ start count)))))
    (nar-restorer-finish! restorer)))

(define* (restore archive #:key (check (const #t))
                  #:allow-other-keys #:rest options)
  "Return what (RESTORE-ITEM! FD ARCHIVE OPTION ...) does in a scratch
directory, after (CHECK FILE-NAME)."
  (call-with-scratch
   (lambda (fd name)
     (let ((result (apply restore-item! fd archive options)))
       (check (string-append name "/item"))
       result))))

(define (archive-of fd name size)
  "Return the archive of NAME in FD, read SIZE bytes at a time."
  (let ((source (open-nar-source fd name))
        (buffer (make-bytevector size)))
    (let loop ((parts '()))
      (match (nar-source-read! source buffer)
        (0
         (nar-source-close! source)
         (concatenate-bytes (reverse parts)))
        (count
         (let ((part (make-bytevector count)))
           (bytevector-copy! buffer 0 part 0 count)
           (loop (cons part parts))))))))

(define (base32-hash result)
  (bytevector->nix-base32-string (nar-result-hash result)))

(define (write-and-read archive size)
  "Restore ARCHIVE and return what is read of the tree, SIZE bytes at a time."
  (call-with-scratch
   (lambda (fd name)
     (restore-item! fd archive)
     (archive-of fd "item" size))))

(define (message-about . parts)
  "Return the message with which the archive of PARTS is refused."
  (message-of (lambda () (restore (apply tokens parts)))))

(define (resident-memory)
  "Return the largest amount of memory that this process has had, in KiB."
  (call-with-input-file "/proc/self/status"
    (lambda (port)
      (let loop ()
        (match (read port)
          ('VmHWM: (read port))
          (_ (loop)))))))

(test-begin "nar")

;; What guix-daemon computes.
(let ((hello (apply tokens (file "hello"))))
  (test-equal "file: size and hash"
    '(120 "0sg9f58l1jj88w6pdrfdpj5x9b1zrwszk84j81zvby36q9whhhqa")
    (let ((result (restore hello)))
      (list (nar-result-size result) (base32-hash result))))
  (test-equal "flat: digest of the contents"
    (bytevector-hash 'sha1 (string->utf8 "hello"))
    (nar-result-digest (restore hello #:flat? #t #:hash-algorithm 'sha1)))
  (test-equal "recursive: digest of the archive"
    (bytevector-hash 'md5 hello)
    (nar-result-digest (restore hello #:hash-algorithm 'md5))))

(test-equal "directory: size and hash"
  '(688 "10k1lw41wyrjf9mxydi0is5nkpynlsvgslinics4ppir13g7d74p")
  (let ((result
         (restore
          (apply tokens
                 (directory
                  (entry "exe" '("(" "type" "regular" "executable" ""
                                 "contents" "executable" ")"))
                  (entry "subdir" (directory))
                  (entry "symlink" '("(" "type" "symlink" "target" "exe"
                                     ")")))))))
    (list (nar-result-size result) (base32-hash result))))

(define (tree-facts name)
  (define (facts file)
    (let* ((file (string-append name "/" file))
           (status (lstat file)))
      (list (stat:type status)
            (if (eq? 'symlink (stat:type status))
                (readlink file)
                (stat:perms status))
            (stat:mtime status)
            (stat:mtimensec status))))
  (map facts '("." "plain" "script" "sub/zero" "sub/empty" "sub/ z\"\\é"
               "sub/link" "dangling")))

(test-equal "tree: what is restored, in canonical form"
  '((directory #o555 1 0)
    (regular #o444 1 0)
    (regular #o555 1 0)
    (regular #o444 1 0)
    (directory #o555 1 0)
    (regular #o444 1 0)
    (symlink "../plain" 1 0)
    (symlink "/nowhere" 1 0))
  (let ((facts #f))
    (restore %tree-nar #:check (lambda (name) (set! facts (tree-facts name))))
    facts))

(test-equal "tree: hash, size, type"
  '("eab29aa39d7351351c5bcbc2febc8076be4dd21a96e2186e7202c52d4930417c"
    10624 directory)
  (let ((result (restore %tree-nar)))
    (list (bytevector->base16-string (nar-result-hash result))
          (nar-result-size result)
          (nar-result-type result))))

;; Both directions.

(for-each
 (lambda (size)
   (test-assert (format #f "there and back, ~a bytes at a time" size)
     (bytevector=? %tree-nar (write-and-read %tree-nar size))))
 '(1 7 4096 100000))

(test-equal "given in pieces of one byte"
  (nar-result-hash (restore %tree-nar))
  (nar-result-hash (restore %tree-nar #:step 1)))

(test-equal "bytes after the archive are not taken"
  (list (bytevector-length %tree-nar) #t 0)
  (call-with-scratch
   (lambda (fd name)
     (let* ((restorer (open-nar-restorer fd "item"))
            (bytes (concatenate-bytes
                    (list %tree-nar (make-bytevector 100 1))))
            (count (nar-restore! restorer bytes))
            (done? (nar-restorer-done? restorer))
            (more (nar-restore! restorer bytes count 100)))
       (nar-restorer-finish! restorer)
       (list count done? more)))))

(test-equal "the hash of an archive goes on with what follows"
  (map (lambda (suffix)
         (bytevector-hash 'sha256
                          (concatenate-bytes (list %tree-nar suffix))))
       '(#vu8() #vu8(1 2 3)))
  (call-with-scratch
   (lambda (fd name)
     (let ((restorer (open-nar-restorer fd "item")))
       (nar-restore! restorer %tree-nar)
       (let ((hash (nar-restorer-hash restorer)))
         (hash-update! hash #vu8(1 2 3))
         (list (nar-result-hash (nar-restorer-finish! restorer))
               (hash-digest! hash)))))))

(test-equal "hash of a tree on disk"
  (bytevector-hash 'sha256 %tree-nar)
  (call-with-scratch
   (lambda (fd name)
     (restore-item! fd %tree-nar)
     (file-nar-hash fd "item"))))

(test-equal "every name that a file can have survives"
  #t
  (let* ((bytes (delete (char->integer #\/) (iota 255 1)))
         (names (delete "." (map (compose string integer->char) bytes)))
         (archive (apply tokens
                         (apply directory
                                (map (lambda (name) (entry name (file name)))
                                     names)))))
    (bytevector=? archive (write-and-read archive 4096))))

;; PATH_MAX without the NUL.
(define %longest-target
  (case %platform ((linux) 4095) ((freebsd) 1023)))

(test-equal "a name and a target as long as can be" #t
  (let ((archive (apply tokens
                        (directory
                         (entry (make-string 255 #\a)
                                `("(" "type" "symlink"
                                  "target" ,(make-string %longest-target #\b)
                                  ")"))))))
    (bytevector=? archive (write-and-read archive 4096))))

(test-equal "flat: an executable file becomes an ordinary one"
  (list (bytevector-hash 'sha256 (apply tokens (file "x"))) #f #o444)
  (let* ((perms #f)
         (result (restore (tokens "(" "type" "regular" "executable" ""
                                  "contents" "x" ")")
                          #:flat? #t
                          #:check (lambda (name)
                                    (set! perms (stat:perms (stat name)))))))
    (list (nar-result-hash result) (nar-result-executable? result) perms)))

;; Bad archives.  tests/nar-test.cc has every way of being malformed; here is
;; what becomes of them.

(test-equal "a malformed archive is a &fruix-error with the reason"
  "invalid archive: duplicate or unsorted entry: a"
  (let ((a (entry "a" (file ""))))
    (apply message-about (directory a a))))

(test-equal "nothing outside is touched" '("." ".." "item")
  (call-with-scratch
   (lambda (fd name)
     (message-of
      (lambda ()
        (restore-item! fd (apply tokens
                                 (directory (entry "../evil" (file "x")))))))
     (scandir name))))

(test-equal "flat: no directories"
  "invalid archive: regular file expected"
  (message-of (lambda ()
                (restore (apply tokens (directory)) #:flat? #t))))

(test-equal "an archive that ends too early, at every byte" '()
  (let ((archive (apply tokens (directory (entry "a" (file "hello"))))))
    (filter (lambda (size)
              (let ((part (make-bytevector size)))
                (bytevector-copy! archive 0 part 0 size)
                (not (equal? "invalid archive: archive ends too early"
                             (message-of (lambda () (restore part)))))))
            (iota (bytevector-length archive)))))

(test-equal "what exists is not replaced" EEXIST
  (call-with-scratch
   (lambda (fd name)
     (symlink "/etc/passwd" (string-append name "/item"))
     (let ((restorer (open-nar-restorer fd "item")))
       (errno-of (lambda ()
                   (nar-restore! restorer (apply tokens (file "x")))))))))

(test-equal "a restorer that failed stays so"
  "invalid archive: archive was refused before"
  (call-with-scratch
   (lambda (fd name)
     (let ((restorer (open-nar-restorer fd "item")))
       (message-of (lambda () (nar-restore! restorer (token "x"))))
       (message-of (lambda () (nar-restore! restorer (token "("))))))))

(test-equal "a closed restorer" EBADF
  (call-with-scratch
   (lambda (fd name)
     (let ((restorer (open-nar-restorer fd "item")))
       (nar-restorer-close! restorer)
       (errno-of (lambda () (nar-restore! restorer %tree-nar)))))))

(test-equal "an unknown algorithm" 'system-error
  (key-of (lambda () (call-with-scratch
   (lambda (fd name)
     (open-nar-restorer fd "item" #:hash-algorithm 'crc32))))))

(test-equal "a fifo has no archive, nor can it be read as one"
  (make-list 2 "unsupported type of file 'fifo'")
  (call-with-scratch
   (lambda (fd name)
     (mknod (string-append name "/fifo") 'fifo #o600 0)
     (let ((source (open-nar-source fd "fifo")))
       (list (message-of (lambda () (file-nar-hash fd "fifo")))
             (message-of (lambda ()
                           (nar-source-read! source (make-bytevector 9)))))))))

;; Bounds.

(test-skip (if (eq? %platform 'linux) 0 1))
(test-assert "memory does not grow with a file"
  (let ((buffer (make-bytevector (expt 2 20)))
        (size (* 256 (expt 2 20))))
    (call-with-scratch
     (lambda (fd name)
       (let ((restorer (open-nar-restorer fd "item"))
             (before (resident-memory)))
         (nar-restore! restorer (tokens "(" "type" "regular" "contents"
                                        (le64 size)))
         (do ((sent 0 (+ sent (bytevector-length buffer))))
             ((= sent size))
           (nar-restore! restorer buffer))
         (nar-restore! restorer (token ")"))
         (nar-restorer-finish! restorer)
         (< (- (resident-memory) before) 16384))))))

(define (deep depth)
  "Return the archive of a directory in a directory…, and its first part,
which ends in the innermost one."
  (let* ((down (concatenate
                (make-list (- depth 1)
                           '("(" "type" "directory" "entry" "(" "name" "d"
                             "node"))))
         (up (make-list (* 2 (- depth 1)) ")"))
         (first (append down '("(" "type" "directory"))))
    (values (apply tokens (append first '(")") up))
            (apply tokens first))))

(define (descriptors-taken thunk)
  "Return how many of the lowest descriptors are taken while THUNK is called
with a thunk that tells."
  (define (lowest)
    (let ((descriptor (open-fdes "/dev/null" O_RDONLY)))
      (close-fdes descriptor)
      descriptor))
  (let ((before (lowest)))
    (thunk (lambda () (- (lowest) before)))))

(call-with-values (lambda () (deep 200))
  (lambda (archive part)
    (test-equal "descriptors do not grow with depth, writing" '(#t #t)
      (call-with-scratch
       (lambda (fd name)
         (descriptors-taken
          (lambda (taken)
            (let ((restorer (open-nar-restorer fd "item")))
              (nar-restore! restorer part)
              (let ((few? (< (taken) 16))
                    (size (bytevector-length part)))
                (nar-restore! restorer archive size
                              (- (bytevector-length archive) size))
                (nar-restorer-finish! restorer)
                (list few?
                      (equal? archive (archive-of fd "item" 4096))))))))))
    (test-assert "descriptors do not grow with depth, reading"
      (call-with-scratch
       (lambda (fd name)
         (restore-item! fd archive)
         (descriptors-taken
          (lambda (taken)
            (let ((source (open-nar-source fd "item")))
              (nar-source-read! source
                                (make-bytevector (bytevector-length part)))
              (let ((few? (< (taken) 16)))
                (nar-source-close! source)
                few?)))))))))

(test-equal "nothing alive after all that" 0 (%live-requests))

(test-end "nar")
