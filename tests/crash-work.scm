;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Work for a process that is killed at it: crash-work.scm ROOT WHAT NAME.
;;; WHAT is one of
;;;
;;;   text    add a text called NAME to the store below ROOT
;;;   tree    add the tree ROOT/tree as NAME
;;;   build   build a derivation called NAME, with two outputs
;;;   repair  build one called "repair" again, and replace its outputs
;;;
;;; It is also what a test asks for again, by 'do-work'.
;;; Code:

(define-module (tests crash-work)
  #:use-module (fruix build)
  #:use-module (fruix flag)
  #:use-module ((fruix scheduler task) #:select (task))
  #:use-module (fruix store)
  #:use-module (fruix store layout)
  #:use-module (ice-9 match)
  #:use-module (rnrs bytevectors)
  #:use-module (srfi srfi-1)
  #:use-module (tests store-support)
  #:export (do-work))

(define (build store kind name)
  (let* ((shell (find (lambda (path) (string-suffix? "-shell" path))
                      (all-valid-paths store)))
         (drv (add-shell-derivation!
               store shell name
               (format #f "echo ~a > $out; mkdir $lib; echo $out > $lib/x
echo y > $lib/y"
                       name)
               #:outputs '("out" "lib"))))
    (match (perform-task! store (build-host) (task kind drv) '() (const #t)
                          (make-flag))
      ('built (every (lambda (output) (valid-path? store (cdr output)))
                     (query-derivation-outputs store drv))))))

(define (do-work store root what name)
  "Do @var{what}, a string, with @var{store}; return true."
  (valid-work
   store
   (match what
     ("text" (add-text! store name (string->utf8 name) '()))
     ("tree" (add-tree! store name root "tree"))
     ("build" (build store 'build name))
     ("repair"
      (build store 'build "repair")
      (build store 'repair "repair")))))

(define (valid-work store result)
  (or (eq? #t result)
      (valid-path? store result)))

(match (command-line)
  ((_ root what name)
   (call-with-store (make-layout #:root root)
     (lambda (store) (do-work store root what name))))
  (_ #t))
