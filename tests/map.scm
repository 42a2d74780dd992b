;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Maps do what a hash table does, whatever the order of the operations, and
;;; stay balanced: a deep one would make large requests slow.

(use-modules (fruix map)
             (srfi srfi-1)
             (srfi srfi-64))

(define node-left (@@ (fruix map) node-left))
(define node-right (@@ (fruix map) node-right))
(define weight (@@ (fruix map) weight))

(define (balanced? map)
  (or (not map)
      (let ((left (node-left map)) (right (node-right map)))
        (and (<= (weight left) (* 3 (weight right)))
             (<= (weight right) (* 3 (weight left)))
             (= (weight map) (+ (weight left) (weight right)))
             (balanced? left)
             (balanced? right)))))

(define (sorted-contents table)
  (sort (hash-map->list cons table)
        (lambda (a b) (string<? (car a) (car b)))))

(define (contents map)
  (reverse (map-fold alist-cons '() map)))

(define (random-history seed keys steps)
  "Return true if STEPS random operations on KEYS keys leave a map that agrees
with a hash table and is balanced."
  (define random-state (seed->random-state seed))
  (define table (make-hash-table))
  (let loop ((step 0) (map empty-map))
    (if (= step steps)
        (and (balanced? map)
             (= (map-size map) (hash-count (const #t) table))
             (equal? (contents map) (sorted-contents table)))
        (let ((key (number->string (random keys random-state))))
          (if (zero? (random 2 random-state))
              (begin
                (hash-remove! table key)
                (loop (+ step 1) (map-delete map key)))
              (begin
                (hash-set! table key step)
                (loop (+ step 1) (map-set map key step))))))))

(test-begin "map")

(test-equal "nothing in the empty map" '(#t 0 none #f ())
  (list (map-empty? empty-map) (map-size empty-map)
        (map-ref empty-map "a" 'none) (map-first-key empty-map)
        (map-keys empty-map)))
(test-equal "later values replace earlier ones" '(("a" . 3) ("b" . 2))
  (contents (alist->map '(("a" . 1) ("b" . 2) ("a" . 3)))))
(test-equal "the first key is the smallest" "a"
  (map-first-key (alist->map '(("b" . 2) ("a" . 1) ("c" . 3)))))
(test-equal "a map does not change" '("a")
  (let ((map (alist->map '(("a" . 1)))))
    (map-set map "b" 2)
    (map-delete map "a")
    (map-keys map)))

(test-equal "200 random histories agree with a hash table" '()
  (remove (lambda (seed) (random-history seed (+ 1 (modulo seed 97)) 300))
          (iota 200)))
(test-assert "ascending and descending keys stay balanced"
  (let* ((keys (map (lambda (n) (string-pad (number->string n) 5 #\0))
                    (iota 3000)))
         (up (alist->map (map list keys)))
         (down (alist->map (map list (reverse keys)))))
    (and (balanced? up)
         (balanced? down)
         (balanced? (fold (lambda (key map) (map-delete map key))
                          up (take keys 2900))))))

(test-end "map")
