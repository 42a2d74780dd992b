;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Adding files to the store: one large file, and many small ones, both also
;;; a second time under another name, when all contents are known.
;;;
;;; The floor of the large file is what one processor hashes that has nothing
;;; else to do; that of the small ones copies them and hashes the copies.
;;; These stay until the end: an ext4 without a journal shuns inodes freed in
;;; the last half minute, and looks for others one by one (recently_deleted in
;;; its ialloc.c).
;;; Code:

(define-module (tests bench adding)
  #:use-module (fruix client)
  #:use-module (fruix hash)
  #:use-module (ice-9 binary-ports)
  #:use-module (rnrs bytevectors)
  #:use-module (srfi srfi-1)
  #:use-module (tests bench daemon)
  #:use-module (tests bench figures)
  #:use-module (tests support)
  #:export (for-each-tree
            copy-and-hash
            bench-adding))

(define %mebibyte (expt 2 20))

(define %random-state (seed->random-state 1))

(define (random-bytes size)
  (let ((bytes (make-bytevector size)))
    (do ((i 0 (+ i 4)))
        ((> (+ i 4) size) bytes)
      (bytevector-u32-native-set! bytes i (random (expt 2 32)
                                                  %random-state)))))

(define (write-file name . chunks)
  (call-with-output-file name
    (lambda (port)
      (for-each (lambda (chunk) (put-bytevector port chunk)) chunks))
    #:binary #t))

(define (make-large-file name mebibytes)
  "Make a file called @var{name} of @var{mebibytes} MiB of noise."
  (let ((chunk (random-bytes %mebibyte)))
    (apply write-file name
           (append-map (lambda (n)
                         (list (string->utf8 (number->string n)) chunk))
                       (iota mebibytes)))))

(define (make-small-files directory count size)
  "Make @var{count} different files of @var{size} bytes in @var{directory},
100 in each of its directories."
  (define contents (random-bytes size))
  (mkdir directory)
  (for-each (lambda (n)
              (let ((below (format #f "~a/~a" directory (quotient n 100))))
                (when (zero? (remainder n 100))
                  (mkdir below))
                (bytevector-u32-native-set! contents 0 n)
                (write-file (format #f "~a/~a" below n) contents)))
            (iota count)))

(define (for-each-tree proc)
  "Call @var{proc} with a description, the file name and the size in MiB of
each of the trees that get into stores and out of them."
  (call-with-temporary-directory
   (lambda (directory)
     (let ((large (string-append directory "/large"))
           (small (string-append directory "/small"))
           (size (scaled 500))
           (count (scaled 20000)))
       (make-large-file large size)
       (proc "one file" large size)
       (make-small-files small count 5556) ;106 MiB in all
       (proc "small files" small (/ (* count 5556.) %mebibyte))))))

(define (copy-and-hash file copy)
  "Copy the tree @var{file} to @var{copy}, and hash its files."
  (run "cp" "-a" file copy)
  (run "sh" "-c" "find \"$0\" -type f -exec sha256sum {} + >/dev/null" copy))

(define (hash-rate)
  "Return how many MiB a second one processor hashes."
  (define size 256)
  (define bytes (make-bytevector (* size %mebibyte) 1))
  (per-second size
              (lambda ()
                (bytevector-hash (lookup-hash-algorithm "sha256") bytes))))

(define (copy-rate file mebibytes)
  "Return how many MiB a second of FILE, which has MEBIBYTES, are copied and
then hashed."
  (per-second mebibytes
              (lambda () (copy-and-hash file (string-append file ".copy")))))

(define (bench-file daemon what file mebibytes)
  (define floor
    (if (file-is-directory? file)
        (copy-rate file mebibytes)
        (hash-rate)))
  (define (add name)
    (per-second mebibytes
                (lambda () (add-to-store daemon file #:name name))))
  (report (string-append "add-to-store, " what) (add "first") "MiB/s" floor)
  (report (string-append "add-to-store, " what ", again") (add "second")
          "MiB/s" floor))

(define (bench-adding)
  "Report how fast files get into the store."
  (call-with-bench-daemon
   (lambda (daemon _)
     (for-each-tree
      (lambda (what file mebibytes)
        (bench-file daemon what file mebibytes))))))
