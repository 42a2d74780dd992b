;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; From what a dead builder left behind to registered store items.
;;;
;;; 1. The directory with the outputs is taken from the builder's group before
;;;    anything in it is looked up by name.
;;; 2. Fixed outputs are copied to fresh inodes, which nobody can have open.
;;; 3. Each output is read once: checked, made canonical, hashed, scanned.
;;; 4. Only when all of them are right are they renamed into the store, and
;;;    registered together.
;;; Code:

(define-module (fruix build outputs)
  #:use-module (fruix base16)
  #:use-module (fruix base32)
  #:use-module (fruix build constraints)
  #:use-module (fruix build directory)
  #:use-module (fruix build job)
  #:use-module (fruix derivation)
  #:use-module (fruix descriptors)
  #:use-module (fruix errors)
  #:use-module (fruix nar)
  #:use-module (fruix store)
  #:use-module (fruix store path)
  #:use-module (fruix store staging)
  #:use-module (fruix tree)
  #:use-module (ice-9 exceptions)
  #:use-module (srfi srfi-1)
  #:export (register-outputs!))

(define (seal directory)
  "Make @var{directory}, which the builder could write, the daemon's own."
  (chown directory (geteuid) (getegid))
  (chmod directory #o700))

;;;
;;; Fixed outputs.
;;;

(define (hash-text algorithm hash)
  (if (eq? algorithm 'md5)
      (bytevector->base16-string hash)
      (bytevector->nix-base32-string hash)))

(define (check-fixed-output job output result)
  (define path (derivation-output-path output))
  (define algorithm (derivation-output-algorithm output))
  (define expected (derivation-output-hash output))
  (define actual (nar-result-digest result))
  (unless (equal? expected actual)
    (publish job
             `(trace ,(format #f "@ hash-mismatch ~a ~a ~a ~a" path
                              (derivation-output-algorithm-field output)
                              (hash-text algorithm expected)
                              (hash-text algorithm actual))))
    (reject 'output "hash mismatch for store item '~a'" path)))

(define (check-flat output result)
  (unless (or (derivation-output-recursive? output)
              (and (eq? 'regular (nar-result-type result))
                   (not (nar-result-executable? result))))
    (reject 'output "output path `~a' should be a non-executable regular file"
            (derivation-output-path output))))

(define (refresh! directory fd name owner)
  "Replace the tree @var{name} of @var{directory}, open as @var{fd}, by a copy
of it."
  (let ((copy (string-append name ".copy")))
    (copy-tree! fd name fd copy #:owner owner)
    (delete-tree! fd name)
    (rename-file (string-append directory "/" copy)
                 (string-append directory "/" name))))

;;;
;;; Any output.
;;;

(define (read-output job directory fd output owner candidates)
  "Check and read the @var{output} in @var{directory}, open as @var{fd}; return
its @code{<nar-result>}."
  (define path (derivation-output-path output))
  (define name (basename path))
  (define (ingest owner . arguments)
    (apply ingest-tree! fd name
           #:owner owner #:candidates candidates
           #:links-fd (staging-links-descriptor
                       (store-staging (job-store job)))
           arguments))
  (guard (error ((tree-error? error)
                 (reject 'output "output `~a' is rejected: ~a"
                         path (fruix-error-message error))))
    (if (string-null? (derivation-output-hash-field output))
        (ingest owner)
        (begin
          (refresh! directory fd name owner)
          (let ((result
                 (ingest
                  (geteuid)
                  #:hash-algorithm (derivation-output-algorithm output)
                  #:flat? (not (derivation-output-recursive? output)))))
            (check-flat output result)
            (check-fixed-output job output result)
            result)))))

(define (check-present job directory output)
  (define path (derivation-output-path output))
  (unless (catch 'system-error
            (lambda ()
              (lstat (string-append directory "/" (basename path)))
              #t)
            (const #f))
    (reject 'output "builder for `~a' failed to produce output path `~a'"
            (job-drv job) path)))

;;;
;;; All of them.
;;;

(define (requisites store items references)
  "Return the closure of @var{references}, of which some may be among
@var{items}, the new items that the database does not know yet."
  (define (new-item path)
    (find (lambda (item) (string=? path (path-info-path item))) items))
  (let loop ((pending references) (new '()) (old '()))
    (if (null? pending)
        (append new (closure store old))
        (let ((path (car pending)))
          (cond ((or (member path new) (member path old))
                 (loop (cdr pending) new old))
                ((new-item path)
                 => (lambda (item)
                      (loop (append (path-info-references item)
                                    (cdr pending))
                            (cons path new) old)))
                (else
                 (loop (cdr pending) new (cons path old))))))))

(define (check-constraints store derivation items)
  (for-each
   (lambda (item)
     (check-references (store-directory store) derivation
                       (path-info-path item) (path-info-references item)
                       (lambda (references)
                         (delete (path-info-path item)
                                 (requisites store items references)))))
   items))

(define (hash-part-table store items)
  "Return a hash table from the hash parts of @var{items} to the items."
  (let ((table (make-hash-table)))
    (for-each (lambda (item)
                (hash-set! table (store-path-hash-part store item) item))
              items)
    table))

(define (move-outputs! store area items)
  "Give the outputs @var{items}, in the chroot area @var{area}, their names in
the store."
  (for-each (lambda (path)
              (move-into-store! (store-staging store)
                                (string-append (area-store area) "/"
                                               (basename path))
                                path))
            (map path-info-path items)))

(define (output->item job output result candidates)
  "Return the @code{<path-info>} of @var{output}, of which @var{result} is the
@code{<nar-result>}; @var{candidates} maps hash parts to items."
  (path-info (derivation-output-path output)
             (bytevector->base16-string (nar-result-hash result))
             (nar-result-size result)
             #:deriver (job-drv job)
             #:references (sort (map (lambda (part)
                                       (hash-ref candidates part))
                                     (nar-result-references result))
                                string<?)))

(define (register-outputs! job area uid inputs)
  "Make the outputs of @var{job} valid store items.  @var{area} is the name of
the staged chroot area in which the builder, now dead, has left them, and
@var{uid} the user id that it had; @var{inputs} are the items that it could
see.  Outputs that are valid already stay as they are, and what was built anew
under their names is dropped.  Raise a @code{&build-error} if an output is
missing or wrong; then no item has become valid."
  (define store (job-store job))
  (define outputs
    (remove (lambda (output)
              (valid-path? store (derivation-output-path output)))
            (derivation-outputs (job-derivation job))))
  (define directory (area-store (staged-file (store-staging store) area)))
  (define owner (expected-owner uid))
  (define candidates
    (hash-part-table (store-directory store)
                     (append (job-output-paths job) inputs)))
  (define parts (hash-map->list (lambda (part item) part) candidates))
  (seal directory)
  (for-each (lambda (output) (check-present job directory output)) outputs)
  (let ((items (call-with-directory directory
                 (lambda (fd)
                   (map (lambda (output)
                          (output->item job output
                                        (read-output job directory fd output
                                                     owner parts)
                                        candidates))
                        outputs)))))
    (check-constraints store (job-derivation job) items)
    (move-outputs! store area items)
    (register-items! store items)))
