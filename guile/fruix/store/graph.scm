;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Who keeps whom: liveness as reachability, and the order of deletion.
;;;
;;; Items are numbers.  There are two kinds of edges: an item keeps what it
;;; refers to, and it may keep others for the sake of policy, such as the
;;; derivation that it was built from.  All edges count for liveness; only
;;; references matter to the order in which dead items can go.
;;; Code:

(define-module (fruix store graph)
  #:use-module (ice-9 match)
  #:use-module ((srfi srfi-1) #:select (any fold))
  #:use-module (srfi srfi-9)
  #:export (make-graph
            reach!
            referrers-first
            with-referrers))

(define-record-type <graph>
  (%make-graph references kept)
  graph?
  (references graph-references)            ;hash table: item -> items
  (kept graph-kept))                       ;hash table: item -> items

(define (edges->table edges)
  (let ((table (make-hash-table)))
    (for-each (match-lambda
                (#(from to)
                 (hashv-set! table from
                             (cons to (hashv-ref table from '())))))
              edges)
    table))

(define (make-graph references kept)
  "Return the graph with the edges @var{references} and @var{kept}, lists of
vectors of two items, the first of which refers to, or keeps, the second."
  (%make-graph (edges->table references) (edges->table kept)))

(define (references graph item)
  (hashv-ref (graph-references graph) item '()))

(define (reach! graph live items)
  "Add @var{items}, and all that they keep in @var{graph}, directly or not, to
@var{live}, a hash table whose keys are live items; what these keep is there
already."
  (let loop ((todo items))
    (match todo
      (() live)
      ((item . rest)
       (if (hashv-ref live item)
           (loop rest)
           (begin
             (hashv-set! live item #t)
             (loop (append (references graph item)
                           (hashv-ref (graph-kept graph) item '())
                           rest))))))))

(define (referrers-first graph items)
  "Return @var{items}, a list without duplicates, such that none comes before
one of them that refers to it in @var{graph}, unless they do so in a circle.
Otherwise those that were later in @var{items} come first."
  (define new (make-hash-table))
  (for-each (lambda (item) (hashv-set! new item #t)) items)
  ;; To do is: to enter an ITEM, or to leave one, (ITEM), whose references
  ;; have all been left.
  (let loop ((todo items) (left '()))
    (match todo
      (() left)
      (((item) . rest)
       (loop rest (cons item left)))
      ((item . rest)
       (if (hashv-ref new item)
           (begin
             (hashv-remove! new item)
             (loop (append (references graph item) (list (list item)) rest)
                   left))
           (loop rest left))))))

(define (with-referrers graph ordered items)
  "Return those of @var{ordered}, which @code{referrers-first} returned, that
are among @var{items} or refer to one of them in @var{graph}, directly or by
way of others of @var{ordered}; in the same order."
  (define wanted (make-hash-table))
  (for-each (lambda (item) (hashv-set! wanted item #t)) items)
  (fold (lambda (item result)
          (if (or (hashv-ref wanted item)
                  (any (lambda (reference) (hashv-ref wanted reference))
                       (references graph item)))
              (begin
                (hashv-set! wanted item #t)
                (cons item result))
              result))
        '()
        (reverse ordered)))
