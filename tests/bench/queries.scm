;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Questions, one at a time on one connection: how fast a request gets to the
;;; database and back.  The client is a small program, so that next to nothing
;;; of the time is its own.
;;; Code:

(define-module (tests bench queries)
  #:use-module (fruix client)
  #:use-module (fruix process)
  #:use-module ((fruix store layout) #:select (layout-socket))
  #:use-module (ice-9 rdelim)
  #:use-module (srfi srfi-1)
  #:use-module (tests bench daemon)
  #:use-module (tests bench figures)
  #:use-module (tests daemon-support)
  #:export (bench-queries))

(define (query-rate daemon number path shape)
  "Return how many times a second DAEMON answers request NUMBER about PATH by
a reply of the given SHAPE, which requests.cc explains."
  (define command
    (list (program "requests") (layout-socket (daemon-layout daemon))
          (number->string (scaled 100000)) (number->string number)
          path shape))
  (let* ((ends (pipe))
         (process (spawn-process (first command) command
                                 #:output (cdr ends))))
    (close-port (cdr ends))
    (let ((line (read-line (car ends))))
      (close-port (car ends))
      (unless (zero? (wait-process process))
        (error "program failed" command))
      (string->number line))))

(define (add-chain daemon count)
  "Add COUNT items to the store, each referring to all before; return the
last."
  (first (fold (lambda (n items)
                 (cons (add-text-to-store daemon (format #f "item-~a" n) ""
                                          items)
                       items))
               '()
               (iota count))))

(define (bench-queries)
  "Report how many questions a second one connection can ask."
  (compare-daemons
   (lambda (connection daemon)
     (let ((item (add-text-to-store connection "item" "contents"))
           (referrer (add-chain connection 20)))
       (map (lambda (name number item shape)
              (figure (string-append name " on one connection")
                      (query-rate daemon number item shape) "/s"))
            '("valid-path?" "references, none" "references, 19"
              "query-path-info, 19 references")
            '(1 5 5 26)
            (list item item referrer referrer)
            '("i" "l" "l" "sslii"))))))
