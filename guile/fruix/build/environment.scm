;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The environment variables of a builder: pure.
;;;
;;; Three layers, each overriding the one before: defaults that make leaks
;;; from the host fail early, the derivation's own variables, and the names
;;; of the build directory.  A fixed-output derivation may add variables of
;;; the daemon, by name, on top.  All strings are octet strings.
;;; Code:

(define-module (fruix build environment)
  #:use-module (fruix alist)
  #:use-module (fruix derivation)
  #:use-module (fruix octets)
  #:use-module ((srfi srfi-1) #:select (fold))
  #:export (build-environment))

(define (defaults store cores)
  `(("PATH" . "/path-not-set")
    ("HOME" . "/homeless-shelter")
    ("NIX_STORE" . ,store)
    ("NIX_BUILD_CORES" . ,(number->string cores))))

(define (directory-variables directory)
  (map (lambda (name) (cons name directory))
       '("NIX_BUILD_TOP" "TMPDIR" "TEMPDIR" "TMP" "TEMP" "PWD")))

(define (impure-variables derivation lookup)
  "Return the variables that @var{derivation} lists in @code{impureEnvVars},
with the values that @var{lookup} gives, or \"\"."
  (if (fixed-output-derivation? derivation)
      (map (lambda (name) (cons name (or (lookup name) "")))
           (or (derivation-words derivation "impureEnvVars") '()))
      '()))

(define* (build-environment derivation #:key store directory (cores 0)
                            (lookup (lambda (name)
                                      (and=> (getenv name) text->octets))))
  "Return the environment of @var{derivation}'s builder: an alist of octet
strings, sorted by name.  @var{store} is the logical store directory,
@var{directory} the build directory as the builder sees it, @var{cores} a
number, 0 for as many as there are, and @var{lookup} maps the name of one of
the daemon's own variables to its value or @code{#f}."
  (sort (fold (lambda (additions base) (override base additions))
              (defaults store cores)
              (list (derivation-environment derivation)
                    (directory-variables directory)
                    (impure-variables derivation lookup)))
        (lambda (a b) (string<? (car a) (car b)))))
