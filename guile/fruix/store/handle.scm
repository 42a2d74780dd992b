;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; An open store: its connections, locks and directories.
;;;
;;; Any thread may use it; one at a time writes to the database.  Opening
;;; recovers what a process that was killed left behind, when nobody else uses
;;; the store.
;;; Code:

(define-module (fruix store handle)
  #:use-module ((fruix derivation) #:select (hash-modulo-lookup))
  #:use-module ((fruix database) #:select (close-database))
  #:use-module ((fruix errors) #:select (on-failure))
  #:use-module (fruix record-lock)
  #:use-module ((fruix store derivation-file) #:select (read-derivation-file))
  #:use-module (fruix store directories)
  #:use-module (fruix store durability)
  #:use-module (fruix store layout)
  #:use-module ((fruix store leftovers) #:select (sweep-leftovers))
  #:use-module (fruix store readers)
  #:use-module (fruix store recovery)
  #:use-module ((fruix store schema) #:select (open-writer))
  #:use-module (fruix store staging)
  #:use-module (fruix store temporary-roots)
  #:use-module (fruix store writer)
  #:use-module (srfi srfi-9)
  #:export (open-store
            close-store!
            call-with-store
            call-without-reserve
            store?
            store-layout
            store-directory
            store-lock
            store-staging
            store-derivation-hashes

            call-for-query
            call-for-update
            sync-store!
            add-temp-root!
            session-roots
            call-with-temporary-roots))

(define-record-type <store>
  (make-store layout lock writer readers staging roots marker
              derivation-hashes)
  store?
  (layout store-layout)                    ;<layout>
  (lock store-lock)                        ;shared, on the file 'big-lock'
  (writer store-writer)                    ;<writer>
  (readers store-readers)                  ;<readers>
  (staging store-staging)                  ;<staging>
  (roots store-roots)                      ;<temporary-roots>
  (marker store-marker)                    ;<marker>
  (derivation-hashes store-derivation-hashes)) ;.drv -> hash, see
                                           ;'hash-modulo-lookup'

(define (store-directory store)
  "Return the logical directory of @var{store}, such as @file{/gnu/store}."
  (layout-store (store-layout store)))


;;
;; Opening and closing.
;;

(define (lock-store layout release)
  "Return a shared lock on the store of @var{layout}.  Before, delete what
processes that were killed have left, if nobody else uses it, after
@var{release} was called with each directory of that."
  (let* ((file (layout-big-lock layout))
         (alone (acquire-file-lock file 'exclusive #:wait? #f)))
    (when alone
      (dynamic-wind
        (const #t)
        (lambda () (sweep-leftovers layout release))
        (lambda () (release-file-lock! alone))))
    (acquire-file-lock file 'shared)))

(define (open-recovered layout staging)
  "Return the connection that writes, after a look at what the last power cut
has left."
  (let ((db (open-writer layout)))
    (on-failure (lambda () (close-database db))
      (lambda ()
        (recover-from-power-cut! layout db
                                 (staging-store-descriptor staging))))
    db))

(define (give-up-roots! layout roots)
  "Give up ROOTS, the store's own, and what is kept for those of sessions."
  (close-temporary-roots! roots)
  (delete-spare-roots! layout))

(define (open-prepared layout deduplicate? release)
  "Open the store of LAYOUT, whose directories are there."
  (let* ((lock (lock-store layout release))
         (undo-lock (lambda () (release-file-lock! lock)))
         (staging (on-failure undo-lock
                    (lambda ()
                      (open-staging layout #:deduplicate? deduplicate?))))
         (undo-staging (lambda ()
                         (close-staging! staging)
                         (undo-lock)))
         (roots (make-temporary-roots layout))
         (undo-roots (lambda ()
                       (give-up-roots! layout roots)
                       (undo-staging)))
         (db (on-failure undo-roots
               (lambda ()
                 (add-temporary-root! roots (staging-store-path staging))
                 (open-recovered layout staging))))
         (undo-db (lambda ()
                    (close-database db)
                    (undo-roots)))
         (readers (make-readers layout))
         (marker (on-failure undo-db
                   (lambda ()
                     (start-marker layout (staging-store-descriptor staging)
                                   (lambda (proc)
                                     (call-with-reader readers proc)))))))
    (make-store layout lock (make-writer db) readers staging roots marker
                (hash-modulo-lookup
                 (lambda (drv) (read-derivation-file layout drv))))))

(define* (open-store layout #:key build-group (reserve-space? #t)
                     (deduplicate? #t) (release (const #t)))
  "Open the store of @var{layout}, a @code{<layout>}, after creating what is
missing of its directories and database.  @var{build-group} is the number of
the group of the build users, if there are any; @var{reserve-space?} tells
whether to keep 8 MiB of disk space for hard times, which opening a store on a
full disk gives up; @var{deduplicate?}, whether items that are added share
equal files.  @var{release} is called with each directory that a killed
process left there before it is deleted, to take away what may be mounted in
it.  Raise a @code{&fruix-error} if the store cannot be used."
  (make-directories layout #:build-group build-group)
  (let ((store (call-with-reserve layout
                 (lambda () (open-prepared layout deduplicate? release)))))
    (on-failure (lambda () (close-store! store))
      (lambda () (ensure-reserved-space layout #:reserve? reserve-space?)))
    store))

(define (call-without-reserve store thunk)
  "Give up the disk space that @var{store} keeps for hard times, call
@var{thunk}, which makes room, reserve what there was again as far as the disk
allows it, and return the value of @var{thunk}."
  (let ((layout (store-layout store)))
    (if (give-up-reserve layout)
        (dynamic-wind
          (const #t)
          thunk
          (lambda () (ensure-reserved-space layout)))
        (thunk))))

(define (close-store! store)
  "Close @var{store}, which no other thread uses any more.  Raise an error if
something resists that is to be deleted; then it is closed all the same, and
that is left to the next process that opens it."
  (stop-marker! (store-marker store))
  ;; The last connection to close empties the journal, if it may write.
  (close-readers! (store-readers store))
  (close-writer! (store-writer store))
  (dynamic-wind
    (const #t)
    (lambda () (close-staging! (store-staging store)))
    (lambda ()
      (give-up-roots! (store-layout store) (store-roots store))
      (release-file-lock! (store-lock store)))))

(define* (call-with-store layout proc #:key build-group (deduplicate? #t))
  "Call @var{proc} with the store of @var{layout}, opened as by
@code{open-store}, and close it when that returns or raises."
  (let ((store (open-store layout #:build-group build-group
                           #:deduplicate? deduplicate?)))
    (dynamic-wind
      (const #t)
      (lambda () (proc store))
      (lambda () (close-store! store)))))


;;
;; The database.
;;

(define (call-for-query store proc)
  "Call @var{proc} with a connection that reads the database of @var{store},
and return its value."
  (call-with-reader (store-readers store) proc))

(define (call-for-update store proc)
  "Call @var{proc} with the connection that writes to the database of
@var{store}, inside a transaction.  Return its value once that is committed;
when it raises, nothing it did remains."
  (call-in-writer (store-writer store) proc))

(define (sync-store! store)
  "Wait until all that is registered in @var{store} now is on the disk, and
will count after a power cut.  Raise a @code{&fruix-error} if that cannot be."
  (move-mark! (store-marker store)))


;;
;; Temporary roots.
;;

;; Those of the session that this thread works for; #f stands for the store's.
(define %session-roots (make-parameter #f))

(define (session-roots store)
  "Return the set to which @code{add-temp-root!} adds roots of @var{store}
here."
  (or (%session-roots) (store-roots store)))

(define (add-temp-root! store path)
  "Keep @var{path}, a store path that need not be valid, from being collected:
until @code{call-with-temporary-roots} returns, or outside of that until
@var{store} is closed."
  (add-temporary-root! (session-roots store) path))

(define (call-with-temporary-roots store thunk)
  "Call @var{thunk}, in which @code{add-temp-root!} adds to a set of roots of
its own.  They last until @var{thunk} returns or raises."
  (let ((roots (make-temporary-roots (store-layout store))))
    (dynamic-wind
      (const #t)
      (lambda ()
        (parameterize ((%session-roots roots))
          (thunk)))
      (lambda () (close-temporary-roots! roots)))))
