;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; A restorer that reads large files from a socket itself: it restores what it
;;; would restore if it were given the bytes, and takes no other ones.

(use-modules (fruix descriptors)
             (fruix nar)
             (fruix thread)
             (ice-9 binary-ports)
             (ice-9 match)
             (ice-9 threads)
             (rnrs bytevectors)
             (srfi srfi-64)
             (tests support))

(define %size (+ 3 (* 5 1024 1024)))

(define %contents
  (let ((bytes (make-bytevector (+ %size 5) 0)))
    (do ((i 0 (+ i 4))
         (state 1 (modulo (+ (* state 1664525) 1013904223) (expt 2 32))))
        ((>= i %size) bytes)
      (bytevector-u32-native-set! bytes i state))))

(define (part-of bytes start end)
  (let ((part (make-bytevector (- end start))))
    (bytevector-copy! bytes start part 0 (- end start))
    part))

;; Of an executable file.
(define %archive
  (call-with-scratch
   (lambda (fd name)
     (let ((file (string-append name "/item"))
           (source (open-nar-source fd "item"))
           (archive (make-bytevector (+ %size 1000))))
       (call-with-output-file file
         (lambda (port) (put-bytevector port %contents 0 %size))
         #:binary #t)
       (chmod file #o755)
       (let ((size (nar-source-read! source archive)))
         (nar-source-close! source)
         (part-of archive 0 size))))))

(define (feed! restorer bytes size)
  "Give RESTORER the first SIZE of BYTES, and return a list of what is not of
its archive."
  (let ((used (nar-restore! restorer bytes 0 size)))
    (map (lambda (i) (bytevector-u8-ref bytes (+ used i)))
         (iota (- size used)))))

(define (take-all! restorer descriptor)
  "Restore what comes on DESCRIPTOR; return two values: how many bytes were
received, and a list of those that were read after the archive."
  (define chunk (make-bytevector 1000))
  (let loop ((received 0))
    (cond ((nar-receive! restorer descriptor)
           => (lambda (count) (loop (+ received count))))
          (else
           (let ((rest (feed! restorer chunk
                              (read-descriptor! descriptor chunk))))
             (if (nar-restorer-done? restorer)
                 (values received rest)
                 (loop received)))))))

(define (call-with-sender parts proc)
  "Call PROC with the descriptor of a socket on which PARTS, a list of
bytevectors, come, and then the end.  It should read them unless they are
small."
  (match (socketpair PF_UNIX SOCK_STREAM 0)
    ((near . far)
     (let ((sender (start-thread
                    (lambda ()
                      (for-each (lambda (part) (put-bytevector far part))
                                parts)
                      (close-port far)))))
       (let ((result (proc (fileno near))))
         (join-thread sender)
         (close-port near)
         result)))))

(define (received options)
  "Return the result of receiving the archive, the hash of what is there then,
what was not received but read after it, and whether most of it was received."
  (call-with-scratch
   (lambda (fd name)
     (let ((restorer (apply open-nar-restorer fd "item" options)))
       (call-with-sender (list %archive #vu8(1 2 3))
         (lambda (descriptor)
           (call-with-values (lambda () (take-all! restorer descriptor))
             (lambda (count rest)
               (list (nar-restorer-finish! restorer)
                     (nar-result-hash (file-nar-result fd "item"))
                     rest
                     (< (* 3 1024 1024) count %size))))))))))

(define (fed options)
  (call-with-scratch
   (lambda (fd name)
     (let ((restorer (apply open-nar-restorer fd "item" options)))
       (feed! restorer %archive (bytevector-length %archive))
       (nar-restorer-finish! restorer)))))

(test-begin "nar-receiving")

(for-each
 (lambda (options)
   (test-equal (format #f "~s: what is received and what is fed are the same"
                       options)
     (let ((result (fed options)))
       (list result (nar-result-hash result) '(1 2 3) #t))
     (received options)))
 '((#:hash-algorithm sha512)
   (#:hash-algorithm sha512 #:flat? #t)))

(define (received-after size parts)
  "Return what is received first when the first SIZE bytes of the archive have
been fed and PARTS come next."
  (call-with-scratch
   (lambda (fd name)
     (let ((restorer (open-nar-restorer fd "item")))
       (feed! restorer %archive size)
       (let ((result (call-with-sender parts
                       (lambda (descriptor)
                         (nar-receive! restorer descriptor)))))
         (nar-restorer-close! restorer)
         result)))))

(define %some (* 2 1024 1024))

(test-equal "nothing is received at the beginning" #f
  (received-after 0 (list (part-of %archive 0 10000))))
(test-equal "nor when little of a file is left" #f
  (received-after (- %size 10000) (list (part-of %archive (- %size 10000)
                                                 %size))))
(test-equal "what there is is received" 5000
  (received-after %some (list (part-of %archive %some (+ %some 5000)))))
(test-equal "the end of file" 0
  (received-after %some '()))

(test-equal "a descriptor that cannot be read" EBADF
  (call-with-scratch
   (lambda (fd name)
     (let ((restorer (open-nar-restorer fd "item"))
           (descriptor (open-fdes "/dev/null" O_WRONLY)))
       (feed! restorer %archive %some)
       (let ((errno (errno-of
                     (lambda () (nar-receive! restorer descriptor)))))
         (close-fdes descriptor)
         (nar-restorer-close! restorer)
         errno)))))

(test-end "nar-receiving")
