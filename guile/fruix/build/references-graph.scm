;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The files that a derivation asks for with exportReferencesGraph: for each
;;; item of a closure its name, an empty line in place of the deriver, the
;;; number of its references, and the references.
;;; Code:

(define-module (fruix build references-graph)
  #:use-module (fruix build job)
  #:use-module (fruix derivation)
  #:use-module (fruix store)
  #:use-module (fruix store path)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:export (references-graphs))

(define (all-among? some items)
  "Return true if all of @var{some} are among @var{items}, two lists of strings."
  (let ((table (make-hash-table)))
    (for-each (lambda (item) (hash-set! table item #t)) items)
    (every (lambda (one) (hash-ref table one)) some)))

(define (with-derivation-outputs store items)
  "Return the closure of @var{items}, and of all outputs of the derivations in
it."
  (let* ((items (closure store items))
         (outputs (append-map
                   (lambda (item)
                     (if (derivation-path? item)
                         (map cdr (query-derivation-outputs store item))
                         '()))
                   items)))
    (if (all-among? outputs items)
        items
        (closure store (append outputs items)))))

(define (graph-text store item)
  (string-concatenate
   (append-map
    (lambda (item)
      (let ((references (sort (references store item) string<?)))
        `(,item "\n\n" ,(number->string (length references)) "\n"
          ,@(append-map (lambda (reference) (list reference "\n"))
                        references))))
    (sort (with-derivation-outputs store (list item)) string<?))))

(define (reject-graph template object)
  (reject 'rejected (string-append "exportReferencesGraph: " template)
          object))

(define (references-graphs store derivation)
  "Return the files that @var{derivation} wants in its build directory: an
alist of file names and contents, octet strings.  Raise a @code{&build-error}
if what it says is malformed."
  (define directory (store-directory store))
  (let loop ((words (or (derivation-words derivation "exportReferencesGraph")
                        '()))
             (files '()))
    (match words
      (() (reverse files))
      ((file)
       (reject-graph "no store item for file `~a'" file))
      ((file item . rest)
       (unless (valid-store-name? file)
         (reject-graph "invalid file name `~a'" file))
       (unless (and (direct-store-path? directory item)
                    (valid-path? store item))
         (reject-graph "`~a' is not a valid store item" item))
       (loop rest (alist-cons file (graph-text store item) files))))))
