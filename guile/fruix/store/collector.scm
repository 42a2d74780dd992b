;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The garbage collector: deletes what does not live.
;;;
;;; 1. Items go in lots, referrers first.  The database forgets a lot in one
;;;    transaction, which is on the disk before the first of them is moved: a
;;;    crash leaves nothing but strays, for the next collection.
;;; 2. An item that somebody has come to refer to is spared by the database.
;;; 3. 'gc.lock' is held exclusively until all is in the trash, and shared
;;;    while that is emptied: so sessions of other processes go on, and other
;;;    collectors wait.
;;; Code:

(define-module (fruix store collector)
  #:use-module (fruix bulk)
  #:use-module (fruix database)
  #:use-module (fruix descriptors)
  #:use-module (fruix errors)
  #:use-module (fruix files)
  #:use-module (fruix record-lock)
  #:use-module (fruix store census)
  #:use-module (fruix store graph)
  #:use-module (fruix store handle)
  #:use-module (fruix store layout)
  #:use-module ((fruix store path) #:select (derivation-path?
                                             direct-store-path?))
  #:use-module (fruix store survey)
  #:use-module (fruix store trash)
  #:use-module (ice-9 format)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:export (collect-garbage!
            delete-paths!))

;; Items in a lot: whoever wants one of them waits as long as this takes.
(define %lot 1000)

;; Smaller files are not linked to any more.
(define %smallest-link 8192)

;; Seconds after which nobody is at replacing a file by a link any more.
(define %longest-sharing 3600)

(define %mebibyte (expt 2 20))

;; One collection, as far as it has come.
(define-record-type <collection>
  (make-collection store census trash limit report reached deleted size freed)
  collection?
  (store collection-store)                 ;<store>
  (census collection-census)               ;<census>, open
  (trash collection-trash)                 ;<trash>
  (limit collection-limit)                 ;bytes, a real
  (report collection-report)               ;(LEVEL LINES) -> unspecified
  (reached collection-reached)             ;(SYMBOL) -> unspecified
  (deleted collection-deleted set-collection-deleted!) ;list of paths
  (size collection-size set-collection-size!) ;bytes of their archives
  (freed collection-freed set-collection-freed!)) ;bytes given back

(define (reached! collection moment)
  ((collection-reached collection) moment))

(define (complainer report)
  (lambda (text) (report 0 (list text))))


;;
;; Lots.
;;

(define (progress collection)
  (let ((size (collection-size collection))
        (limit (collection-limit collection)))
    (if (inf? limit)
        (format #f "[~a MiB]" (quotient size %mebibyte))
        (format #f "[~a%]" (min 100 (quotient (* 100 size) limit))))))

(define (report-lot collection paths)
  (let ((prefix (string-append (progress collection) " deleting '")))
    ((collection-report collection)
     1 (map (lambda (path) (string-append prefix path "'")) paths))))

(define (remove-lot! collection paths size)
  "Remove the files of @var{paths}, of which none is valid, from the store;
@var{size} bytes, or so, were in their archives."
  (let ((freed (discard! (collection-trash collection) (map basename paths)
                         (complainer (collection-report collection)))))
    (set-collection-freed! collection
                           (+ freed (collection-freed collection))))
  (set-collection-deleted! collection
                           (append-reverse paths
                                           (collection-deleted collection)))
  (set-collection-size! collection (+ size (collection-size collection)))
  (report-lot collection paths)
  (reached! collection 'moved))

(define %delete
  "delete from ValidPaths
   where id = ?1 and not exists
     (select 1 from Refs where reference = ?1 and referrer <> ?1)
   returning path, coalesce (narSize, 0)")

(define (invalidate db numbers limit)
  "Make the items @var{numbers} invalid, in this order, until they have more
than @var{limit} bytes.  Return a list: the paths of those that were deleted,
their bytes, and the numbers of those to which others refer now."
  (let loop ((numbers numbers) (paths '()) (size 0) (referred '()))
    (match numbers
      ((number . rest)
       (if (> size limit)
           (loop '() paths size referred)
           (match (query db %delete number)
             ((#(path more))
              (loop rest (cons path paths) (+ size more) referred))
             (()
              (loop rest paths size (cons number referred))))))
      (() (list (reverse paths) size referred)))))

(define (sync-journal layout)
  "Wait until what was committed to the database of @var{layout} is on the
disk.  Another daemon may do without this journal, but then it waits itself."
  (let ((file (string-append (layout-database layout) "-wal")))
    (when (file-exists? file)
      (let ((port (open file (logior O_RDONLY O_CLOEXEC))))
        (fsync port)
        (close-port port)))))

(define (delete-lot! collection numbers)
  "Delete the items @var{numbers}, which are condemned."
  (define store (collection-store collection))
  (define limit
    (- (collection-limit collection) (collection-size collection)))
  (match (call-for-update store
           (lambda (db) (invalidate db numbers limit)))
    ((paths size referred)
     (sync-journal (store-layout store))
     (reached! collection 'invalidated)
     (spare-numbers! (collection-census collection) referred)
     (remove-lot! collection paths size))))

(define (split-lot items)
  (let loop ((left %lot) (lot '()) (rest items))
    (if (or (zero? left) (null? rest))
        (values (reverse lot) rest)
        (loop (- left 1) (cons (car rest) lot) (cdr rest)))))

(define (for-each-lot proc items)
  (unless (null? items)
    (call-with-values (lambda () (split-lot items))
      (lambda (lot rest)
        (proc lot)
        (for-each-lot proc rest)))))

(define (delete-strays! collection strays)
  (for-each-lot
   (lambda (lot)
     (call-with-condemned-strays (collection-census collection) lot
       (lambda (paths)
         (reached! collection 'condemned)
         (remove-lot! collection paths 0))))
   strays))

(define (full? collection)
  (> (collection-size collection) (collection-limit collection)))

(define (delete-items! collection numbers)
  "Delete those of the items @var{numbers}, referrers first, that nobody has
claimed meanwhile."
  (define census (collection-census collection))
  (define path-of (survey-path-lookup (census-survey census)))
  (for-each-lot
   (lambda (lot)
     (unless (full? collection)
       (call-with-condemned census lot path-of
         (lambda (numbers)
           (reached! collection 'condemned)
           (delete-lot! collection numbers)))))
   numbers))


;;
;; What to delete.
;;

(define (dead-in-order census)
  "Return the numbers of all dead items, referrers first, old ones early."
  (referrers-first (survey-graph (census-survey census))
                   (sort (census-dead-numbers census) >)))

(define (cheap-first collection numbers)
  "Return @var{numbers} with those of derivations in front, which any client
makes again in a moment, if not all may be deleted.  One that something else
refers to is spared by the database."
  (define path-of
    (survey-path-lookup (census-survey (collection-census collection))))
  (define (derivation? number)
    (derivation-path? (path-of number)))
  (if (eqv? +inf.0 (collection-limit collection))
      numbers
      (call-with-values (lambda () (partition derivation? numbers))
        append)))

(define (delete-all! collection)
  (define census (collection-census collection))
  (when (positive? (collection-limit collection))
    (delete-strays! collection (survey-strays (census-survey census)))
    (delete-items! collection
                   (cheap-first collection (dead-in-order census)))))

(define (delete-some! collection targets)
  "Delete @var{targets}, a list of paths that do not live, and what refers to
them."
  (define census (collection-census collection))
  (define survey (census-survey census))
  (define wanted (make-hash-table))
  (for-each (lambda (path) (hash-set! wanted path #t)) targets)
  (delete-strays! collection (filter (lambda (path) (hash-ref wanted path))
                                     (survey-strays survey)))
  (delete-items! collection
                 (with-referrers (survey-graph survey) (dead-in-order census)
                                 (filter-map (lambda (path)
                                               (survey-number survey path))
                                             targets))))

(define (delete-up-to-live! collection paths)
  "Delete @var{paths} up to the first that lives, and return that, or
@code{#f}."
  (define (kept? path)
    (census-alive? (collection-census collection) path))
  (when (positive? (collection-limit collection))
    (delete-some! collection (take-while (negate kept?) paths)))
  (find (lambda (path)
          (and (kept? path)
               (not (member path (collection-deleted collection)))))
        paths))


;;
;; One collection.
;;

(define (lock-out-others layout report)
  (let ((file (layout-gc-lock layout)))
    (or (acquire-file-lock file 'exclusive #:wait? #f)
        (begin
          (report 0 '("waiting for the big garbage collector lock..."))
          (acquire-file-lock file 'exclusive)))))

(define (clean-links layout report)
  "Delete the links to contents that nobody uses, and return the bytes given
back."
  (report 0 '("deleting unused links..."))
  (call-with-values
      (lambda ()
        (call-with-directory (layout-links layout)
          (lambda (links)
            (sweep-links! links %smallest-link
                          (- (current-time) %longest-sharing)))))
    (lambda (freed saved)
      (report 1 (list (format #f "note: currently hard linking saves ~,2f MiB"
                              (/ saved %mebibyte 1.))))
      freed)))

(define (fill-trash store trash delete! limit report reached census-options)
  "Call @var{delete!} with a new @code{<collection>}; return its value, the
deleted paths, sorted, and the bytes given back."
  (report 0 '("finding garbage collector roots..."))
  (apply call-with-open-census store
         (lambda (census)
           (let ((collection (make-collection store census trash limit report
                                              reached '() 0 0)))
             (report 0 '("deleting garbage..."))
             (reached! collection 'marked)
             (let ((value (delete! collection)))
               (values value
                       (sort (collection-deleted collection) string<?)
                       (collection-freed collection)))))
         census-options))

(define* (collect store delete! #:key (max-freed +inf.0) keep-outputs?
                  (keep-derivations? #t) (report (const #t))
                  (reached (const #t)))
  "Return three values: that of @var{delete!}, called with a
@code{<collection>}, the deleted paths, sorted, and the bytes given back."
  (define layout (store-layout store))
  (define (delete-everything lock)
    (call-with-trash layout
      (lambda (trash)
        (call-with-values
            (lambda ()
              (fill-trash store trash delete! max-freed report reached
                          (list #:keep-outputs? keep-outputs?
                                #:keep-derivations? keep-derivations?)))
          (lambda (value paths freed)
            (share-file-lock! lock)
            (reached 'shared)
            (let ((more (empty-trash! trash (complainer report))))
              (values value paths
                      (+ freed more (clean-links layout report)))))))))
  (let ((lock (lock-out-others layout report)))
    (dynamic-wind
      (const #t)
      (lambda ()
        ;; The database grows before it shrinks.
        (call-without-reserve store (lambda () (delete-everything lock))))
      (lambda () (release-file-lock! lock)))))

(define (collect-garbage! store . options)
  "Delete from @var{store} what nobody needs: all items but the roots and what
these keep, and what is in the store directory without being valid.  Return
two values: the paths of what was deleted, sorted, and the number of bytes that
the file system got back.

Roots are what @code{find-roots} returns; the temporary roots of all sessions,
of this process and others, but for the one that calls this; and the items
that running processes use.  A live item keeps what it refers to and, as
@var{options} have it, more.  These are keyword arguments:

@table @code
@item #:keep-derivations?
if true, the default, an item keeps the valid derivation that it was built
from;
@item #:keep-outputs?
if true, a derivation keeps its valid outputs;
@item #:max-freed
stop when archives of more bytes than this, a real, have been deleted; old
items go first; with 0, none does;
@item #:report
called with a verbosity and a list of lines, octet strings; it must not wait
for anybody;
@item #:reached
called with a symbol at certain moments, for tests: @code{marked},
@code{condemned}, @code{invalidated}, @code{moved} and, when others may go on,
@code{shared}.
@end table

What cannot be deleted is reported, and left to the next collection."
  (call-with-values
      (lambda () (apply collect store delete-all! options))
    (lambda (_ paths freed)
      (values paths freed))))

(define (delete-paths! store paths . options)
  "Delete @var{paths}, a list of store paths, and what refers to them, from
@var{store}, as @code{collect-garbage!} with the same @var{options} would, and
return the same two values.  Paths that do not exist do not matter.  Raise a
@code{&fruix-error} that names the first of @var{paths} that is alive; those
before it are deleted.  No path is, if one is not in the store."
  (for-each (lambda (path)
              (unless (direct-store-path? (store-directory store) path)
                (fail "path `~a' is not in the store" path)))
            paths)
  (call-with-values
      (lambda ()
        (apply collect store
               (lambda (collection) (delete-up-to-live! collection paths))
               options))
    (lambda (kept deleted freed)
      (when kept
        (fail "cannot delete path `~a' since it is still alive" kept))
      (values deleted freed))))
