;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Compressed files as streams: what build logs are kept in.  A log can be
;;; read while it is being written, up to the last flush.
;;; Code:

(define-module (fruix gzip)
  #:use-module (fruix primitives)
  #:use-module (ice-9 binary-ports)
  #:use-module (rnrs bytevectors)
  #:export (open-gzip-output
            gzip-write!
            gzip-flush!
            gzip-close!

            gunzip-file))

(define (open-gzip-output descriptor)
  "Return a compressor that writes a gzip file to @var{descriptor}, an integer
that remains the caller's and can be closed at any time.  It serves one thread
at a time."
  (%open-gzip-output descriptor))

(define* (gzip-write! output bytevector #:optional (start 0)
                      (count (- (bytevector-length bytevector) start)))
  "Compress the @var{count} bytes of @var{bytevector} from @var{start} into
the file of @var{output}.  They may stay in memory until @code{gzip-flush!} or
@code{gzip-close!}.  Raise a @code{system-error} if the file cannot be
written."
  (%gzip-write output bytevector start count))

(define (gzip-flush! output)
  "Bring all that @var{output} was given into its file, where it can be read.
Doing so often makes the file larger."
  (%gzip-flush output))

(define (gzip-close! output)
  "Complete the file of @var{output} and close @var{output}."
  (%gzip-output-close output))

(define (call-with-gzip-reader file proc)
  "Call @var{proc} with a procedure that reads @var{file}: called with a
bytevector, it fills it with the next bytes and returns how many there are,
less than fit only at the end.  What is not compressed is read as it is, and a
compressed file that is still being written, or was cut off, ends where it is
readable.  Raise a @code{system-error} if the file cannot be read or is
damaged."
  (let* ((port (open-file file "r0b"))
         (input (%open-gzip-input (fileno port))))
    (close-port port)
    (dynamic-wind
      (const #t)
      (lambda ()
        (proc (lambda (buffer)
                (%gzip-read input buffer 0 (bytevector-length buffer)))))
      (lambda () (%gzip-input-close input)))))

(define (gunzip-file file port)
  "Write the contents of @var{file}, decompressed, to @var{port}.  Errors are
as for @code{call-with-gzip-reader}."
  (call-with-gzip-reader file
    (lambda (read!)
      (let ((buffer (make-bytevector 65536)))
        (let loop ()
          (let ((count (read! buffer)))
            (unless (zero? count)
              (put-bytevector port buffer 0 count)
              (loop))))))))
