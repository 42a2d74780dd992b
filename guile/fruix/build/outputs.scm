;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; From what a dead builder left behind to outputs fit for the store, which
;;; are still in the staging directory.
;;;
;;; 1. The directory with the outputs is taken from the builder's group before
;;;    anything in it is looked up by name.
;;; 2. The outputs of builders that could talk to others are copied to fresh
;;;    inodes, which nobody can have open: fixed outputs, and those of builders
;;;    that were not alone in a sandbox.
;;; 3. Each output is read once: checked, made canonical, hashed, scanned.
;;;
;;; What becomes of them then is for (fruix build completion).
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
  #:use-module (fruix files)
  #:use-module (fruix flag)
  #:use-module (fruix nar)
  #:use-module (fruix store)
  #:use-module (fruix store path)
  #:use-module (fruix store staging)
  #:use-module (fruix tree)
  #:use-module ((fruix tree-error) #:select (tree-error?))
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:export (staged-output-name
            staged-output-item
            read-outputs!))

;; An output that has been read, and is in the staging directory.
(define-record-type <staged-output>
  (make-staged-output name item)
  staged-output?
  (name staged-output-name)             ;string, in the staging directory
  (item staged-output-item))            ;<path-info>

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

;;;
;;; Any output.
;;;

(define (read-output job fd output owner candidates)
  "Check and read the @var{output} in the directory open as @var{fd}; return
its @code{<nar-result>}."
  (define fixed? (fixed-output-derivation? (job-derivation job)))
  (define options
    (if fixed?
        `(#:hash-algorithm ,(derivation-output-algorithm output)
          #:flat? ,(not (derivation-output-recursive? output)))
        '()))
  (let ((result
         (with-verdicts output
           (lambda ()
             (apply ingest-tree! fd (basename (derivation-output-path output))
                    #:owner owner #:candidates candidates
                    #:links-fd (staging-links-descriptor
                                (store-staging (job-store job)))
                    options)))))
    (when fixed?
      (check-flat output result)
      (check-fixed-output job output result))
    result))

(define (with-verdicts output thunk)
  "Call @var{thunk}; if it refuses a tree, reject @var{output}."
  (guard (error ((tree-error? error)
                 (reject 'output "output `~a' is rejected: ~a"
                         (derivation-output-path output)
                         (fruix-error-message error))))
    (thunk)))

(define (check-present job directory output)
  (define path (derivation-output-path output))
  (unless (exists? (string-append directory "/" (basename path)))
    (reject 'output "builder for `~a' failed to produce output path `~a'"
            (job-drv job) path)))

;;;
;;; All of them.
;;;

(define (item-table items)
  "Return a hash table from the paths of @var{items} to these."
  (let ((table (make-hash-table)))
    (for-each (lambda (item) (hash-set! table (path-info-path item) item))
              items)
    table))

(define (requisites store items references)
  "Return the closure of @var{references}, of which some may be among
@var{items}, as @code{item-table} returns them, which the database does not
know yet."
  (define seen (make-hash-table))
  (let loop ((pending references) (new '()) (old '()))
    (match pending
      (() (append new (closure store old)))
      (((? (lambda (path) (hash-ref seen path))) . rest)
       (loop rest new old))
      ((path . rest)
       (hash-set! seen path #t)
       (match (hash-ref items path)
         (#f (loop rest new (cons path old)))
         (item (loop (append (path-info-references item) rest)
                     (cons path new) old)))))))

(define (check-constraints store derivation items)
  (define new-items (item-table items))
  (for-each
   (lambda (item)
     (check-references (store-directory store) derivation
                       (path-info-path item) (path-info-references item)
                       (lambda (references)
                         (delete (path-info-path item)
                                 (requisites store new-items references)))))
   items))

(define (hash-part-table store items)
  "Return a hash table from the hash parts of @var{items} to the items."
  (let ((table (make-hash-table)))
    (for-each (lambda (item)
                (hash-set! table (store-path-hash-part store item) item))
              items)
    table))

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

(define (outputs-to-read job)
  "Return the outputs of @var{job} that matter: when it builds, those that are
not valid."
  (remove (lambda (output)
            (and (eq? 'build (job-mode job))
                 (valid-path? (job-store job)
                              (derivation-output-path output))))
          (derivation-outputs (job-derivation job))))

(define (copy-outputs wanted from to owner replacements)
  "Copy the outputs @var{wanted} from the directory @var{from} to @var{to}, a
new directory where no builder ever was, replacing the hash parts
@var{replacements}."
  (mkdir to #o700)
  (call-with-directory from
    (lambda (from-fd)
      (call-with-directory to
        (lambda (to-fd)
          (for-each (lambda (output)
                      (let ((name (basename (derivation-output-path output))))
                        (with-verdicts output
                          (lambda ()
                            (copy-tree! from-fd name to-fd name
                                        #:owner owner
                                        #:replacements replacements)))))
                    wanted))))))

(define (read-outputs-in job wanted staged owner inputs)
  "Read the outputs @var{wanted} of @var{job} in the directory called
@var{staged} in the staging directory."
  (define store (job-store job))
  (define candidates
    (hash-part-table (store-directory store)
                     (append (job-output-paths job) inputs)))
  (define parts (hash-map->list (lambda (part item) part) candidates))
  (define (read fd output)
    (make-staged-output
     (string-append staged "/" (basename (derivation-output-path output)))
     (output->item job output (read-output job fd output owner parts)
                   candidates)))
  (call-with-directory (staged-file (store-staging store) staged)
    (lambda (fd)
      (map (lambda (output) (read fd output)) wanted))))

(define (call-while-wanted job thunk)
  "Call @var{thunk}, which gives up when @var{job} is cancelled."
  (or (unless-errno (list ECANCELED) #f thunk)
      (reject 'cancelled "building of `~a' was cancelled" (job-drv job))))

(define* (read-outputs! job area directory uid inputs
                        #:key (replacements '()) copy?)
  "Take over the outputs of @var{job} in @var{directory}, where its builder,
which had the user id @var{uid} and is dead, has left them, and return the
@code{<staged-output>}s.  @var{area} is the name of its chroot area, in which
@var{directory} is, unless the outputs are fixed ones; @var{inputs} are the
items that the builder could see.  @var{replacements} is an alist of hash parts
that are replaced in the outputs (@pxref{fruix build stand-ins}); @var{copy?}
tells to copy them all the same.  Raise a @code{&build-error} if an output is
missing or wrong."
  (define stop (flag-descriptor (job-cancellation job)))
  (define owner (expected-owner uid #:stop stop))
  (define wanted (outputs-to-read job))
  (define (copy copies)
    (copy-outputs wanted directory
                  (staged-file (store-staging (job-store job)) copies)
                  owner replacements))
  (define (read)
    (if (or copy?
            (fixed-output-derivation? (job-derivation job))
            (pair? replacements))
        (let ((copies (area-copies area)))
          (copy copies)
          (read-outputs-in job wanted copies
                           (expected-owner (geteuid) #:stop stop) inputs))
        (read-outputs-in job wanted (area-store area) owner inputs)))
  (define outputs
    (begin
      (seal directory)
      (for-each (lambda (output) (check-present job directory output))
                wanted)
      (call-while-wanted job read)))
  (check-constraints (job-store job) (job-derivation job)
                     (map staged-output-item outputs))
  outputs)
