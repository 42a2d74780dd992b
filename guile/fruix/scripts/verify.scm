;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; 'fruix verify': whether the store is what the daemon believes it to be.
;;; Code:

(define-module (fruix scripts verify)
  #:use-module (fruix client)
  #:use-module ((fruix errors) #:select (fail))
  #:use-module (fruix scripts progress)
  #:use-module (fruix scripts support)
  #:export (main))

(define %options
  (list (flag 'contents "contents")
        (flag 'repair "repair")))

(define %help "\
Usage: fruix verify [OPTION]…
Look for damage in the store, and tell what is wrong.

      --contents         compare all that is in the files, which takes long;
                         by default, only look whether items are there
      --repair           fetch or build again what is damaged; for root, and
                         for the user as whom the daemon runs

The exit code is 1 if something is wrong in the end.
")

(define (main arguments)
  "Verify the store as @var{arguments}, a list of strings, says.  Return the
exit code."
  (run-command
   "fruix verify" arguments %options %help
   (lambda (options rest)
     (unless (null? rest)
       (usage-error "unexpected argument '~a'" (car rest)))
     (call-with-daemon options
       (lambda (daemon)
         ;; What is repaired may be built, which the daemon has to tell.
         (set-build-options daemon)
         (unless (call-with-progress
                  (lambda ()
                    (verify-store daemon
                                  #:check-contents?
                                  (assq-ref options 'contents)
                                  #:repair? (assq-ref options 'repair))))
           (fail "something is wrong with the store")))))))
