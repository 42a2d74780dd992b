;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Mount points on disk that stay from build to build.
;;;
;;; What a builder sees in the store is mounted there one by one, on empty
;;; files and directories beside which it makes its outputs.  Hundreds of
;;; these, made and deleted for each build, would cost more than many a build;
;;; on file systems that look for inodes which were not just freed, much more.
;;; Most of the next build's are the same, and others can be renamed.
;;;
;;; 1. They are empty, and owned by the daemon, which no builder is: nothing
;;;    else of an earlier build is there when the next one begins.
;;; 2. No builder can have touched them: they were covered.
;;; 3. All regular ones are links to one file.
;;; Code:

(define-module (fruix build mount-points)
  #:use-module (fruix descriptors)
  #:use-module (fruix files)
  #:use-module (fruix octets)
  #:use-module (fruix tree)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:export (keep-mount-points!
            fit-mount-points!))

(define (mount-point? entry)
  "Return true if @var{entry}, which @code{list-directory} returned, is one:
builders' files have other owners, and items other modes."
  (match entry
    ((_ type mode owner size)
     (and (= owner (geteuid))
          (case type
            ((regular) (and (= mode #o600) (zero? size)))
            ((directory) (= mode #o755))
            (else #f))))))

(define (keep-mount-points! directory)
  "Delete what is in @var{directory}, a file name, but mount points."
  (call-with-directory directory
    (lambda (fd)
      (for-each (match-lambda
                  ((name . _)
                   (delete-tree! fd (octets->bytevector name))))
                (remove mount-point? (list-directory fd))))))

(define (rename-some! directory old new)
  "Rename entries of @var{directory} called @var{old} to names in @var{new};
return those names in @var{old} and in @var{new} that remain."
  (match (list old new)
    (((from . old) (to . new))
     (rename-file (string-append directory "/" from)
                  (string-append directory "/" to))
     (rename-some! directory old new))
    (_ (values old new))))

(define (make-files! directory models names)
  "Make empty files called @var{names} in @var{directory}, links to one of
@var{models} if there is any."
  (define (file name) (string-append directory "/" name))
  (match (append models names)
    (() #t)
    ((first . _)
     (when (null? models)
       (close-fdes (open-fdes (file first)
                              (logior O_WRONLY O_CREAT O_EXCL O_CLOEXEC)
                              #o600)))
     (for-each (lambda (name)
                 (unless (string=? name first)
                   (link (file first) (file name))))
               names))))

(define (fit-type! directory fd present wanted make)
  "Let the mount points of one type in @var{directory}, open as @var{fd}, be
those called @var{wanted} instead of @var{present}, as far as @var{make} makes
those that are missing: it is called with the names of some that are there,
and of the missing ones."
  (define table (make-hash-table))
  (for-each (lambda (name) (hash-set! table name #t)) wanted)
  (call-with-values
      (lambda ()
        (partition (lambda (name) (hash-remove! table name)) present))
    (lambda (kept stale)
      (call-with-values
          (lambda ()
            (rename-some! directory stale
                          (hash-map->list (lambda (name _) name) table)))
        (lambda (stale missing)
          (for-each (lambda (name) (delete-tree! fd name)) stale)
          (make kept missing))))))

(define (fit-mount-points! directory files directories)
  "Let the mount points in @var{directory}, a file name, be those called
@var{files} and @var{directories}, lists of names without a slash, after
@code{keep-mount-points!}; missing directories are left for the mounting to
make."
  (call-with-directory directory
    (lambda (fd)
      (define entries (list-directory fd))
      (define (names type)
        (filter-map (match-lambda
                      ((name its-type . _) (and (eq? type its-type) name)))
                    entries))
      ;; What changes its type must go first.
      (fit-type! directory fd (names 'directory) directories (const #t))
      (fit-type! directory fd (names 'regular) files
                 (lambda (kept missing)
                   (make-files! directory kept missing))))))
