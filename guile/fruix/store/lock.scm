;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Locks on store paths, which whoever makes an item holds: builders, and
;;; those who add items.  The lock file of an item is beside it, with '.lock'
;;; at the end of its name, as guix-daemon and its helpers have it.
;;;
;;; Several are taken in the order of their names, so that nobody waits in a
;;; circle.  The lock files of an item that became valid are deleted; those of
;;; a failure stay, and a collector finds them.
;;;
;;; Every process that locks paths has a shared lock on the whole store.
;;; While no other process has one, adding an item makes do with that.
;;; Code:

(define-module (fruix store lock)
  #:use-module ((fruix errors) #:select (on-failure unless-errno))
  #:use-module (fruix record-lock)
  #:use-module (fruix sorted-set)
  #:use-module (fruix store handle)
  #:use-module (fruix store layout)
  #:use-module ((fruix store staging) #:select (remove-from-store!))
  #:use-module (ice-9 match)
  #:export (path-lock-file
            lock-paths
            unlock-paths!
            call-holding-locks
            call-with-path-lock))

(define (path-lock-file store path)
  "Return the name of the lock file of @var{path}, a store path of
@var{store}."
  (string-append (physical (store-layout store) path) ".lock"))

(define (our-own? file)
  "Return true if FILE, which nobody may have made yet, is, or can become, a
file of the daemon's."
  (let ((status (unless-errno (list ENOENT) #f (lambda () (lstat file)))))
    (or (not status)
        (and (eq? 'regular (stat:type status))
             (= (geteuid) (stat:uid status))
             (= 1 (stat:nlink status))))))

(define (usable-lock-file store path)
  "Return what 'path-lock-file' does.  Build users without a sandbox can make
entries in the store: what they put under that name goes, or nobody could ever
make the item."
  (let ((file (path-lock-file store path)))
    (unless (our-own? file)
      (remove-from-store! (store-staging store) (basename file)))
    file))

(define* (unlock-paths! locks #:key delete?)
  "Release @var{locks}, which @code{lock-paths} returned; with @var{delete?},
delete their files."
  (for-each (lambda (lock) (release-file-lock! lock #:delete? delete?))
            locks))

(define (acquire files wait?)
  "Return the locks on @var{files}, or @code{#f} after releasing those that
were free."
  (let loop ((files files)
             (locks '()))
    (match files
      (() (reverse locks))
      ((file . rest)
       (match (on-failure (lambda () (unlock-paths! locks))
                (lambda ()
                  (acquire-file-lock file 'exclusive #:wait? wait?)))
         (#f
          (unlock-paths! locks)
          #f)
         (lock (loop rest (cons lock locks))))))))

(define* (lock-paths store paths #:key (wait? #t))
  "Lock @var{paths}, a list of store paths of @var{store} that need not exist,
against all other threads and processes, and return the locks.  When one is
locked, wait; without @var{wait?}, return @code{#f}, having locked none."
  (acquire (sorted-set (map (lambda (path) (usable-lock-file store path))
                            paths))
           wait?))

(define (call-holding-locks locks thunk)
  "Call @var{thunk}, then release @var{locks}, which @code{lock-paths}
returned, and return the value of @var{thunk}.  The lock files are deleted,
unless @var{thunk} raised."
  (let ((value (on-failure (lambda () (unlock-paths! locks)) thunk)))
    (unlock-paths! locks #:delete? #t)
    value))

(define (call-with-path-lock store path thunk)
  "Lock @var{path} in @var{store} against all other threads and processes,
waiting as long as need be, call @var{thunk}, which must not take long, unlock
@var{path} and return the value.  If there is a lock file, it is deleted
unless @var{thunk} raised."
  (call-holding-locks (list (acquire-file-lock (usable-lock-file store path)
                                               'exclusive
                                               #:cover (store-lock store)))
                      thunk))
