;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; How items become valid.
;;;
;;; The data of an item is under its final name before, so a process that is
;;; killed at any moment leaves at worst an item that is not valid.  A set of
;;; items becomes valid in one transaction, after which
;;;
;;; 1. every reference of a valid item is valid;
;;; 2. among the items of the set there is no cycle, but for items that refer
;;;    to themselves;
;;; 3. every valid derivation has its outputs recorded, which are those that
;;;    follow from its text.
;;; Code:

(define-module (fruix store registration)
  #:use-module (fruix database)
  #:use-module (fruix errors)
  #:use-module (fruix store derivations)
  #:use-module (fruix store handle)
  #:use-module ((fruix store path) #:select (derivation-path?
                                             direct-store-path?))
  #:use-module (fruix store path-info)
  #:use-module ((fruix store query) #:select (path-id valid-path?))
  #:use-module ((fruix store staging) #:select (remove-from-store!))
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:export (register-items!
            register-item!
            call-withdrawing))


;;
;; In a transaction.
;;

(define (insert-or-update db info now)
  "Make the item of @var{info} valid and return its number.  Of an item that
was valid before, only what verification may correct is changed."
  (let ((path (path-info-path info))
        (hash (string-append "sha256:" (path-info-hash info)))
        (size (path-info-nar-size info)))
    (match (path-id db path)
      (#f
       (match (query db "insert into ValidPaths
                           (path, hash, registrationTime, deriver, narSize)
                         values (?, ?, ?, ?, ?) returning id"
                     path hash (or (path-info-registration-time info) now)
                     (path-info-deriver info) size)
         ((#(id)) id)))
      (id
       (execute db "update ValidPaths set hash = ?, narSize = ? where id = ?"
                hash size id)
       id))))

(define (insert-outputs db id outputs)
  (for-each (match-lambda
              ((name . path)
               (execute db "insert or replace into DerivationOutputs
                              (drv, id, path) values (?, ?, ?)"
                        id name path)))
            outputs))

(define (insert-references db id info)
  (for-each (lambda (reference)
              (execute db "insert or replace into Refs (referrer, reference)
                           values (?, ?)"
                       id
                       (or (path-id db reference)
                           (fail "path `~a' is not valid" reference))))
            (path-info-references info)))

(define (references-of db id)
  (map (match-lambda (#(id) id))
       (query db "select reference from Refs
                  where referrer = ?1 and reference <> ?1"
              id)))

(define (check-acyclic db infos ids)
  "Fail if the references among the items @var{ids}, whose @code{<path-info>}s
are @var{infos}, make a cycle."
  (define state (make-hash-table))     ;number -> new | entered | left
  (define (visit id info)
    (match (hashv-ref state id)
      ('entered
       (fail "cycle detected in the references of `~a'"
             (path-info-path info)))
      ('new
       (hashv-set! state id 'entered)
       (for-each (lambda (reference) (visit reference info))
                 (references-of db id))
       (hashv-set! state id 'left))
      (_ #t)))                         ;done, or valid before
  (for-each (lambda (id) (hashv-set! state id 'new)) ids)
  (for-each visit ids infos))

(define (register db infos outputs)
  "Make the items of @var{infos} valid; @var{outputs} has for each of them the
outputs of the derivation that it is."
  (let* ((now (current-time))
         (ids (map (lambda (info) (insert-or-update db info now)) infos)))
    (for-each (lambda (id outputs) (insert-outputs db id outputs))
              ids outputs)
    (for-each (lambda (id info) (insert-references db id info))
              ids infos)
    (when (pair? (cdr ids))
      (check-acyclic db infos ids))))


;;
;; For any thread.
;;

(define (check-names store info)
  (for-each (lambda (path)
              (unless (direct-store-path? (store-directory store) path)
                (fail "path `~a' is not in the store" path)))
            (cons (path-info-path info) (path-info-references info))))

(define (outputs-of-derivations store infos)
  "Return the list of the outputs of each item of @var{infos}: those of a
derivation, checked, or none."
  (let* ((paths (map path-info-path infos))
         (table (checked-outputs-of-files store
                                          (filter derivation-path? paths))))
    (map (lambda (path) (hash-ref table path '())) paths)))

(define (register-items! store infos)
  "Make the items that @var{infos}, a list of @code{<path-info>}s, describe
valid in @var{store}, all or none.  Their files must be in place.  Raise a
@code{&fruix-error} if one of them refers to an item that is not valid and not
among them, if their references make a cycle, or if a derivation among them
has other outputs than follow from it.  Of an item that is valid already, the
hash and size are replaced and references added."
  (unless (null? infos)
    (for-each (lambda (info) (check-names store info)) infos)
    (let ((outputs (outputs-of-derivations store infos)))
      (call-for-update store
        (lambda (db) (register db infos outputs))))))

(define (register-item! store info outputs)
  "Make the item of @var{info}, a @code{<path-info>}, valid in @var{store} as
@code{register-items!} does; @var{outputs} is what @code{checked-outputs} has
returned if it is a derivation, or else the empty list."
  (check-names store info)
  (call-for-update store
    (lambda (db) (register db (list info) (list outputs)))))

(define (withdraw! store path)
  (false-if-exception
   (unless (valid-path? store path)
     (remove-from-store! (store-staging store) path))))

(define (call-withdrawing store paths thunk)
  "Return the value of @var{thunk}, which moves @var{paths}, locked by the
caller, into @var{store} and makes them valid.  If it raises, remove those
that are not valid from the disk."
  ;; What a failed commit left in the database is known only now.
  (on-failure (lambda ()
                (for-each (lambda (path) (withdraw! store path)) paths))
              thunk))
