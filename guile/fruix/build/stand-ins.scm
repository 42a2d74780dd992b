;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Names under which a builder that sees the whole store makes outputs that
;;; are there already: pure.
;;;
;;; A stand-in differs from the output only in its hash part, which is as
;;; long.  So whatever the builder is told can be made to speak of stand-ins,
;;; and what it makes to speak of the outputs afterwards.
;;; Code:

(define-module (fruix build stand-ins)
  #:use-module (fruix base32)
  #:use-module (fruix hash)
  #:use-module (fruix octets)
  #:use-module (fruix store path)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:export (stand-in
            replacements
            reverse-replacements
            replace-hash-parts))

(define %hash-part-size 32)

(define (stand-in directory drv path)
  "Return the name under which the builder of @var{drv} makes @var{path}, one of
its outputs; both are items of the store @var{directory}."
  (string-append
   directory "/"
   (string-take (bytevector->nix-base32-string
                 (bytevector-hash 'sha256
                                  (octets->bytevector
                                   (string-append "rewrite:" drv ":" path))))
                %hash-part-size)
   "-" (store-path-name directory path)))

(define (replacements directory drv paths)
  "Return an alist from the hash parts of @var{paths}, outputs of @var{drv} in
the store @var{directory}, to those of their stand-ins."
  (map (lambda (path)
         (cons (store-path-hash-part directory path)
               (store-path-hash-part directory
                                     (stand-in directory drv path))))
       paths))

(define (reverse-replacements replacements)
  "Return the alist that undoes what @var{replacements} do."
  (map (match-lambda ((from . to) (cons to from))) replacements))

(define (replace-hash-parts replacements text)
  "Return @var{text}, an octet string, with the hash parts that are keys of the
alist @var{replacements} replaced by its values."
  (fold (lambda (pair text)
          (match pair
            ((from . to) (octets-replace text from to))))
        text
        replacements))
