;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Temporary roots: items that a session uses, which no collector deletes.
;;;
;;; Each set of roots has a file of its own, that collectors of other
;;; processes read: store paths, each ended by a NUL.  Its owner holds a read
;;; lock, by which a collector knows that it is alive, and a write lock while
;;; it appends; a collector that is reading keeps it waiting.
;;;
;;; Record locks do not keep a process from its own files.  So the sets of
;;; this process are in a table, too, by the directory of their files: its
;;; family.  A collector of this process looks there, and is told of roots
;;; that are added while it works; it holds 'gc.lock' as long.
;;;
;;; A set that is given up is kept for the next one, with its file: to make and
;;; delete one costs more than the rest of what a short build does with it.
;;; Code:

(define-module (fruix store temporary-roots)
  #:use-module ((fruix descriptors) #:select (wait-milliseconds))
  #:use-module ((fruix errors)
                #:select (call-naming fail on-failure unless-errno))
  #:use-module (fruix files)
  #:use-module (fruix record-lock)
  #:use-module (fruix store layout)
  #:use-module ((fruix thread) #:select (with-lock))
  #:use-module (ice-9 match)
  #:use-module (ice-9 threads)
  #:use-module ((srfi srfi-1) #:select (append-map))
  #:use-module (srfi srfi-9)
  #:export (make-temporary-roots
            add-temporary-root!
            close-temporary-roots!
            delete-spare-roots!

            other-temporary-roots
            call-with-claims
            own-roots-file?))

(define-record-type <family>
  (make-family mutex members claim spares)
  family?
  (mutex family-mutex)                     ;of all that follows
  (members family-members)                 ;hash table: file -> <temporary-…>
  (claim family-claim set-family-claim!)   ;the collector's procedure, or #f
  (spares family-spares                    ;list of members that nobody uses:
          set-family-spares!))             ;empty, but with a file

(define-record-type <temporary-roots>
  (%make-temporary-roots layout family file mutex port count paths)
  temporary-roots?
  (layout temporary-roots-layout)          ;<layout>
  (family temporary-roots-family)          ;<family>
  (file temporary-roots-file)              ;name of the file
  (mutex temporary-roots-mutex)            ;taken before that of the family
  (port temporary-roots-port               ;to the file; #f before the first
        set-temporary-roots-port!)
  (count temporary-roots-count set-temporary-roots-count!) ;of paths
  (paths temporary-roots-paths))           ;hash table: store path -> #t; the
                                           ;family's mutex guards it

(define %families (make-hash-table))       ;directory -> <family>
(define %families-mutex (make-mutex))

(define (family-of layout)
  (let ((directory (layout-temporary-roots-directory layout)))
    (with-lock %families-mutex
      (or (hash-ref %families directory)
          (let ((family (make-family (make-mutex) (make-hash-table) #f '())))
            (hash-set! %families directory family)
            family)))))

(define-syntax-rule (with-family family body ...)
  (with-lock (family-mutex family) body ...))


;;
;; One set.
;;

(define next-number
  (let ((mutex (make-mutex))
        (number 0))
    (lambda ()
      (with-lock mutex
        (set! number (+ number 1))
        number))))

(define (take-spare! family)
  "Return a spare set of FAMILY, or #f."
  (with-family family
    (match (family-spares family)
      (() #f)
      ((roots . rest)
       (set-family-spares! family rest)
       roots))))

(define (make-temporary-roots layout)
  "Return an empty set of temporary roots of the store of @var{layout}, to be
closed by @code{close-temporary-roots!}.  Its file is created when the first
root is added, unless it is that of an earlier set."
  (let ((family (family-of layout)))
    (or (take-spare! family)
        (make-new-roots layout family))))

(define (make-new-roots layout family)
  (let* ((file (string-append (layout-temporary-roots-directory layout) "/"
                              (number->string (getpid)) "-"
                              (number->string (next-number))))
         (roots (%make-temporary-roots layout family file (make-mutex) #f 0
                                       (make-hash-table))))
    (with-family family
      (hash-set! (family-members family) file roots))
    roots))

(define (create-file! roots)
  "Create the file of @var{roots}, locked.  No collector of another process
runs meanwhile, so none finds it unlocked."
  (let ((file (temporary-roots-file roots)))
    (when (file-exists? file)           ;of a process that had our number
      (delete-file file))
    (let ((port (open file (logior O_RDWR O_CREAT O_EXCL O_CLOEXEC) #o600)))
      (set-port-encoding! port "ISO-8859-1")
      (set-record-lock (fileno port) 'exclusive)
      (set-temporary-roots-port! roots port)
      port)))

;; How long to wait for a collector of another process, in milliseconds.
(define %interval 20)

(define (open-file! roots)
  "Create the file of @var{roots} while this process has @file{gc.lock}: the
collector's, or one of our own."
  (define family (temporary-roots-family roots))
  (or (with-family family
        (and (family-claim family) (create-file! roots)))
      (let ((lock (acquire-file-lock
                   (layout-gc-lock (temporary-roots-layout roots)) 'shared
                   #:wait? #f)))
        (and lock
             (dynamic-wind
               (const #t)
               (lambda () (create-file! roots))
               (lambda () (release-file-lock! lock)))))
      (begin
        (wait-milliseconds %interval)
        (open-file! roots))))

(define (change-file! port thunk)
  "Call THUNK, which writes to PORT, while no collector reads there.  It waits
as long as the lock is exclusive, even for one who could not write."
  (let ((descriptor (fileno port)))
    (dynamic-wind
      (lambda () (set-record-lock descriptor 'exclusive))
      thunk
      (lambda () (set-record-lock descriptor 'shared)))))

(define (write-whole! path port)
  "Append PATH to PORT; or nothing, if this raises: else the next one would be
taken for the rest of its name."
  (let ((end (seek port 0 SEEK_CUR)))
    (on-failure (lambda ()
                  (truncate-file port end)
                  (seek port end SEEK_SET))
      (lambda ()
        (display path port)
        (display #\nul port)
        (force-output port)))))

(define (append! roots path)
  (let ((port (or (temporary-roots-port roots) (open-file! roots))))
    (change-file! port
                  (lambda ()
                    (call-naming (temporary-roots-file roots)
                      (lambda () (write-whole! path port)))))))

(define (enter! roots path)
  "Let collectors of this process know that @var{path} is among @var{roots};
return how to tell the one that is at work, or @code{#f}."
  (let ((family (temporary-roots-family roots)))
    (with-family family
      (hash-set! (temporary-roots-paths roots) path #t)
      (family-claim family))))

;; As many roots as one set has: more than one request can lead to.
(define %maximum-roots (expt 2 20))

(define (append-new! roots path)
  (let ((count (+ 1 (temporary-roots-count roots))))
    (when (> count %maximum-roots)
      (fail "more than ~a temporary roots" %maximum-roots))
    (append! roots path)
    (set-temporary-roots-count! roots count)))

(define (add-temporary-root! roots path)
  "Add @var{path}, a store path that need not be valid, to @var{roots}.  Once
this returns, no collector deletes @var{path}: if one was about to, it has, and
@var{path} is not valid.  Raise a @code{&fruix-error} when there are too many."
  (with-lock (temporary-roots-mutex roots)
    (unless (hash-ref (temporary-roots-paths roots) path)
      (append-new! roots path))
    ;; A path from a derivation shares memory with all of its text.
    (let* ((path (string-copy path))
           (claim (enter! roots path)))
      (when claim (claim path)))))

(define (paths-of roots)
  (hash-map->list (lambda (path _) path) (temporary-roots-paths roots)))

(define (delete-file! roots)
  "Delete the file of ROOTS, which nobody uses, if it has been created; an
administrator may have done so, with all of the state directory."
  (define family (temporary-roots-family roots))
  (let ((port (temporary-roots-port roots)))
    (when port
      (dynamic-wind
        (const #t)
        (lambda ()
          (unless-errno (list ENOENT) #f
            (lambda () (delete-file (temporary-roots-file roots)))))
        (lambda () (close-port port)))))
  (with-family family
    (hash-remove! (family-members family) (temporary-roots-file roots))))

(define (empty-file! port)
  "Make the file open as PORT empty and return true, or #f if that is not
possible."
  (catch 'system-error
    (lambda ()
      (change-file! port
                    (lambda ()
                      (truncate-file port 0)
                      (seek port 0 SEEK_SET)))
      #t)
    (const #f)))

;; As many sets as are kept.
(define %maximum-spares 16)

(define (keep! roots)
  "Keep ROOTS, which nobody uses, with an empty file, and return true; or
return #f if that is not possible, or there are enough spares."
  (define family (temporary-roots-family roots))
  (define port (temporary-roots-port roots))
  (and port
       (< (length (family-spares family)) %maximum-spares)
       (empty-file! port)
       (begin
         (with-family family
           (set-family-spares! family (cons roots (family-spares family))))
         #t)))

(define (close-temporary-roots! roots)
  "Give up the @var{roots}, which are not used any more."
  (with-lock (temporary-roots-mutex roots)
    (with-family (temporary-roots-family roots)
      (hash-clear! (temporary-roots-paths roots)))
    (set-temporary-roots-count! roots 0)
    (unless (keep! roots)
      (delete-file! roots))))

(define (delete-spare-roots! layout)
  "Delete the files that this process keeps for further sets of temporary roots
of the store of @var{layout}."
  (define family (family-of layout))
  (let loop ()
    (let ((roots (take-spare! family)))
      (when roots
        (delete-file! roots)
        (loop)))))


;;
;; For the collector of this process.
;;

(define (others roots)
  (append-map paths-of
              (delq roots
                    (hash-map->list (lambda (file roots) roots)
                                    (family-members
                                     (temporary-roots-family roots))))))

(define (other-temporary-roots roots)
  "Return the store paths in all sets of this process but @var{roots} that
collectors of the same store heed, in no particular order."
  (with-family (temporary-roots-family roots)
    (others roots)))

(define (call-with-claims roots claim proc)
  "Call @var{proc} with what @code{other-temporary-roots} of @var{roots}
returns, and return its value.  From that moment on until it returns or
raises, @var{claim} is called with each store path that is added to any of the
sets, by the thread that adds it, before its @code{add-temporary-root!}
returns.  The caller holds @file{gc.lock} exclusively."
  (define family (temporary-roots-family roots))
  (let ((paths (with-family family
                 (set-family-claim! family claim)
                 (others roots))))
    (dynamic-wind
      (const #t)
      (lambda () (proc paths))
      (lambda ()
        (with-family family
          (set-family-claim! family #f))))))

(define (own-roots-file? layout file)
  "Return true if @var{file} is, or will be, the file of a set of this process
for the store of @var{layout}."
  (let ((family (family-of layout)))
    (with-family family
      (->bool (hash-ref (family-members family) file)))))
