;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The cache of failures: outputs whose build failed and need not be tried
;;; again.
;;; Code:

(define-module (fruix store failed-paths)
  #:use-module (fruix database)
  #:use-module (fruix store handle)
  #:use-module ((fruix store query) #:select (path-id))
  #:use-module (ice-9 match)
  #:export (failed-paths
            failed-path?
            record-failed-paths!
            clear-failed-paths!))

(define (failed-paths store)
  "Return the sorted list of store paths whose build is recorded as failed in
@var{store}."
  (call-for-query store
    (lambda (db)
      (map (match-lambda (#(path) path))
           (query db "select path from FailedPaths order by path")))))

(define (failed-path? store path)
  "Return true if the build of @var{path} is recorded as failed in
@var{store}."
  (call-for-query store
    (lambda (db)
      (pair? (query db "select 1 from FailedPaths where path = ?" path)))))

(define (record-failed-paths! store paths)
  "Record in @var{store} that the builds of @var{paths}, a list of store
paths, failed now."
  (let ((now (current-time)))
    (call-for-update store
      (lambda (db)
        (for-each (lambda (path)
                    (execute db
                             "insert or ignore into FailedPaths (path, time)
                              values (?, ?)"
                             path now))
                  paths)))))

(define (clear db path)
  (if (string=? path "*")
      (execute db "delete from FailedPaths")
      (execute db "delete from FailedPaths
                   where path = ?1 or path in
                     (select path from DerivationOutputs where drv = ?2)"
               path (path-id db path))))

(define (clear-failed-paths! store paths)
  "Forget the failures of @var{paths}, a list of store paths, in @var{store};
@code{\"*\"} stands for all, a valid derivation also for its outputs."
  (call-for-update store
    (lambda (db)
      (for-each (lambda (path) (clear db path)) paths))))
