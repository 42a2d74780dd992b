;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; --discover: the program that looks for servers, for which one stands in.

(use-modules (fruix store layout)
             (ice-9 match)
             (ice-9 textual-ports)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests daemon-support)
             (tests support))

(define (call-with-discoverer script proc)
  (call-with-temporary-directory
   (lambda (directory)
     (define file (string-append directory "/guix"))
     (call-with-output-file file
       (lambda (port)
         (format port "#!/bin/sh\n~a\n" script)))
     (chmod file #o755)
     (setenv "GUIX" file)
     (let ((result (proc (string-append directory "/found"))))
       (unsetenv "GUIX")
       result))
   #:mode #o755))

(test-begin "discovery")

(test-equal "--discover: it runs as long as the daemon" '("discover" #t #f)
  (call-with-discoverer
   "echo $1 $$ $GUIX_STATE_DIRECTORY > ${0%guix}new
mv ${0%guix}new ${0%guix}found; exec sleep 1000"
   (lambda (found)
     (define (found-words)
       (string-tokenize (call-with-input-file found get-string-all)))
     (define running-then?
       (call-with-daemon
        (lambda (daemon)
          (wait-until (lambda () (file-exists? found)))
          (and (running? (string->number (second (found-words))))
               (string=? (third (found-words))
                         (layout-state-directory (daemon-layout daemon)))))
        #:options '("--discover=yes")))
     (list (first (found-words)) running-then?
           (running? (string->number (second (found-words))))))))
(for-each
 (match-lambda
   ((name program)
    (test-assert name
      (begin
        (setenv "GUIX" program)
        (let ((result (call-with-daemon alive? #:options '("--discover"))))
          (unsetenv "GUIX")
          result)))))
 '(("--discover without guix: the daemon does without" "/no/such/guix")
   ("--discover with a guix that is none, too" "/dev/null")))

(test-end "discovery")
