;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Whether builds can run: a sandbox as builds have it is put together to the
;;; last step, which is to run a program that is not in it.
;;; Code:

(define-module (fruix doctor builds)
  #:use-module (fruix doctor answers)
  #:use-module (fruix doctor scratch)
  #:use-module (fruix errors)
  #:use-module (fruix sandbox)
  #:use-module (ice-9 match)
  #:export (build-facts))

;; Who the builder is: "nobody", if root asks; oneself in a user namespace.
(define %nobody
  '(#:user 65534 #:group 65534))

(define (oneself)
  `(#:mapping ((uid 30001 . ,(geteuid)) (gid 30000 . ,(getegid)))))

(define (set-up box)
  "Return the answer to whether the sandbox @var{box} can be set up."
  (with-exception-handler
      (lambda (exception)
        (cond ((not (sandbox-error? exception)) (raise-exception exception))
              ((equal? (sandbox-error-step exception) "execve") #t)
              (else (no "~a" (exception->text exception)))))
    (lambda ()
      (call-with-sandboxed-program box '("/program") (const #t)
                                   #:input #f #:output #f #:error #f))
    #:unwind? #t))

(define (make-sandbox directory identity)
  "Return a sandbox as builds have it, in @var{directory}, for a builder with
@var{identity}, the arguments of @code{sandbox} that say who it is."
  (define root (string-append directory "/root"))
  (define store (string-append directory "/store"))
  (chmod directory #o755)
  (mkdir root)
  (mkdir store)
  (apply sandbox #:root root
         #:directories '(("/tmp" #o1777) ("/gnu" #o755))
         #:mounts `((,store "/gnu/store" read-only))
         identity))

(define (sandbox-works identity)
  "Return the answer to whether a builder with @var{identity} can have a
sandbox."
  (attempt
   (lambda ()
     (call-with-scratch
      (lambda (directory)
        (set-up (make-sandbox directory identity)))))))

(define (either a b)
  "Return the answer to whether one of the answers A and B is a yes."
  (match (list a b)
    ((('no . as-root) ('no . rootless))
     (no "as root: ~a; rootless: ~a" as-root rootless))
    (_ #t)))

(define (build-facts)
  "Return an alist of names, strings, and answers: whether this user can have
builds run, with build users as root, or rootless."
  (let ((as-root (root-only (lambda () (sandbox-works %nobody))))
        (rootless (sandbox-works (oneself))))
    `(("builds-as-root" . ,as-root)
      ("builds-rootless" . ,rootless)
      ("builds" . ,(either as-root rootless)))))
