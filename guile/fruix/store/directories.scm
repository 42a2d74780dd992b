;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The directories of a store and its state, as guix-daemon makes them.
;;;
;;; What exists keeps its mode and owner, but for two that a group of build
;;; users makes sensitive: the store itself, and the parent of the users'
;;; profiles.
;;; Code:

(define-module (fruix store directories)
  #:use-module (fruix errors)
  #:use-module (fruix files)
  #:use-module (fruix store layout)
  #:use-module (fruix store writable)
  #:use-module (rnrs bytevectors)
  #:use-module ((ice-9 binary-ports) #:select (get-bytevector-n!
                                               put-bytevector))
  #:use-module ((ice-9 ftw) #:select (scandir))
  #:export (make-directories
            ensure-reserved-space
            give-up-reserve
            call-with-reserve
            make-profile-directory
            directory-names
            ensure-directory))

(define (directory-names directory select?)
  "Return the names in @var{directory}, a file name, for which @var{select?} is
true, sorted; @file{.} and @file{..} are not among them.  Fail if it cannot be
read."
  (or (scandir directory
               (lambda (name)
                 (and (not (member name '("." "..")))
                      (select? name))))
      (fail "cannot read the directory `~a'" directory)))

(define* (ensure-directory directory #:optional (mode #o755))
  "Create @var{directory} and its parents where they are missing, the former
with @var{mode}.  Return true if it was missing."
  (and (not (file-exists? directory))
       (begin
         (ensure-directory (dirname directory))
         ;; Another daemon may start at the same time.
         (unless-errno (list EEXIST) #f
           (lambda ()
             (mkdir directory)
             (chmod directory mode)
             #t)))))

(define (check-no-symlink layout)
  "Fail if the store of @var{layout} or a parent of it, below the root
directory, is a symbolic link: names inside the store would not be what they
seem to builders."
  (let loop ((store (layout-store layout)))
    (unless (member store '("" "/"))
      (let ((file (physical layout store)))
        (when (eq? 'symlink (stat:type (lstat file)))
          (fail "`~a' is a symbolic link; a store and its parents must not be"
                file))
        (loop (dirname store))))))

(define (protect-from-group layout group)
  "Let members of @var{group}, a number, add to the store but not replace what
others put there."
  (let* ((store (layout-physical-store layout))
         (found (stat store)))
    (chmod (string-append (layout-profiles-directory layout) "/per-user")
           #o755)
    (unless (and (zero? (stat:uid found)) (= group (stat:gid found)))
      (chown store 0 group))
    (unless (= #o1775 (stat:perms found))
      (chmod store #o1775))))

(define* (make-directories layout #:key build-group)
  "Create the directories of @var{layout}, a @code{<layout>}, that are
missing.  With @var{build-group}, the number of the group of the build users,
give the store the owner and mode that they need.  Fail if nobody can write to
the store, and if it is a symbolic link, unless the environment has
@env{NIX_IGNORE_SYMLINK_STORE} set to 1."
  (ensure-directory (layout-physical-store layout))
  (ensure-writable (layout-physical-store layout))
  (unless (equal? "1" (getenv "NIX_IGNORE_SYMLINK_STORE"))
    (check-no-symlink layout))
  (for-each ensure-directory
            (list (layout-links layout)
                  (string-append (layout-profiles-directory layout)
                                 "/per-user")
                  (layout-temporary-roots-directory layout)
                  (layout-database-directory layout)))
  (when (ensure-directory (layout-roots-directory layout))
    (symlink (layout-profiles-directory layout)
             (string-append (layout-roots-directory layout) "/profiles")))
  (ensure-directory (string-append (layout-roots-directory layout) "/auto"))
  (when build-group
    (protect-from-group layout build-group)))

;; Enough for a session, a database and a collector to do their work.
(define %reserved-size (* 8 1024 1024))

(define (reserve-file layout)
  (string-append (layout-database-directory layout) "/reserved"))

(define (give-up-reserve layout)
  "Delete the file that reserves disk space for hard times beside the database
of @var{layout}; return true if there was one."
  (let ((file (reserve-file layout)))
    (and (file-exists? file)
         (begin
           (delete-file file)
           #t))))

(define (fill-reserve port random)
  "Write as many bytes to PORT as are reserved, from RANDOM: what can be
compressed, some file systems do not keep space for."
  (setvbuf port 'none)
  ;; In pieces, as the heap would stay as large as one.
  (let ((piece (make-bytevector 65536)))
    (do ((left %reserved-size (- left 65536)))
        ((zero? left))
      (get-bytevector-n! random piece 0 65536)
      (put-bytevector port piece))))

(define (write-reserve file)
  (call-with-closing-port
      (open file (logior O_WRONLY O_CREAT O_TRUNC O_CLOEXEC) #o600)
    (lambda (port)
      (call-with-closing-port (open "/dev/urandom" (logior O_RDONLY O_CLOEXEC))
        (lambda (random) (fill-reserve port random))))))

(define (full-disk? arguments)
  (memv (system-error-errno arguments) (list ENOSPC EDQUOT)))

(define* (ensure-reserved-space layout #:key (reserve? #t))
  "Reserve 8 MiB of disk space in the file @file{reserved} beside the database
of @var{layout}, unless that is done; without @var{reserve?}, delete the file.
Where there is no space left to reserve, there is no file."
  (let ((found (stat (reserve-file layout) #f)))
    (cond ((not reserve?)
           (give-up-reserve layout))
          ((not (and found (= %reserved-size (stat:size found))))
           (catch 'system-error
             (lambda () (write-reserve (reserve-file layout)))
             (lambda arguments
               (give-up-reserve layout)
               (unless (full-disk? arguments)
                 (apply throw arguments))))))))

(define (call-with-reserve layout thunk)
  "Return the value of @var{thunk}; if it raises because the disk is full,
give up the disk space that is reserved beside the database of @var{layout}
and call it again."
  (let ((answer (catch 'system-error
                  (lambda ()
                    (let ((value (thunk)))
                      (const value)))
                  (lambda arguments
                    (if (and (full-disk? arguments) (give-up-reserve layout))
                        thunk
                        (apply throw arguments))))))
    (answer)))

(define (make-profile-directory layout name uid)
  "Create the directory for the profiles of the user @var{name}, a string,
under @var{layout} and give it to @var{uid}, unless it exists.  Return true;
or @code{#f} if it cannot be given away, when no directory remains."
  (when (or (member name '("" "." "..")) (string-index name #\/))
    (fail "`~a' cannot be the name of a user" name))
  (let ((directory (string-append (layout-profiles-directory layout)
                                  "/per-user/" name)))
    (or (not (ensure-directory directory))
        (= uid (stat:uid (stat directory)))
        (catch 'system-error
          (lambda ()
            (chown directory uid -1)
            #t)
          (lambda _
            (rmdir directory)
            #f)))))
