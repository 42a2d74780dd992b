;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Persistent maps from strings to any objects, in the order of the strings.
;;;
;;; A map is a weight-balanced tree (Adams; the parameters are those of
;;; Hirai and Yamamoto, "Balancing weight-balanced trees", 2011): looking up,
;;; adding and deleting take time logarithmic in its size, and a map never
;;; changes, so that it can be shared among threads.
;;;
;;; 1. Everything in 'left' sorts before 'key', everything in 'right' after.
;;; 2. Neither of the two weighs more than 3 times the other, the weight of a
;;;    tree being its size plus 1.
;;; Code:

(define-module (fruix map)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:export (empty-map
            alist->map
            map-empty?
            map-size
            map-ref
            map-set
            map-delete
            map-first-key
            map-fold
            map-keys))

(define-record-type <node>
  (%make-node size key value left right)
  node?
  (size  node-size)
  (key   node-key)                                ;string
  (value node-value)
  (left  node-left)                               ;<node> | #f
  (right node-right))                             ;<node> | #f

;; The map that has nothing in it.
(define empty-map #f)

(define (map-size map)
  "Return the number of keys in @var{map}."
  (if map (node-size map) 0))

(define (map-empty? map)
  "Return true if there is nothing in @var{map}."
  (not map))

(define (weight map)
  (+ 1 (map-size map)))

(define (make-node key value left right)
  (%make-node (+ 1 (map-size left) (map-size right)) key value left right))

(define (rotate-left key value left right)
  (make-node (node-key right) (node-value right)
             (make-node key value left (node-left right))
             (node-right right)))

(define (rotate-right key value left right)
  (make-node (node-key left) (node-value left)
             (node-left left)
             (make-node key value (node-right left) right)))

(define (lean node rotate inner outer)
  "Return @var{node}, turned by @var{rotate} if its @var{inner} side is too
heavy, compared with its @var{outer} side, to be moved across as it is."
  (if (< (weight (inner node)) (* 2 (weight (outer node))))
      node
      (rotate (node-key node) (node-value node)
              (node-left node) (node-right node))))

(define (balance key value left right)
  "Return a balanced node of @var{key}, @var{value}, @var{left} and
@var{right}, one of which has gained or lost one key since they were in
balance."
  (cond ((> (weight right) (* 3 (weight left)))
         (rotate-left key value left
                      (lean right rotate-right node-left node-right)))
        ((> (weight left) (* 3 (weight right)))
         (rotate-right key value
                       (lean left rotate-left node-right node-left)
                       right))
        (else (make-node key value left right))))

(define (with-sides node left right)
  (balance (node-key node) (node-value node) left right))

(define* (map-ref map key #:optional default)
  "Return what @var{map} has for @var{key}, a string, or @var{default}."
  (let loop ((node map))
    (cond ((not node) default)
          ((string<? key (node-key node)) (loop (node-left node)))
          ((string=? key (node-key node)) (node-value node))
          (else (loop (node-right node))))))

(define (map-set map key value)
  "Return a map that is like @var{map} and has @var{value} for @var{key}."
  (let loop ((node map))
    (if (not node)
        (make-node key value #f #f)
        (let ((left (node-left node))
              (right (node-right node)))
          (cond ((string<? key (node-key node))
                 (with-sides node (loop left) right))
                ((string=? key (node-key node))
                 (make-node key value left right))
                (else
                 (with-sides node left (loop right))))))))

(define (first-node node)
  (if (node-left node)
      (first-node (node-left node))
      node))

(define (join left right)
  "Return the keys of @var{left} and @var{right}, all of which sort after
those of @var{left}, the two having been the sides of one node."
  (cond ((not left) right)
        ((not right) left)
        (else
         (let ((first (first-node right)))
           (with-sides first left (map-delete right (node-key first)))))))

(define (map-delete map key)
  "Return a map that is like @var{map} and has nothing for @var{key}."
  (let loop ((node map))
    (if (not node)
        #f
        (let ((left (node-left node))
              (right (node-right node)))
          (cond ((string<? key (node-key node))
                 (with-sides node (loop left) right))
                ((string=? key (node-key node))
                 (join left right))
                (else
                 (with-sides node left (loop right))))))))

(define (map-first-key map)
  "Return the key of @var{map} that sorts before all others, or @code{#f} if
@var{map} is empty."
  (and map (node-key (first-node map))))

(define (map-fold proc init map)
  "Call @code{(@var{proc} @var{key} @var{value} @var{result})} for each key of
@var{map} in order, @var{result} being first @var{init} and then what the call
before returned; return what the last call returned."
  (if (not map)
      init
      (map-fold proc
                (proc (node-key map) (node-value map)
                      (map-fold proc init (node-left map)))
                (node-right map))))

(define (map-keys map)
  "Return the keys of @var{map}, a sorted list of strings."
  (reverse (map-fold (lambda (key value keys) (cons key keys)) '() map)))

(define (alist->map alist)
  "Return a map of the keys and values of @var{alist}; of two with the same
key, the latter counts."
  (fold (lambda (entry map) (map-set map (car entry) (cdr entry)))
        empty-map
        alist))
