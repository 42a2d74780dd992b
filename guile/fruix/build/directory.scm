;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The directories that a build has on the host.
;;;
;;; The build directory proper is 'top' in a directory that only the daemon
;;; can enter, so that whatever the builder does to the modes of its own
;;; directory, nobody else gets in while it runs.  The chroot area is a part of
;;; the store's staging directory, which is as closed: it holds the outputs
;;; until they are moved into the store, and is on the same file system.
;;; Code:

(define-module (fruix build directory)
  #:use-module (fruix build mount-points)
  #:use-module (fruix config)
  #:use-module (fruix descriptors)
  #:use-module ((fruix errors) #:select (unless-errno))
  #:use-module (fruix files)
  #:use-module (fruix store)
  #:use-module (fruix store clean-ups)
  #:use-module ((fruix store directories) #:select (ensure-directory))
  #:use-module (fruix store layout)
  #:use-module (fruix store path)
  #:use-module (fruix store staging)
  #:use-module (fruix tree)
  #:use-module (ice-9 match)
  #:export (exists?
            call-with-build-directory
            build-directory-top
            keep-build-directory
            call-with-chroot-area
            area-store
            area-copies
            area-temporary-directory
            area-root
            prepare-mount-points))

;;;
;;; Build directory.
;;;

(define (exists? file)
  "Return true if there is something called @var{file}, if only a symbolic link
to nothing.  Raise a @code{system-error} if that cannot be told."
  (unless-errno (list ENOENT) #f
    (lambda () (->bool (lstat file)))))

(define (free-name parent name)
  "Return the first of @var{parent}/@var{name}-0, -1, … that does not exist."
  (let loop ((number 0))
    (let ((directory (string-append parent "/" name "-"
                                    (number->string number))))
      (if (exists? directory)
          (loop (+ number 1))
          directory))))

(define (make-directory directory)
  "Make @var{directory} for the daemon alone and return true, or @code{#f} if
it exists."
  (unless-errno (list EEXIST) #f
    (lambda ()
      (mkdir directory #o700)
      #t)))

(define (build-directory-top directory)
  "Return the name of the part of the build directory @var{directory} that the
builder sees."
  (string-append directory "/top"))

(define (delete-build-directory directory)
  (call-with-directory (dirname directory)
    (lambda (fd) (delete-tree! fd (basename directory)))))

(define (build-in-directory directory owner proc keep? top?)
  "Call @var{proc} with @var{directory}, as @code{call-with-build-directory}
does, and delete that if it raises, unless it is to be kept."
  (define its-own
    (if top? (build-directory-top directory) directory))
  (with-exception-handler
      (lambda (exception)
        (unless (keep? exception)
          (delete-build-directory directory))
        (raise-exception exception))
    (lambda ()
      (when top?
        (mkdir its-own #o700))
      (chown its-own (car owner) (cdr owner))
      (proc directory))
    #:unwind? #t))

(define (finish-build-directory store directory top? forget)
  "Delete @var{directory}, of a build that has succeeded in @var{store}, and
call @var{forget}.  Who waits for the build does not wait for this, except if
there is no part of it that only the daemon can enter: then another build of
the same user could interfere."
  (define (delete)
    (delete-build-directory directory)
    (forget))
  (if top?
      (clean-up-later! (staging-clean-ups (store-staging store)) delete)
      (delete)))

(define* (call-with-build-directory store drv owner proc
                                    #:key keep? keep (top? #t))
  "Call @var{proc} with the name of a new build directory for @var{drv}, whose
top belongs to @var{owner}, a pair of user and group id; return what @var{proc}
returns.  The directory is then deleted, soon.  If @var{proc} raises an
exception for which @var{keep?} is true, call @var{keep} with the directory
instead.  Without @var{top?}, the directory itself belongs to @var{owner}: for
builders that have to find the way to it.  If this process is killed before, the
directory is deleted when the store is opened again."
  (define parent (layout-temporary-directory (store-layout store)))
  (define name
    (string-append "guix-build-"
                   (store-path-name (store-directory store) drv)))
  ;; Who is given a kept one must be able to get there, but not to look around.
  (ensure-directory parent #o711)
  (let loop ()
    (let ((directory (free-name parent name)))
      (match (with-exception-handler
                 (lambda (exception)
                   (when (keep? exception) (keep directory))
                   (raise-exception exception))
               (lambda ()
                 (call-with-noted-directory (store-staging store) directory
                   (lambda (forget)
                     (if (make-directory directory)
                         (let ((result (build-in-directory directory owner
                                                           proc keep? top?)))
                           (finish-build-directory store directory top?
                                                   forget)
                           (list result))
                         (begin
                           (forget)
                           #f)))))
               #:unwind? #t)
        ((result) result)
        (#f (loop))))))                 ;another daemon was faster

(define (lift-top directory)
  "Let the top of the build directory @var{directory} take its place."
  (let ((pivot (string-append directory ".pivot")))
    (rename-file directory pivot)
    (rename-file (build-directory-top pivot) directory)
    (rmdir pivot)))

(define (hand-over directory owner)
  (call-with-directory (dirname directory)
    (lambda (fd)
      (hand-over-tree! fd (basename directory) (car owner) (cdr owner)
                       #o755))))

(define* (keep-build-directory directory client #:key (top? #t))
  "Let @var{client}, a pair of user and group id, have the build directory
@var{directory} of a failed build, whose builder is dead.  If @var{client} is
root, or @code{#f} since it is unknown, it remains the builder's.  Special modes
are gone in any case.  @var{top?} is as for @code{call-with-build-directory}.
Return true, or @code{#f} if this process may not give files away: all can read
it, and it remains this process's."
  (define client? (and client (not (zero? (car client)))))
  (define top (if top? (build-directory-top directory) directory))
  (define owner
    (let ((status (lstat top)))
      (cons (stat:uid status) (stat:gid status))))
  ;; Nobody gets in before all of it has changed hands.  It is renamed before,
  ;; as long as we may certainly do that.
  (chmod top #o700)
  (when (and top? client?)
    (lift-top directory))
  (let ((kept (if client? directory top)))
    (or (unless-errno (list EPERM) #f
          (lambda ()
            (hand-over kept (if client? client owner))
            #t))
        (begin
          (hand-over kept owner)
          #f))))

;;;
;;; Chroot area.
;;;

(define (area-store area)
  "Return the directory of @var{area} that the builder sees as the store: its
outputs appear there."
  (string-append area "/store"))

(define (area-copies area)
  "Return the directory of @var{area} for copies of outputs, which no builder
sees; it is not there at first."
  (string-append area "/copies"))

(define (area-temporary-directory area)
  "Return the directory of @var{area} that the builder sees as /tmp."
  (string-append area "/tmp"))

(define (area-root area)
  "Return the empty directory of @var{area} over which the builder's root is
mounted."
  (string-append area "/root"))

(define (make-area area)
  (mkdir area #o700)
  (mkdir (area-root area) #o755)
  (mkdir (area-temporary-directory area))
  (chmod (area-temporary-directory area) #o1777)
  (mkdir (area-store area)))

(define (open-area area group)
  "Let members of GROUP make outputs in AREA."
  (when group
    (chown (area-store area) -1 group))
  (chmod (area-store area) #o1775))

(define (plain-area? area)
  "Return true if there is nothing more in AREA than in a new one."
  (equal? '("root" "store" "tmp")
          (call-with-directory area
            (lambda (fd) (sort (map car (list-directory fd)) string<?)))))

;; Some file systems never make a directory smaller, and whoever looks into it
;; has to read all of it.
(define %largest-directory (* 1024 1024))

(define (clean-area area group)
  "Delete what a builder has left in AREA; return true if it can serve another
one.  Only where builders are other users than the daemon are directories
what they were before."
  (define (clean directory)
    (keep-mount-points! directory)
    (<= (stat:size (stat directory)) %largest-directory))
  (and group
       (plain-area? area)
       (clean (area-store area))
       (clean (area-temporary-directory area))))

(define (call-with-chroot-area store group proc)
  "Call @var{proc} with the name of a chroot area in the staging directory of
@var{store}.  Members of @var{group}, a group id or @code{#f}, may make outputs
in it.  Return what @var{proc} returns; the area is then deleted, or cleaned
for another build, soon."
  (define staging (store-staging store))
  (define (area name) (staged-file staging name))
  (call-with-spare staging
    (lambda (name) (make-area (area name)))
    (lambda (name) (clean-area (area name) group))
    (lambda (name)
      (open-area (area name) group)
      (proc name))))

(define (files-to-cover files)
  "Return those of @var{files} for which there must be an empty file before
they appear in a sandbox."
  ;; FreeBSD copies the small ones, and covers no file with several names.
  (case %platform
    ((linux) files)
    ((freebsd) '())))

(define (prepare-mount-points area store files directories build-directory)
  "Let there be mount points in @var{area}, which belongs to @var{store}, a
logical directory, for the items @var{files} and @var{directories}, and for
@var{build-directory}, a name as the builder sees it; what is missing is made
when it is mounted."
  (define (base-names items)
    (map (lambda (item)
           (substring item (+ 1 (string-length store))))
         items))
  (fit-mount-points! (area-store area)
                     (base-names (files-to-cover files))
                     (base-names directories))
  (fit-mount-points! (area-temporary-directory area)
                     '() (list (basename build-directory))))
