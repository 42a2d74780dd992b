;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Where items are made: a directory inside the store, on the same file
;;; system, that only the daemon can enter.
;;;
;;; Nothing unverified ever bears a final name: an item gets it by a rename,
;;; the last step.  The directory's own name is random.
;;;
;;; What a build leaves behind is deleted when its client has an answer: nobody
;;; waits for the disk to forget something.  As it has a name here, or a note
;;; about it, it goes with the directory, too.
;;; Code:

(define-module (fruix store staging)
  #:use-module (fruix descriptors)
  #:use-module (fruix errors)
  #:use-module (fruix files)
  #:use-module (fruix store clean-ups)
  #:use-module (fruix store layout)
  #:use-module (fruix store notes)
  #:use-module ((fruix thread) #:select (with-lock))
  #:use-module ((fruix tree) #:select (delete-tree!
                                       exchange-trees!
                                       tree-exists?))
  #:use-module (ice-9 match)
  #:use-module ((ice-9 threads) #:select (make-mutex))
  #:use-module (srfi srfi-9)
  #:export (open-staging
            close-staging!
            staging-name?
            own-directory?
            delete-stale-staging
            staging-descriptor
            staging-links-descriptor
            staging-store-descriptor
            staging-store-path
            staging-clean-ups

            call-with-staged
            call-with-noted-directory
            call-with-spare
            staged-file
            move-into-store!
            replace-in-store!
            remove-from-store!))

(define-record-type <staging>
  (make-staging layout directory store-path descriptor links-descriptor
                store-descriptor notes clean-ups mutex last-number spares)
  staging?
  (layout staging-layout)                  ;<layout>
  (directory staging-directory)            ;its file name
  (store-path staging-store-path)          ;its logical name
  (descriptor staging-descriptor)          ;of the directory
  (links-descriptor staging-links-descriptor) ;of the store's '.links'; or #f
  (store-descriptor staging-store-descriptor) ;of the physical store
  (notes staging-notes)                    ;of directories elsewhere
  (clean-ups staging-clean-ups)            ;of what builds leave
  (mutex staging-mutex)                    ;of all that follows
  (last-number staging-last-number set-staging-last-number!)
  (spares staging-spares set-staging-spares!)) ;names, the latest first

(define %prefix ".fruix-")

(define (create-directory layout)
  (catch 'system-error
    (lambda ()
      (mkdtemp (string-append (layout-physical-store layout) "/" %prefix
                              "XXXXXX")))
    (lambda arguments
      (if (= EROFS (system-error-errno arguments))
          (fail "the store `~a' is on a read-only file system"
                (layout-physical-store layout))
          (apply throw arguments)))))

(define (open-all directories)
  "Return descriptors of DIRECTORIES, file names, with #f for each that is #f;
if one cannot be opened, none is."
  (let loop ((directories directories) (opened '()))
    (match directories
      (() (reverse opened))
      ((directory . rest)
       (loop rest
             (cons (on-failure (lambda ()
                                 (for-each close-fdes (delq #f opened)))
                     (lambda () (and directory (open-directory directory))))
                   opened))))))

(define* (open-staging layout #:key (deduplicate? #t))
  "Create a staging directory in the store of @var{layout} and return it as a
@code{<staging>}, which has a descriptor of the directory of shared files only
if @var{deduplicate?} is true.  Fail if the store is read-only."
  (let ((directory (create-directory layout)))
    (match (on-failure (lambda () (rmdir directory))
             (lambda ()
               (open-all (list directory
                               (and deduplicate? (layout-links layout))
                               (layout-physical-store layout)))))
      ((descriptor links store)
       (make-staging layout
                     directory
                     (string-append (layout-store layout) "/"
                                    (basename directory))
                     descriptor links store
                     (make-notes directory)
                     (make-clean-ups)
                     (make-mutex) 0 '())))))

(define (close-staging! staging)
  "Close @var{staging} and delete it, once all is cleaned up.  Raise an error if
something resists, such as a mount; then it is closed all the same."
  (await-clean-ups (staging-clean-ups staging))
  (close-notes! (staging-notes staging))
  (and=> (staging-links-descriptor staging) close-fdes)
  (close-fdes (staging-descriptor staging))
  (dynamic-wind
    (const #t)
    (lambda ()
      (delete-tree! (staging-store-descriptor staging)
                    (basename (staging-directory staging))))
    (lambda () (close-fdes (staging-store-descriptor staging)))))

(define (staging-name? name)
  "Return true if @var{name}, of an entry of a store, is that of a staging
directory."
  (string-prefix? %prefix name))

(define (own-directory? file)
  "Return true if @var{file} is a directory of this process's user."
  (let ((status (false-if-exception (lstat file))))
    (and status
         (eq? 'directory (stat:type status))
         (= (geteuid) (stat:uid status)))))

(define (closed? directory)
  "Return true if DIRECTORY is a directory that only its owner can enter."
  (let ((status (false-if-exception (lstat directory))))
    (and status
         (eq? 'directory (stat:type status))
         (= #o700 (stat:perms status)))))

(define (delete-noted directory)
  "Delete @var{directory} if it is still as it was made; the build user may own
it, who has to find the way to it where there is no sandbox."
  (when (closed? directory)
    (call-with-directory (dirname directory)
      (lambda (parent) (delete-tree! parent (basename directory))))))

(define (delete-stale-staging store directory)
  "Delete the staging @var{directory}, in that with descriptor @var{store},
whose process was killed, and what it had elsewhere."
  ;; Build users can have directories of such a name, and notes in them.
  (when (own-directory? directory)
    (for-each delete-noted (noted directory)))
  (delete-tree! store (basename directory)))


;;
;; One item.
;;

(define (fresh-name! staging)
  "Return a name that was not used in @var{staging} before."
  (with-lock (staging-mutex staging)
    (let ((number (+ 1 (staging-last-number staging))))
      (set-staging-last-number! staging number)
      (number->string number))))

(define (staged-file staging name)
  "Return the name of the file that is called @var{name} in @var{staging}."
  (string-append (staging-directory staging) "/" name))

(define (delete-staged! staging name)
  "Delete what is called @var{name} in @var{staging}, if it exists."
  (when (tree-exists? (staging-descriptor staging) name)
    (delete-tree! (staging-descriptor staging) name)))

(define (call-with-staged staging proc)
  "Call @var{proc} with a new name, a string, and return its value.  What has
that name in @var{staging} afterwards, @var{proc} having returned or raised,
is deleted."
  (let ((name (fresh-name! staging)))
    (dynamic-wind
      (const #t)
      (lambda () (proc name))
      (lambda () (delete-staged! staging name)))))

(define (take-spare! staging)
  "Return the name of a spare in @var{staging}, which now is none any more, or
@code{#f}."
  (with-lock (staging-mutex staging)
    (match (staging-spares staging)
      (() #f)
      ((name . rest)
       (set-staging-spares! staging rest)
       name))))

(define (keep-spare! staging name)
  (with-lock (staging-mutex staging)
    (set-staging-spares! staging (cons name (staging-spares staging)))))

(define (call-with-spare staging make clean proc)
  "Call @var{proc} with the name of what @var{make} has made in @var{staging}
under the name that it got, in this call or an earlier one, and return its
value.  If it returns and @code{(@var{clean} name)}, called later, returns true,
the thing is kept for another call; else it is deleted."
  (let* ((spare (take-spare! staging))
         (name (or spare (fresh-name! staging)))
         (value (on-failure (lambda () (delete-staged! staging name))
                  (lambda ()
                    (unless spare
                      (make name))
                    (proc name)))))
    (clean-up-later! (staging-clean-ups staging)
                     (lambda ()
                       (if (clean name)
                           (keep-spare! staging name)
                           (delete-staged! staging name))))
    value))

(define (call-with-noted-directory staging directory thunk)
  "Call @var{thunk} with a thunk to call once @var{directory}, one of mode 700
outside of the store, is gone, and return its value.  If this process is killed
before, the directory goes with @var{staging}; but it stays if @var{thunk}
raises."
  (let* ((notes (staging-notes staging))
         (note (write-note! notes directory))
         (forget (lambda () (erase-note! notes note))))
    (on-failure forget
      (lambda () (thunk forget)))))

(define (directory? file)
  (eq? 'directory (stat:type (lstat file))))

(define (let-move! file)
  "See to it that FILE, an item, can be moved: only who may write to a
directory may give it another parent."
  (unless (or (zero? (geteuid)) (not (directory? file)))
    (chmod file #o755)))

(define (settle! file)
  "Bring FILE, an item that was moved, back into canonical form."
  (when (directory? file)
    (unless (zero? (geteuid))
      (chmod file #o555))
    ;; UFS writes down the parent in the directory, and when it did.
    (unless (= 1 (stat:mtime (lstat file)))
      (utime file 1 1))))

(define (rename-canonical file new-name)
  "Rename @var{file}, an item in canonical form, whatever it is."
  (let-move! file)
  (rename-file file new-name)
  (settle! new-name))

(define (remove-from-store! staging path)
  "Delete what there is under the name of the item @var{path}, which the
caller has locked and which is not valid, or of its lock, in the store."
  (let ((store (staging-store-descriptor staging))
        (name (basename path)))
    (when (tree-exists? store name)
      (delete-tree! store name))))

(define (move-into-store! staging name path)
  "Make what is called @var{name} in @var{staging}, a file or tree in
canonical form, the item @var{path} of the store.  The caller has that locked;
if something not valid bears its name, it is deleted before."
  (remove-from-store! staging path)
  (rename-canonical (staged-file staging name)
                    (physical (staging-layout staging) path)))

(define (exchange! staging name path)
  "Let what is called NAME in STAGING and the item PATH change places; return
#f where that is not possible."
  (let ((item (physical (staging-layout staging) path)))
    (let-move! (staged-file staging name))
    (let-move! item)
    (and (exchange-trees! (staging-descriptor staging) name
                          (staging-store-descriptor staging) (basename path))
         (begin
           (settle! item)
           #t))))

(define (put-in-place-of! staging name path)
  "Do what 'exchange!' does in two steps, between which there is no item PATH,
and delete what had its name."
  (let ((item (physical (staging-layout staging) path)))
    (call-with-staged staging
      (lambda (spare)
        (let ((old (staged-file staging spare)))
          (rename-canonical item old)
          (on-failure (lambda () (rename-canonical old item))
            (lambda ()
              (rename-canonical (staged-file staging name) item))))))))

(define (replace-in-store! staging name path)
  "Do what @code{move-into-store!} does when the item @var{path} is valid: its
name is there all the time, but for a moment where the system has no way to
exchange two files.  What had that name may be called @var{name} in
@var{staging} then."
  (if (tree-exists? (staging-store-descriptor staging) (basename path))
      (or (exchange! staging name path)
          (put-in-place-of! staging name path))
      (move-into-store! staging name path)))
