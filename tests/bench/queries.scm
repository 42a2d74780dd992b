;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Questions, one at a time on one connection: how fast a request gets to the
;;; database and back.  The client sends the same bytes over and over, so that
;;; next to nothing of the time is its own.
;;; Code:

(define-module (tests bench queries)
  #:use-module (fruix client)
  #:use-module (fruix protocol wire)
  #:use-module (ice-9 binary-ports)
  #:use-module (rnrs bytevectors)
  #:use-module (tests bench daemon)
  #:use-module (tests bench figures)
  #:export (bench-queries))

(define (request-bytes number path)
  "Return the request NUMBER about PATH as it goes over the wire."
  (call-with-values open-bytevector-output-port
    (lambda (port bytes)
      (write-int port number)
      (write-octets port path)
      (bytes))))

(define (receive-all! port buffer)
  "Read from the socket PORT until BUFFER is full."
  (let ((size (bytevector-length buffer)))
    (let loop ((have 0))
      (when (< have size)
        (let* ((rest (make-bytevector (- size have)))
               (count (recv! port rest)))
          (bytevector-copy! rest 0 buffer have count)
          (loop (+ have count)))))))

(define (query-rate daemon number path reply-size)
  "Return how many times a second DAEMON answers request NUMBER about PATH, in
REPLY-SIZE bytes."
  (define count (scaled 100000))
  (define port ((@@ (fruix client connection) connection-port) daemon))
  (define request (request-bytes number path))
  (define reply (make-bytevector reply-size))
  (per-second count
              (lambda ()
                (do ((i 0 (+ i 1)))
                    ((= i count))
                  (send port request)
                  (receive-all! port reply)))))

(define (bench-queries)
  "Report how many questions a second one connection can ask."
  (call-with-bench-daemon
   (lambda (daemon _)
     (let ((item (add-text-to-store daemon "item" "contents")))
       (report "valid-path? on one connection"
               (query-rate daemon 1 item 16) "/s")
       ;; No references: the tag and an empty list.
       (report "references on one connection"
               (query-rate daemon 5 item 16) "/s")))))
