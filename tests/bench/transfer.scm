;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Items on their way from one store to another: export, as the client reads
;;; it, and import into an empty store, of one large file and of many small
;;; ones.  The floor of an export hashes the files and copies them through a
;;; pipe; that of an import copies and hashes them.  A stand-in signs and
;;; verifies, which real items need once each.
;;; Code:

(define-module (tests bench transfer)
  #:use-module (fruix client)
  #:use-module (fruix protocol wire)
  #:use-module (fruix store layout)
  #:use-module (ice-9 binary-ports)
  #:use-module (ice-9 match)
  #:use-module (rnrs bytevectors)
  #:use-module (tests agent-support)
  #:use-module (tests bench adding)
  #:use-module (tests bench daemon)
  #:use-module (tests bench figures)
  #:use-module (tests daemon-support)
  #:use-module (tests support)
  #:use-module (tests worker-client)
  #:export (bench-transfer))

(define %chunk (make-bytevector (expt 2 18)))

(define (copy-bytes from to size)
  (unless (zero? size)
    (let ((count (get-bytevector-n! from %chunk 0
                                    (min size (bytevector-length %chunk)))))
      (put-bytevector to %chunk 0 count)
      (copy-bytes from to (- size count)))))

(define (export port path sign? output)
  "Write what the daemon on PORT exports of PATH to OUTPUT."
  (say port 16 path (if sign? 1 0))
  (let loop ()
    (match (read-int port)
      ((? (lambda (tag) (= tag %message-write)))
       (let ((size (read-int port)))
         (copy-bytes port output size)
         (get-bytevector-n port (modulo (- size) 8))
         (loop)))
      ((? (lambda (tag) (= tag %message-next)))
       (read-bytes port)
       (loop))
      ((? (lambda (tag) (= tag %message-last)))
       (read-int port)))))

(define (feed input)
  "Return a procedure that sends what INPUT has to give as it is asked for."
  (define buffer (make-bytevector (expt 2 20)))
  (lambda (port count)
    (let ((size (get-bytevector-n! input buffer 0 count)))
      (write-bytes port buffer 0 (if (eof-object? size) 0 size))
      (force-output port))))

(define (import port file)
  "Have the daemon on PORT import what is in FILE."
  (call-with-input-file file
    (lambda (input)
      (say port 27)
      (match (receive-reply port read-octets-list #:feed (feed input))
        (((? string? path)) path)))
    #:binary #t))

(define (make-stream file port path)
  "Make FILE a signed stream of PATH, as the daemon on PORT exports it."
  (call-with-output-file file
    (lambda (output)
      (write-int output 1)
      (export port path #t output)
      (write-int output 0))
    #:binary #t))

(define (make-key layout)
  (let ((directory (layout-configuration-directory layout)))
    (run "mkdir" "-p" directory)
    (let ((file (string-append directory "/signing-key.sec")))
      (call-with-output-file file (const #t))
      (chmod file #o600))))

(define (export-floor file mebibytes)
  (per-second mebibytes
              (lambda ()
                (run "sh" "-c" "find \"$0\" -type f -exec cat {} + | \
tee /dev/null | sha256sum >/dev/null" file))))

(define (bench-import stream what mebibytes floor)
  (call-with-daemon
   (lambda (daemon)
     (call-with-client daemon
       (lambda (port)
         (report (string-append "import-paths, " what)
                 (per-second mebibytes (lambda () (import port stream)))
                 "MiB/s" floor))))))

(define (bench-tree daemon connection file what mebibytes)
  (define stream (string-append file ".stream"))
  (define path (add-to-store connection file #:name "bench"))
  (call-with-client daemon
    (lambda (port)
      (report (string-append "export-path, " what)
              (per-second mebibytes
                          (lambda ()
                            (call-with-output-file "/dev/null"
                              (lambda (null) (export port path #f null))
                              #:binary #t)))
              "MiB/s" (export-floor file mebibytes))
      (make-stream stream port path)))
  (bench-import stream what mebibytes
                (per-second mebibytes
                            (lambda ()
                              (copy-and-hash file
                                             (string-append file
                                                            ".copy")))))
  (delete-file stream))

(define (bench-transfer)
  "Report how fast items get out of a store and into another."
  (call-with-stand-in
   (lambda (program)
     (call-with-daemon
      (lambda (daemon)
        (define connection (connect-client daemon))
        (for-each-tree
         (lambda (what file mebibytes)
           (bench-tree daemon connection file what mebibytes)))
        (close-connection connection))
      #:prepare make-key))))
