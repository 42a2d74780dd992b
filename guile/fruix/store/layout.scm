;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Where things are.
;;;
;;; Store paths are logical, "/gnu/store/…", in the database, in derivations
;;; and on the wire.  Files are physical: every name that reaches a system
;;; call is made here.  The two differ when a root directory lies under both.
;;; Code:

(define-module (fruix store layout)
  #:use-module (fruix config)
  #:use-module (fruix errors)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-9)
  #:export (make-layout
            layout-from-environment
            layout?
            layout-root
            layout-store
            layout-physical-store
            layout-state-directory
            layout-log-directory
            layout-database-directory
            layout-configuration-directory
            layout-temporary-directory

            physical
            layout-database
            layout-schema-file
            layout-durable-mark
            layout-big-lock
            layout-gc-lock
            layout-links
            layout-roots-directory
            layout-profiles-directory
            layout-temporary-roots-directory
            layout-machines-file
            layout-socket
            layout-control-socket
            log-file-name))

(define-record-type <layout>
  (%make-layout root store physical-store state-directory log-directory
                database-directory configuration-directory
                temporary-directory)
  layout?
  (root layout-root)                              ;directory, "" for /
  (store layout-store)                            ;logical name of the store
  (physical-store layout-physical-store)          ;directory
  (state-directory layout-state-directory)        ;directory
  (log-directory layout-log-directory)            ;directory
  (database-directory layout-database-directory)  ;directory
  (configuration-directory layout-configuration-directory)
  (temporary-directory layout-temporary-directory)) ;parent of build trees

(define (canonical file)
  "Return FILE without empty components, \".\" and \"..\", looking at no link;
the root directory is \"\".  Fail if it is relative."
  (unless (absolute-file-name? file)
    (fail "`~a' is not an absolute file name" file))
  (let loop ((parts (string-split file #\/)) (kept '()))
    (match parts
      (() (string-concatenate-reverse kept))
      (((or "" ".") . rest) (loop rest kept))
      ((".." . rest) (loop rest (if (null? kept) '() (cdr kept))))
      ((part . rest) (loop rest (cons (string-append "/" part) kept))))))

(define* (make-layout #:key
                      (root "")
                      (store-directory "/gnu/store")
                      state-directory
                      log-directory
                      database-directory
                      configuration-directory
                      temporary-directory)
  "Return a layout whose logical store is @var{store-directory}.  It lies
under the directory @var{root}, as do by default the state (@file{/var/guix}),
logs (@file{/var/log/guix}) and configuration (@file{/etc/guix}); the other
arguments are physical directories that replace these.  All are absolute file
names."
  (let* ((root (canonical (if (string-null? root) "/" root)))
         (under-root (lambda (directory default)
                       (if directory
                           (canonical directory)
                           (string-append root default))))
         (store (canonical store-directory))
         (state (under-root state-directory "/var/guix")))
    (%make-layout root
                  store
                  (string-append root store)
                  state
                  (under-root log-directory "/var/log/guix")
                  (if database-directory
                      (canonical database-directory)
                      (string-append state "/db"))
                  (under-root configuration-directory "/etc/guix")
                  (if temporary-directory
                      (canonical temporary-directory)
                      (string-append state "/builds")))))

(define* (layout-from-environment #:key root)
  "Return the layout that the environment asks for: @env{NIX_STORE_DIR} or
@env{NIX_STORE}, @env{GUIX_STATE_DIRECTORY}, @env{GUIX_LOG_DIRECTORY},
@env{GUIX_DATABASE_DIRECTORY}, @env{GUIX_CONFIGURATION_DIRECTORY} and
@env{TMPDIR}, as for guix-daemon; what they do not name is where Fruix was
configured to look.  With @var{root}, a directory, everything is under it:
only the name of the store, which is logical, and @env{TMPDIR} still count."
  (let ((store (or (getenv "NIX_STORE_DIR") (getenv "NIX_STORE")
                   "/gnu/store")))
    (if root
        (make-layout #:root root
                     #:store-directory store
                     #:temporary-directory (getenv "TMPDIR"))
        (make-layout
         #:store-directory store
         #:state-directory (or (getenv "GUIX_STATE_DIRECTORY")
                               %prefix-state-directory)
         #:log-directory (or (getenv "GUIX_LOG_DIRECTORY")
                             %prefix-log-directory)
         #:database-directory (getenv "GUIX_DATABASE_DIRECTORY")
         #:configuration-directory (or (getenv "GUIX_CONFIGURATION_DIRECTORY")
                                       %prefix-configuration-directory)
         #:temporary-directory (getenv "TMPDIR")))))

(define (physical layout store-path)
  "Return the name of the file that holds @var{store-path}, an item of the
logical store of @var{layout} or a file in one."
  (string-append (layout-root layout) store-path))

;; Define the accessor NAME of a place below DIRECTORY, another accessor.
(define-syntax-rule (define-place name directory suffix documentation)
  (define (name layout)
    documentation
    (string-append (directory layout) suffix)))

(define-place layout-database layout-database-directory "/db.sqlite"
  "Return the name of the database file of @var{layout}.")
(define-place layout-schema-file layout-database-directory "/schema"
  "Return the name of the file that holds the database's schema version.")
(define-place layout-durable-mark layout-database-directory "/durable"
  "Return the name of the file that says which registrations are durable.")
(define-place layout-big-lock layout-database-directory "/big-lock"
  "Return the name of the file that each user of the store locks.")
(define-place layout-gc-lock layout-state-directory "/gc.lock"
  "Return the name of the file that a garbage collector locks.")
(define-place layout-links layout-physical-store "/.links"
  "Return the name of the directory of links to the contents of files.")
(define-place layout-roots-directory layout-state-directory "/gcroots"
  "Return the name of the directory of garbage collector roots.")
(define-place layout-profiles-directory layout-state-directory "/profiles"
  "Return the name of the directory of profiles.")
(define-place layout-temporary-roots-directory layout-state-directory
  "/temproots"
  "Return the name of the directory of temporary roots.")
(define-place layout-machines-file layout-configuration-directory
  "/machines.scm"
  "Return the name of the file that tells @command{guix offload} of other
machines.")
(define-place layout-socket layout-state-directory "/daemon-socket/socket"
  "Return the name of the socket that clients of guix-daemon connect to.")
(define-place layout-control-socket layout-state-directory
  "/daemon-socket/control"
  "Return the name of the socket of Fruix's own protocol.")

(define* (log-file-name layout drv #:key (compression 'gzip))
  "Return the name of the file for the build log of the derivation @var{drv},
a store path, in the format @var{compression}, @code{gzip} or @code{none}: the
first two characters of its base name are a directory."
  (let ((base (basename drv)))
    (string-append (layout-log-directory layout) "/drvs/"
                   (string-take base 2) "/" (string-drop base 2)
                   (if (eq? compression 'gzip) ".gz" ""))))
