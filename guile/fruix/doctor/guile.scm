;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Whether this Guile can start programs by itself.  From 3.0.10 on, some
;;; builds on FreeBSD mix two definitions of posix_spawn's actions, and crash
;;; in 'spawn', which is below 'system*' and 'open-pipe*', too.  Fruix never
;;; calls them, but users' programs will.
;;; Code:

(define-module (fruix doctor guile)
  #:use-module (fruix config)
  #:use-module (fruix doctor answers)
  #:use-module (fruix process)
  #:export (guile-spawn))

;; What a throw-away Guile does; it must not hang.
(define %program
  '(begin
     (use-modules (ice-9 popen))
     (alarm 20)
     (exit (and (zero? (system* "/bin/sh" "-c" ":"))
                (zero? (close-pipe
                        (open-pipe* OPEN_READ "/bin/sh" "-c" ":")))))))

(define (run guile)
  "Run @code{%program} by the program @var{guile} and return its status."
  (wait-process
   (spawn-process guile
                  (list "guile" "--no-auto-compile" "-q" "-c"
                        (object->string %program))
                  #:input #f #:output #f #:error #f)))

(define* (guile-spawn #:optional (guile %guile))
  "Return the answer to whether the program @var{guile}, the one that Fruix
was configured with by default, can run other programs by its own means."
  (attempt
   (lambda ()
     (let ((status (run guile)))
       (cond ((status:term-sig status)
              => (lambda (signal)
                   (no "system* and open-pipe* end in signal ~a" signal)))
             ((zero? status) #t)
             (else (no "system* and open-pipe* fail")))))
   #:otherwise unknown))
