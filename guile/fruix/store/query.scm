;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Questions to the database, for any thread.
;;;
;;; Paths are logical store paths, as octet strings; lists of them come back
;;; sorted.  What is asked about an item that is not valid fails, unless the
;;; item may be absent from the answer.
;;; Code:

(define-module (fruix store query)
  #:use-module (fruix database)
  #:use-module (fruix errors)
  #:use-module (fruix store handle)
  #:use-module (fruix store path-info)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:export (path-id
            valid-path?
            valid-paths
            all-valid-paths
            query-path-info
            references
            referrers
            valid-derivers
            query-derivation-outputs
            path-from-hash-part
            closure))

(define (path-id db path)
  "Return the number under which the connection @var{db} knows the store path
@var{path}, or @code{#f} if it is not valid."
  (match (query db "select id from ValidPaths where path = ?" path)
    ((#(id)) id)
    (() #f)))

(define (not-valid path)
  (fail "path `~a' is not valid" path))

(define (valid-path? store path)
  "Return true if @var{path} is a valid item of @var{store}."
  (call-for-query store (lambda (db) (->bool (path-id db path)))))

(define (valid-paths store paths)
  "Return those among the list @var{paths} that are valid items of
@var{store}."
  (call-for-query store
    (lambda (db) (filter (lambda (path) (path-id db path)) paths))))

(define (all-valid-paths store)
  "Return the paths of all valid items of @var{store}."
  (call-for-query store
    (lambda (db)
      (query-sorted db "select path from ValidPaths"))))


;;
;; One item.
;;

(define (stored-hash path hash)
  "Return @var{hash}, the database's of @var{path}, without its prefix."
  (if (and (string-prefix? "sha256:" hash) (= 71 (string-length hash)))
      (string-drop hash 7)
      (fail "hash `~a' of the valid path `~a' is corrupt" hash path)))

(define (references-of db id)
  "Return what the item with the number @var{id} refers to, sorted."
  (query-sorted db
                "select path from Refs join ValidPaths on id = reference
                 where referrer = ?"
                id))

(define (query-path-info store path)
  "Return the @code{<path-info>} of @var{path} in @var{store}, or @code{#f} if
it is not valid."
  (call-for-query store
    (lambda (db)
      (call-with-snapshot db
        (lambda ()
          (match (query db
                        "select id, hash, narSize, deriver, registrationTime
                         from ValidPaths where path = ?"
                        path)
            (() #f)
            ((#(id hash nar-size deriver time))
             (path-info path (stored-hash path hash) nar-size
                        #:references (references-of db id)
                        #:deriver deriver
                        #:registration-time time))))))))

(define (references store path)
  "Return the references of @var{path}, which must be valid in @var{store}."
  (match (call-for-query store
           (lambda (db)
             ;; One row of NULL for an item without references.
             (query-sorted db
                           "select r.path from ValidPaths v
                              left join Refs on referrer = v.id
                              left join ValidPaths r on r.id = reference
                            where v.path = ?"
                           path)))
    (() (not-valid path))
    (paths (delq #f paths))))

(define (referrers store path)
  "Return the valid items of @var{store} that refer to @var{path}; none if
that is not valid."
  (call-for-query store
    (lambda (db)
      (query-sorted db
                    "select r.path
                     from ValidPaths v join Refs on Refs.reference = v.id
                       join ValidPaths r on r.id = Refs.referrer
                     where v.path = ?"
                    path))))

(define (valid-derivers store path)
  "Return the valid derivations in @var{store} that have @var{path}, which
need not be valid, among their outputs."
  (call-for-query store
    (lambda (db)
      (query-sorted db
                    "select v.path
                     from DerivationOutputs d
                       join ValidPaths v on v.id = d.drv
                     where d.path = ?"
                    path))))

(define (query-derivation-outputs store drv)
  "Return the outputs of @var{drv}, which must be valid in @var{store}: an
association list of names and store paths, sorted by name."
  (call-for-query store
    (lambda (db)
      (map (match-lambda (#(name path) (cons name path)))
           (query db "select id, path from DerivationOutputs
                      where drv = ? order by id"
                  (or (path-id db drv) (not-valid drv)))))))

(define (path-from-hash-part store hash-part)
  "Return the first valid item of @var{store} whose name begins with
@var{hash-part}, 32 characters, or @code{#f}."
  (unless (= 32 (string-length hash-part))
    (fail "invalid hash part"))
  (let ((prefix (string-append (store-directory store) "/" hash-part)))
    (match (call-for-query store
             (lambda (db)
               (query db "select path from ValidPaths
                          where path >= ? order by path limit 1"
                      prefix)))
      ((#((? (lambda (path) (string-prefix? prefix path)) path))) path)
      (_ #f))))


;;
;; Many items.
;;

;; The recursion takes the numbers where it begins as a JSON array.
(define %closure-query
  "with recursive Closure (id) as (
     select value from json_each (?)
     union
     select Refs.reference from Closure
       join Refs on Refs.referrer = Closure.id)
   select path from Closure join ValidPaths using (id)")

(define (closure store paths)
  "Return @var{paths}, which must be valid in @var{store}, and all that they
refer to, directly or not."
  (call-for-query store
    (lambda (db)
      (let ((ids (map (lambda (path) (or (path-id db path) (not-valid path)))
                      paths)))
        (query-sorted db %closure-query
                      (numbers->json ids))))))
