;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The census that a collector takes of a store: which items live.
;;;
;;; 1. Whatever holds an item is looked at in the order in which holders are
;;;    exchanged for lasting ones: temporary roots, permanent roots, processes.
;;;    What is held all the time is seen.
;;; 2. A temporary root that is added later is honoured, with all that it
;;;    keeps, unless it is too late.  Threads of this process say so at the
;;;    gate; other processes cannot add any before the census is closed.
;;; Code:

(define-module (fruix store census)
  #:use-module (fruix record-lock)
  #:use-module (fruix store busy)
  #:use-module (fruix store foreign-roots)
  #:use-module (fruix store gate)
  #:use-module (fruix store graph)
  #:use-module (fruix store handle)
  #:use-module (fruix store layout)
  #:use-module (fruix store roots)
  #:use-module (fruix store survey)
  #:use-module (fruix store temporary-roots)
  #:use-module (ice-9 match)
  #:use-module ((srfi srfi-1)
                #:select (any append-reverse filter-map remove))
  #:use-module (srfi srfi-9)
  #:export (live-paths
            dead-paths

            call-with-open-census
            census-survey
            census-dead-numbers
            census-alive?
            call-with-condemned
            call-with-condemned-strays
            spare-numbers!))

(define-record-type <census>
  (make-census gate rooted survey live)
  census?
  (gate census-gate)                       ;guards what follows
  (rooted census-rooted)                   ;hash table: path -> #t, if a root
  (survey census-survey set-census-survey!) ;<survey>; #f at first
  (live census-live))                      ;hash table: number -> #t

(define (new-census)
  (make-census (make-gate) (make-hash-table) #f (make-hash-table)))

(define-syntax-rule (at-gate census body ...)
  (call-at-gate (census-gate census) '() (lambda () body ...)))

(define (reach-numbers! census numbers)
  (reach! (survey-graph (census-survey census)) (census-live census) numbers))

(define (root! census path)
  (hash-set! (census-rooted census) path #t)
  (let ((number (and=> (census-survey census)
                       (lambda (survey) (survey-number survey path)))))
    (when number
      (reach-numbers! census (list number)))))

;; What builders, and those who add an item, make beside it.
(define %companions '(".lock" ".chroot"))

(define (claim! census path)
  "Honour the root @var{path}, which somebody is adding."
  (call-at-gate (census-gate census)
                (cons path (map (lambda (suffix) (string-append path suffix))
                                %companions))
    (lambda () (root! census path))))

(define (spared? census path)
  "Return true if @var{path}, a stray, has to stay."
  (define (rooted? path)
    (hash-ref (census-rooted census) path))
  (or (rooted? path)
      (any (lambda (suffix)
             (and (string-suffix? suffix path)
                  (rooted? (string-drop-right path (string-length suffix)))))
           %companions)))

(define (live? census number)
  (hashv-ref (census-live census) number))


;;
;; Taking it.
;;

(define (mark! census survey busy)
  "Let live what @var{busy} items and the known roots keep."
  (at-gate census
    (set-census-survey! census survey)
    (reach-numbers! census
                    (filter-map (lambda (path) (survey-number survey path))
                                (append busy
                                        (hash-map->list
                                         (lambda (path _) path)
                                         (census-rooted census)))))))

(define* (conduct! census store temporary #:key keep-outputs?
                   keep-derivations?)
  "Find out what lives in @var{store}, given the @var{temporary} roots."
  (for-each (lambda (path) (claim! census path)) temporary)
  (for-each (match-lambda ((file . path) (claim! census path)))
            (find-roots store))
  (let ((survey (take-survey store
                             #:keep-outputs? keep-outputs?
                             #:keep-derivations? keep-derivations?)))
    (mark! census survey
           (busy-items (store-directory store)
                       (lambda (path) (survey-number survey path))))))

(define (select survey keep?)
  "Return the paths of the items in @var{survey} of whose numbers @var{keep?}
is true, sorted."
  (filter-map (match-lambda
                (#(number path) (and (keep? number) path)))
              (survey-items survey)))


;;
;; Lists.
;;

(define (take-census store keep-outputs? keep-derivations?)
  "Return a census of @var{store} as it is now."
  (let ((layout (store-layout store))
        (census (new-census)))
    (call-with-file-lock (layout-gc-lock layout) 'shared
      (lambda ()
        (call-with-foreign-roots layout
          (lambda (foreign)
            (conduct! census store
                      (append foreign
                              (other-temporary-roots (session-roots store)))
                      #:keep-outputs? keep-outputs?
                      #:keep-derivations? keep-derivations?)))))
    census))

(define (merge as bs)
  "Return the sorted list of the members of @var{as} and @var{bs}, which are
sorted."
  (let loop ((as as) (bs bs) (result '()))
    (cond ((null? as) (append-reverse result bs))
          ((null? bs) (append-reverse result as))
          ((string<? (car as) (car bs))
           (loop (cdr as) bs (cons (car as) result)))
          (else
           (loop as (cdr bs) (cons (car bs) result))))))

(define* (live-paths store #:key keep-outputs? (keep-derivations? #t))
  "Return the valid items of @var{store} that @code{collect-garbage!} with the
same arguments would not delete, sorted."
  (let ((census (take-census store keep-outputs? keep-derivations?)))
    (select (census-survey census) (lambda (number) (live? census number)))))

(define* (dead-paths store #:key keep-outputs? (keep-derivations? #t))
  "Return the paths, sorted, of what @code{collect-garbage!} with the same
arguments would delete from @var{store}: valid items, and what is in the store
directory without being valid."
  (let* ((census (take-census store keep-outputs? keep-derivations?))
         (survey (census-survey census)))
    (merge (select survey (lambda (number) (not (live? census number))))
           (remove (lambda (path) (spared? census path))
                   (survey-strays survey)))))


;;
;; While items are deleted.
;;

(define* (call-with-open-census store proc #:key keep-outputs?
                                keep-derivations?)
  "Call @var{proc} with a census of @var{store} to which roots are added until
it returns or raises, and return its value.  The caller holds @file{gc.lock}
exclusively.  What killed processes left of temporary roots is deleted."
  (let ((census (new-census)))
    (call-with-claims (session-roots store)
      (lambda (path) (claim! census path))
      (lambda (others)
        (call-with-foreign-roots (store-layout store)
          (lambda (foreign)
            (conduct! census store (append foreign others)
                      #:keep-outputs? keep-outputs?
                      #:keep-derivations? keep-derivations?)
            (proc census))
          #:sweep? #t)))))

(define (census-dead-numbers census)
  "Return the numbers of the items in @var{census} that do not live now."
  (at-gate census
    (filter-map (match-lambda
                  (#(number _) (and (not (live? census number)) number)))
                (survey-items (census-survey census)))))

(define (census-alive? census path)
  "Return true if @var{path}, valid or not, lives now."
  (at-gate census
    (or (hash-ref (census-rooted census) path)
        (let ((number (survey-number (census-survey census) path)))
          (and number (live? census number))))))

(define (call-with-condemned census numbers path-of proc)
  "Call @var{proc} with those of the items @var{numbers} that do not live, and
keep whoever wants one of them waiting until it returns or raises.
@var{path-of} is a procedure from numbers to paths."
  (call-with-doomed (census-gate census)
    (lambda ()
      (remove (lambda (number) (live? census number)) numbers))
    path-of proc))

(define (call-with-condemned-strays census strays proc)
  "Do the same with those of the paths @var{strays} that do not have to stay."
  (call-with-doomed (census-gate census)
    (lambda ()
      (remove (lambda (path) (spared? census path)) strays))
    identity proc))

(define (spare-numbers! census numbers)
  "Let the items @var{numbers} live, to which somebody has come to refer."
  (at-gate census
    (reach-numbers! census numbers)))
