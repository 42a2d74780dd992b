;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What a collector needs to know of a store, in memory: the valid items with
;;; their numbers in the database, what keeps what among them, and the strays,
;;; which are in the store directory without being valid.
;;; Code:

(define-module (fruix store survey)
  #:use-module (fruix bulk)
  #:use-module (fruix database)
  #:use-module (fruix descriptors)
  #:use-module (fruix store graph)
  #:use-module (fruix store handle)
  #:use-module (fruix store layout)
  #:use-module ((fruix store staging) #:select (own-directory?
                                                staging-name?))
  #:use-module (ice-9 match)
  #:use-module ((srfi srfi-1) #:select (filter-map))
  #:use-module (srfi srfi-9)
  #:export (take-survey
            survey-items
            survey-graph
            survey-strays
            survey-number
            survey-path-lookup))

(define-record-type <survey>
  (make-survey items numbers graph strays)
  survey?
  (items survey-items)          ;list of #(NUMBER PATH), sorted by path
  (numbers survey-numbers)      ;hash table: path -> number
  (graph survey-graph)          ;of numbers
  (strays survey-strays))       ;sorted list of paths

(define %references
  "select referrer, reference from Refs where referrer <> reference")

;; An output keeps the derivation that it was built from...
(define %derivers
  "select o.id, d.drv
   from DerivationOutputs d join ValidPaths o on o.path = d.path
     join ValidPaths v on v.id = d.drv
   where o.deriver = v.path")

;; ...and a derivation keeps what are its outputs, whoever built them.
(define %outputs
  "select d.drv, o.id
   from DerivationOutputs d join ValidPaths o on o.path = d.path")

(define (read-graph db keep-outputs? keep-derivations?)
  (make-graph (query db %references)
              (append (if keep-derivations? (query db %derivers) '())
                      (if keep-outputs? (query db %outputs) '()))))

(define (number-table items)
  (let ((table (make-hash-table (length items))))
    (for-each (match-lambda
                (#(number path) (hash-set! table path number)))
              items)
    table))

(define (kept-apart? layout name)
  "Return true if @var{name} is of the store's own: where items are made, links
to contents, and what the collector itself has put aside."
  (or (member name '(".links" "trash"))
      (and (staging-name? name)
           ;; Build users can make directories of such a name.
           (own-directory? (string-append (layout-physical-store layout)
                                          "/" name)))))

(define (names-on-disk layout)
  (call-with-directory (layout-physical-store layout) list-entries))

(define (strays-among names layout numbers)
  "Return the paths of those of @var{names}, entries of the store directory,
that are neither valid nor the store's own."
  (define prefix (string-append (layout-store layout) "/"))
  (filter-map (lambda (name)
                (let ((path (string-append prefix name)))
                  (and (not (hash-ref numbers path))
                       (not (kept-apart? layout name))
                       path)))
              names))

(define* (take-survey store #:key keep-outputs? keep-derivations?)
  "Return a @code{<survey>} of @var{store}, in whose graph derivations keep
their valid outputs if @var{keep-outputs?} is true, and outputs the derivation
that they were built from if @var{keep-derivations?} is.

Items may become valid meanwhile.  One that seems to be a stray although it has
become valid was a temporary root before this was called."
  ;; In this order: what is moved into the store becomes valid later.
  (let* ((names (names-on-disk (store-layout store)))
         (items (call-for-query store
                  (lambda (db)
                    (query db "select id, path from ValidPaths
                               order by path"))))
         (numbers (number-table items)))
    (make-survey items numbers
                 (call-for-query store
                   (lambda (db)
                     (read-graph db keep-outputs? keep-derivations?)))
                 (strays-among names (store-layout store) numbers))))

(define (survey-number survey path)
  "Return the number of the item @var{path} in @var{survey}, or @code{#f} if it
was not valid."
  (hash-ref (survey-numbers survey) path))

(define (survey-path-lookup survey)
  "Return a procedure from the numbers of items in @var{survey} to paths."
  (let ((table (make-hash-table (length (survey-items survey)))))
    (for-each (match-lambda
                (#(number path) (hashv-set! table number path)))
              (survey-items survey))
    (lambda (number) (hashv-ref table number))))
