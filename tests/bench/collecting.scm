;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Collecting garbage, of which there is a lot: small files that nobody needs.
;;; The floor deletes as many such files with rm.
;;; Code:

(define-module (tests bench collecting)
  #:use-module (fruix protocol wire)
  #:use-module (fruix store)
  #:use-module (fruix store layout)
  #:use-module (srfi srfi-1)
  #:use-module (tests bench daemon)
  #:use-module (tests bench figures)
  #:use-module (tests daemon-support)
  #:use-module (tests support)
  #:use-module (tests worker-client)
  #:export (bench-collecting))

(define (write-files names)
  (for-each (lambda (name)
              (call-with-output-file name
                (lambda (port) (display name port))))
            names))

(define (make-garbage layout count)
  "Make COUNT items, of which none is needed, in the store of LAYOUT."
  (let ((paths (map (lambda (n) (format #f "/gnu/store/~32,'0d-garbage" n))
                    (iota count))))
    (call-with-store layout
      (lambda (store)
        (write-files (map (lambda (path) (physical layout path)) paths))
        (register-items! store
                         (map (lambda (path)
                                (path-info path (make-string 64 #\0) 100))
                              paths))))))

(define (collect port action)
  "Ask for ACTION; return the paths and the bytes that it gives back."
  (result-of port (lambda (port)
                    (let* ((paths (read-octets-list port))
                           (freed (read-long port)))
                      (read-int port)
                      (cons paths freed)))
             20 action '() 0 #vu8(255 255 255 255 255 255 255 255) 0 0 0))

(define (floor-rate count)
  (call-with-temporary-directory
   (lambda (directory)
     (let ((below (string-append directory "/below")))
       (mkdir below)
       (write-files (map (lambda (n) (format #f "~a/~32,'0d-garbage" below n))
                         (iota count)))
       (per-second count (lambda () (run "rm" "-r" below)))))))

(define (bench-collecting)
  "Report how fast garbage is found and deleted."
  (define count (scaled 50000))
  (call-with-daemon
   (lambda (daemon)
     (call-with-client daemon
       (lambda (port)
         (report (format #f "listing ~a dead items" count)
                 (seconds (lambda () (collect port 1))) "s")))
     (call-with-client daemon
       (lambda (port)
         (report (format #f "deleting ~a dead items" count)
                 (per-second count (lambda () (collect port 2))) "/s"
                 (floor-rate count)))))
   #:prepare (lambda (layout) (make-garbage layout count))))
