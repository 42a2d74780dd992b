;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Optimising the store: equal files of valid items share one inode, as if
;;; the items had been deduplicated when they were added.  Others add, read
;;; and collect items meanwhile.
;;; Code:

(define-module (fruix store optimising)
  #:use-module (fruix descriptors)
  #:use-module (fruix errors)
  #:use-module (fruix sharing)
  #:use-module (fruix store handle)
  #:use-module (fruix store layout)
  #:use-module (fruix store query)
  #:use-module (ice-9 exceptions)
  #:export (optimise-store!))

(define (warn-of-writable report path count)
  (when (positive? count)
    (report (format #f "path `~a': writable files left alone: ~a"
                    path count))))

(define (optimise-item! store sharer directory path report pulse)
  "Share the files of PATH, unless it is gone, or going."
  (define writable (sharer-writable-files sharer))
  (call-with-temporary-roots store
    (lambda ()
      ;; Once it is a root, it remains valid or it is not any more.
      (add-temp-root! store path)
      (when (valid-path? store path)
        (guard (exception ((eq? (exception-kind exception) 'system-error)
                           (report (format #f "cannot optimise `~a': ~a" path
                                           (exception->text exception)))))
          (share-tree! sharer directory (basename path) pulse)))))
  (warn-of-writable report path
                    (- (sharer-writable-files sharer) writable)))

(define* (optimise-store! store #:key (report (const #t)) (pulse (const #t)))
  "Make equal files of 8192 bytes or more in the valid items of @var{store}
share one inode, whether or not it is opened for deduplication.  Where the
file system allows no more links, files stay as they are; an item that cannot
be read is passed over.

@var{report} is called with a line of text for each warning, and for what came
of it all.  @var{pulse}, a thunk, is called often; what it raises ends the
work, and leaves all items as good as ever."
  (define layout (store-layout store))
  (call-with-directory (layout-physical-store layout)
    (lambda (directory)
      (call-with-directory (layout-links layout)
        (lambda (links)
          (call-with-sharer links
            (lambda (sharer)
              (for-each (lambda (path)
                          (optimise-item! store sharer directory path
                                          report pulse))
                        (all-valid-paths store))
              (report (format #f "~a MiB freed by hard-linking ~a files"
                              (quotient (sharer-bytes sharer) (expt 2 20))
                              (sharer-files sharer))))))))))
