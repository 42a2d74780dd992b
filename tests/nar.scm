;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Archives: what guix-daemon made, round trips, and every way of being
;;; malformed.

(use-modules (fruix base16)
             (fruix base32)
             (fruix errors)
             (fruix hash)
             (fruix nar)
             (fruix primitives)
             (fruix tree)
             (ice-9 binary-ports)
             (ice-9 ftw)
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

(define (call-with-scratch proc)
  "Call PROC with the descriptor and the name of a temporary directory."
  (call-with-temporary-directory
   (lambda (directory)
     (let ((fd (open-fdes directory O_RDONLY)))
       (dynamic-wind
         (const #t)
         (lambda () (proc fd directory))
         (lambda ()
           (for-each (lambda (name)
                       (unless (member name '("." ".."))
                         (delete-tree! fd name)))
                     (scandir directory))
           (close-fdes fd)))))))

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

(define (string->bytevector text encoding)
  ((@ (ice-9 iconv) string->bytevector) text encoding))

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

(define* (restore archive #:key (step (bytevector-length archive))
                  (check (const #t)) hash-algorithm flat?)
  "Restore ARCHIVE, given STEP bytes at a time, in a scratch directory; return
the result, after (CHECK DIRECTORY-NAME)."
  (call-with-scratch
   (lambda (fd name)
     (let ((restorer (open-nar-restorer fd "item"
                                        #:hash-algorithm hash-algorithm
                                        #:flat? flat?)))
       (let loop ((start 0))
         (when (< start (bytevector-length archive))
           (let ((count (min step (- (bytevector-length archive) start))))
             (nar-restore! restorer archive start count)
             (loop (+ start count)))))
       (let ((result (nar-restorer-finish! restorer)))
         (check (string-append name "/item"))
         result)))))

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

(define (refusal . parts)
  "Return the message with which the archive of PARTS is refused."
  (message-of (lambda () (restore (apply tokens parts)))))

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

(test-end "nar")
