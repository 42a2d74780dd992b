;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Small items, collections, and the moments of one.
;;; Code:

(define-module (tests collector-support)
  #:use-module (fruix store)
  #:use-module (fruix store layout)
  #:use-module (rnrs bytevectors)
  #:use-module (srfi srfi-1)
  #:use-module (tests support)
  #:export (text
            on-disk
            file
            make-file
            deleted
            collected
            sorted
            at))

(define (text store name . references)
  "Add @var{name} under that name to @var{store}; return its path."
  (add-text! store name (string->utf8 name) references))

(define (on-disk store)
  "Return the names in the directory of @var{store} that are not its own."
  (remove (lambda (name) (string-prefix? "." name))
          (directory-entries (layout-physical-store (store-layout store)))))

(define (file store path)
  "Return the name of the file that @var{path} of @var{store} is."
  (physical (store-layout store) path))

(define (make-file name contents)
  "Make the file @var{name} with @var{contents}, a string."
  (call-with-output-file name
    (lambda (port) (display contents port))))

(define (deleted thunk)
  "Return the paths that the collection @var{thunk} deletes."
  (call-with-values thunk (lambda (paths freed) paths)))

(define (collected store . options)
  "Return the paths that @code{collect-garbage!} with @var{options} deletes from
@var{store}."
  (deleted (lambda () (apply collect-garbage! store options))))

(define (sorted . strings)
  "Return @var{strings} as a sorted list."
  (sort strings string<?))

(define (at moment thunk)
  "Return a procedure for @code{#:reached} that calls @var{thunk} at
@var{moment}, once."
  (let ((done? #f))
    (lambda (symbol)
      (when (and (eq? symbol moment) (not done?))
        (set! done? #t)
        (thunk)))))
