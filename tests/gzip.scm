;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Compressed files: what gzip(1) makes of them, reading while writing, and
;;; damage.

(use-modules (fruix gzip)
             (fruix primitives)
             (ice-9 binary-ports)
             (rnrs bytevectors)
             (srfi srfi-64)
             (tests support))

(define %text
  (string->utf8
   (string-concatenate (make-list 50000 "λ checking for gcc\n"))))

(define (contents file)
  "Return the decompressed contents of FILE, a bytevector."
  (call-with-values open-bytevector-output-port
    (lambda (port bytes)
      (gunzip-file file port)
      (bytes))))

(define (write-file file bytes)
  (call-with-output-file file
    (lambda (port) (put-bytevector port bytes))
    #:binary #t))

(define (call-with-file proc)
  "Call PROC with the name of a file that holds %TEXT, compressed."
  (call-with-temporary-directory
   (lambda (directory)
     (let ((file (string-append directory "/log.gz")))
       (call-with-output-file file
         (lambda (port)
           (let ((output (open-gzip-output (fileno port))))
             (gzip-write! output %text)
             (gzip-close! output))))
       (proc file)))))

(define (prefix bytes count)
  (let ((part (make-bytevector count)))
    (bytevector-copy! bytes 0 part 0 count)
    part))

(define (bytes-of-file file)
  (call-with-input-file file get-bytevector-all #:binary #t))

(test-begin "gzip")

(test-assert "written and read again"
  (call-with-file (lambda (file) (bytevector=? %text (contents file)))))

(test-assert "it is smaller"
  (call-with-file
   (lambda (file)
     (< (stat:size (stat file)) (quotient (bytevector-length %text) 20)))))

(test-assert "gzip reads it"
  (call-with-file
   (lambda (file)
     (and (eqv? 0 (run-program "gzip" "-d" file))
          (bytevector=? %text
                        (bytes-of-file (string-drop-right file 3)))))))

(test-assert "read while it is being written"
  (call-with-temporary-directory
   (lambda (directory)
     (let ((file (string-append directory "/log.gz")))
       (call-with-output-file file
         (lambda (port)
           (let ((output (open-gzip-output (fileno port))))
             (gzip-write! output %text)
             (gzip-flush! output)
             (let ((bytes (contents file)))
               (gzip-close! output)
               (bytevector=? %text bytes)))))))))

(test-assert "a file that was cut off ends where it is readable"
  (call-with-file
   (lambda (file)
     (let ((bytes (bytes-of-file file)))
       (write-file file (prefix bytes (- (bytevector-length bytes) 20)))
       (let ((rest (contents file)))
         (and (> (bytevector-length rest) 0)
              (bytevector=? rest
                            (prefix %text (bytevector-length rest)))))))))

(test-equal "damage is an error" EBADMSG
  (call-with-file
   (lambda (file)
     ;; In the checksum: elsewhere it may as well look like an end too early.
     (let* ((bytes (bytes-of-file file))
            (index (- (bytevector-length bytes) 8)))
       (bytevector-u8-set! bytes index
                           (logxor 255 (bytevector-u8-ref bytes index)))
       (write-file file bytes)
       (errno-of (lambda () (contents file)))))))

(test-equal "a plain file is read as it is" (string->utf8 "plain\n")
  (call-with-temporary-directory
   (lambda (directory)
     (let ((file (string-append directory "/log")))
       (write-file file (string->utf8 "plain\n"))
       (contents file)))))

(test-equal "a full disk is an error" ENOSPC
  (call-with-output-file "/dev/full"
    (lambda (port)
      (let ((output (open-gzip-output (fileno port))))
        (errno-of (lambda ()
                    (gzip-write! output %text)
                    (gzip-close! output)))))))

(test-equal "a closed output" EBADF
  (call-with-output-file "/dev/null"
    (lambda (port)
      (let ((output (open-gzip-output (fileno port))))
        (gzip-close! output)
        (errno-of (lambda () (gzip-write! output %text)))))))

(test-equal "no such file" ENOENT
  (errno-of (lambda () (contents "/nonexistent"))))
(test-equal "nothing alive after all that" 0 (%live-requests))

(test-end "gzip")
