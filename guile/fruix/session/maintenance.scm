;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The operations that go through the whole store: verifying and optimising
;;; it.  They take long; a client that leaves meanwhile ends them.
;;; Code:

(define-module (fruix session maintenance)
  #:use-module (fruix errors)
  #:use-module ((fruix session building) #:select (repair-items))
  #:use-module (fruix session client)
  #:use-module (fruix store)
  #:export (optimise
            verify))

(define (optimise client)
  "Make equal files in the store one, telling @var{client} what came of it."
  (optimise-store! (client-store client)
                   #:report (lambda (line) (send-text client line))
                   #:pulse (lambda () (check-presence client))))

(define (check-repair client)
  (unless (client-trusted? client)
    (fail "you are not privileged to repair paths")))

(define (repair client)
  "Return a procedure that has an item made anew, and returns true then."
  (lambda (path)
    (repair-items client (list path))
    #t))

(define (verify client contents? repair?)
  "Compare the store with its database, with @var{contents?} all that is in
the files, and repair what is wrong if @var{repair?} is true and @var{client}
trusted.  Return whether problems remain."
  (when repair?
    (check-repair client))
  (verify-store! (client-store client)
                 #:check-contents? contents?
                 #:repair (and repair? (repair client))
                 #:report (lambda (line) (send-text client line))
                 #:pulse (lambda () (check-presence client))))
