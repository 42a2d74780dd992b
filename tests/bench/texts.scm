;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Adding small texts one by one, on one connection: what an item costs that
;;; has next to no contents, in a store with few items and with many.  The
;;; client's requests are made before, so that the time is the daemon's.
;;; Code:

(define-module (tests bench texts)
  #:use-module (fruix protocol wire)
  #:use-module (ice-9 binary-ports)
  #:use-module (srfi srfi-1)
  #:use-module (tests bench daemon)
  #:use-module (tests bench figures)
  #:export (bench-texts))

(define (request-bytes n)
  "Return the request to add the Nth text as it goes over the wire."
  (let ((name (format #f "text-~a" n)))
    (call-with-values open-bytevector-output-port
      (lambda (port bytes)
        (write-int port 8)
        (write-octets port name)
        (write-octets port name)
        (write-octets-list port '())
        (bytes)))))

(define (add! port request)
  (put-bytevector port request)
  (force-output port)
  (unless (= %message-last (read-int port))
    (error "a text was not added"))
  (read-octets port))

(define (bench-texts)
  "Report how many texts a second are added to an empty store, and how many in
the end to one that has become large."
  (call-with-bench-daemon
   (lambda (daemon _)
     (let* ((port ((@@ (fruix client connection) connection-port) daemon))
            (count (scaled 40000))
            (part (scaled 5000))
            (requests (map request-bytes (iota count)))
            (add-all (lambda (requests)
                       (per-second (length requests)
                                   (lambda ()
                                     (for-each (lambda (request)
                                                 (add! port request))
                                               requests)))))
            (first (add-all (take requests part)))
            (middle (drop-right (drop requests part) part)))
       (report "add-text-to-store, the first 5,000" first "/s")
       (for-each (lambda (request) (add! port request)) middle)
       (report "add-text-to-store, the last 5,000 of 40,000"
               (add-all (take-right requests part)) "/s")))))
