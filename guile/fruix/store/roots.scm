;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Permanent roots: items that no collector deletes, because a symbolic link
;;; in one of a few directories refers to them.
;;;
;;; A direct root points into the store.  An indirect one points to a link of
;;; a user's, which does; so the user gives it up by deleting that link, and
;;; the root is cleaned away when roots are looked for.  A regular file with
;;; the base name of an item is a root, too.
;;; Code:

(define-module (fruix store roots)
  #:use-module (fruix base32)
  #:use-module (fruix files)
  #:use-module (fruix hash)
  #:use-module (fruix links)
  #:use-module (fruix octets)
  #:use-module (fruix store handle)
  #:use-module (fruix store layout)
  #:use-module (fruix store path)
  #:use-module ((fruix store query) #:select (valid-path?))
  #:use-module ((fruix thread) #:select (with-lock))
  #:use-module (ice-9 match)
  #:use-module ((ice-9 threads) #:select (make-mutex))
  #:use-module ((srfi srfi-1) #:select (append-map filter-map))
  #:export (indirect-root-name
            add-indirect-root!
            find-roots))


;;
;; Indirect roots.
;;

(define (indirect-root-name file)
  "Return the base name of the root that stands for @var{file}, an absolute
file name: the SHA-1 of it, in base 32."
  (bytevector->nix-base32-string
   (bytevector-hash 'sha1 (octets->bytevector file))))

;; Held while an indirect root gets its name, and while one is cleaned away.
(define %automatic-mutex (make-mutex))

(define (add-indirect-root! store file)
  "Make the item to which @var{file}, a symbolic link that need not exist,
points a root of @var{store}, as long as it does.  @var{file} is an octet
string; a relative name is taken from @file{/} on."
  (let* ((file (if (absolute-file-name? file)
                   file
                   (string-append "/" file)))
         (root (string-append (layout-roots-directory (store-layout store))
                              "/auto/" (indirect-root-name file)))
         (temporary (format #f "~a.tmp-~a-~a" root (getpid)
                            (random (expt 2 62)
                                    (random-state-from-platform)))))
    (make-link file temporary)
    (with-lock %automatic-mutex
      (rename-file temporary root))))


;;
;; Looking for roots.
;;

(define (item-of store target)
  "Return the valid item of @var{store} in which @var{target}, a logical file
name, is, or @code{#f}."
  (let* ((directory (store-directory store))
         (base (store-path-base directory target))
         (item (and base (string-append directory "/" base))))
    (and item (valid-path? store item) item)))

(define (absolute file directory)
  (if (absolute-file-name? file)
      file
      (string-append directory "/" file)))

(define %gone (list ENOENT ENOTDIR))

(define (gone? link)
  (catch 'system-error
    (lambda ()
      (read-link link)
      #f)
    (lambda arguments
      (memv (system-error-errno arguments) %gone))))

(define (clean-up file link)
  "Delete @var{file}, an indirect root whose @var{link} was gone, unless it has
come back: who adds a root makes the link before."
  (with-lock %automatic-mutex
    (when (gone? link)
      (catch 'system-error
        (lambda () (delete-file file))
        (const #f)))))                  ;somebody else did

(define %out-of-sight (list EACCES ELOOP ENAMETOOLONG))

(define (indirect-root store file target automatic?)
  "Return the root that the link @var{target} is, to which the link @var{file}
points, or @code{#f}."
  (catch 'system-error
    (lambda ()
      (let ((item (and=> (read-link target)
                         (lambda (target) (item-of store target)))))
        (and item (cons target item))))
    (lambda arguments
      (let ((errno (system-error-errno arguments)))
        (cond ((memv errno %gone)
               (when automatic? (clean-up file target))
               #f)
              ((memv errno %out-of-sight) #f)
              (else (apply throw arguments)))))))

(define (root store directory automatic? name target)
  "Return the root that the entry @var{name} of @var{directory} is, as a pair
of a file name and an item, or @code{#f}."
  (let ((file (string-append directory "/" name))
        (in-store (store-directory store)))
    (cond ((not target)
           (let ((item (item-of store (string-append in-store "/"
                                                     (basename name)))))
             (and item (cons file item))))
          ((store-path? in-store target)
           (let ((item (item-of store target)))
             (and item (cons file item))))
          (else
           (indirect-root store file (absolute target (dirname file))
                          automatic?)))))

(define (roots-below store directory)
  (define automatic
    (string-append (layout-roots-directory (store-layout store)) "/auto/"))
  (filter-map (match-lambda
                ((name . target)
                 (root store directory
                       (string-prefix? automatic
                                       (string-append directory "/" name))
                       name target)))
              (list-links directory)))

;; Users decide how much memory this takes: once is enough.
(define %search-mutex (make-mutex))

(define (find-roots store)
  "Return the permanent roots of @var{store}: an association list, sorted, of
file names and the valid items to which they point.  Indirect roots have the
name of the user's link; those in @file{gcroots/auto} whose link is gone are
deleted."
  (let ((layout (store-layout store)))
    (sort (with-lock %search-mutex
            (append-map (lambda (directory) (roots-below store directory))
                        (list (layout-roots-directory layout)
                              (string-append (layout-state-directory layout)
                                             "/manifests")
                              (layout-profiles-directory layout))))
          (lambda (a b) (string<? (car a) (car b))))))
