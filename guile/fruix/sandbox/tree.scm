;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What is put into the root of a sandbox, in which order, on any system.
;;;
;;; An entry is a list of a name and the step that makes it.  Orders that
;;; matter:
;;;
;;; 1. Directories and files come first: a mount may cover them, but nothing
;;;    is written to what is mounted.
;;; 2. Mounts and symbolic links come in the byte order of their names, so
;;;    that one inside a mount comes after it; a missing parent is made just
;;;    before.
;;; Code:

(define-module (fruix sandbox tree)
  #:use-module (fruix sandbox spec)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:export (mounted?
            storage-options
            tree-steps))

(define (mounted? box target)
  "Return true if something is mounted on @var{target}, a name, in @var{box}."
  (any (match-lambda ((_ name _) (string=? name target)))
       (sandbox-mounts box)))

(define (storage-options box)
  "Return the options of a tmpfs that keep what is written to it within the
limit of @var{box}."
  (match (sandbox-limit box 'storage)
    (#f '())
    (bytes (list (format #f "size=~a" bytes)))))

(define mount->entry
  (match-lambda
    ((source target access)
     `(,target ("bind" ,source ,target ,(symbol->string access))))))

(define symlink->entry
  (match-lambda
    ((name target)
     `(,name ("symlink" ,target ,name)))))

(define (parent name)
  "Return the name of the directory that @var{name} is in, \"\" for the
root."
  (string-take name (string-rindex name #\/)))

(define (add-parents entries)
  "Return the steps of @var{entries}, each after those that make the
directories above it which no entry before it made."
  (define made (make-hash-table))
  (define (steps-for name steps)
    ;; Cons the steps that make directory NAME on STEPS, latest first.
    (if (or (string-null? name) (hash-ref made name))
        steps
        (begin
          (hash-set! made name #t)
          (cons `("directory" ,name #o755)
                (steps-for (parent name) steps)))))
  (reverse
   (fold (lambda (entry steps)
           (match entry
             ((name step)
              (let ((above (steps-for (parent name) steps)))
                (hash-set! made name #t)
                (cons step above)))))
         '()
         entries)))

(define* (tree-steps box #:key (devices '()) (links '())
                     (filesystems '()))
  "Return the steps that fill the root of @var{box}, in order.  @var{devices},
mounts, @var{links}, symbolic links as in the field of a sandbox, and
@var{filesystems}, a list of lists of a name and a step, are what the system
puts there."
  (add-parents
   `(,@(map (match-lambda
              ((name mode) `(,name ("directory" ,name ,mode))))
            (sandbox-directories box))
     ,@(map (match-lambda
              ((name contents mode) `(,name ("file" ,name ,contents ,mode))))
            (sandbox-files box))
     ,@(map symlink->entry links)
     ,@(sort (append (map symlink->entry (sandbox-symlinks box))
                     (map mount->entry (sandbox-mounts box))
                     (map mount->entry devices))
             (lambda (a b)
               (string<? (first a) (first b))))
     ,@filesystems)))
