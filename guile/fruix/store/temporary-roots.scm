;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Temporary roots: items that a session uses, which no collector deletes.
;;;
;;; Each set of roots has a file of its own, that collectors of other
;;; processes read: store paths, each ended by a NUL.  Its owner holds a read
;;; lock, by which a collector knows that it is alive, and a write lock while
;;; it appends; a collector that is reading keeps it waiting.
;;; Code:

(define-module (fruix store temporary-roots)
  #:use-module ((fruix record-lock)
                #:select (call-with-file-lock set-record-lock))
  #:use-module (fruix store layout)
  #:use-module (ice-9 threads)
  #:use-module (srfi srfi-9)
  #:export (make-temporary-roots
            add-temporary-root!
            temporary-roots->list
            close-temporary-roots!))

(define-record-type <temporary-roots>
  (%make-temporary-roots layout file mutex port paths)
  temporary-roots?
  (layout temporary-roots-layout)          ;<layout>
  (file temporary-roots-file)              ;name of the file
  (mutex temporary-roots-mutex)
  (port temporary-roots-port               ;to the file; #f before the first
        set-temporary-roots-port!)
  (paths temporary-roots-paths))           ;hash table: store path -> #t

(define next-number
  (let ((mutex (make-mutex))
        (number 0))
    (lambda ()
      (with-mutex mutex
        (set! number (+ number 1))
        number))))

(define (make-temporary-roots layout)
  "Return an empty set of temporary roots of the store of @var{layout}.  Its
file is created when the first root is added."
  (%make-temporary-roots layout
                         (format #f "~a/~a-~a"
                                 (layout-temporary-roots-directory layout)
                                 (getpid) (next-number))
                         (make-mutex) #f (make-hash-table)))

(define (open-file! roots)
  "Create the file of @var{roots}, locked.  No collector runs meanwhile, so
none finds it unlocked."
  (let ((file (temporary-roots-file roots)))
    (call-with-file-lock (layout-gc-lock (temporary-roots-layout roots))
        'shared
      (lambda ()
        (when (file-exists? file)       ;of a process that had our number
          (delete-file file))
        (let ((port (open file (logior O_RDWR O_CREAT O_EXCL O_CLOEXEC)
                          #o600)))
          (set-port-encoding! port "ISO-8859-1")
          (set-record-lock (fileno port) 'exclusive)
          (set-temporary-roots-port! roots port)
          port)))))

(define (append! roots path)
  (let* ((port (or (temporary-roots-port roots) (open-file! roots)))
         (descriptor (fileno port)))
    (set-record-lock descriptor 'exclusive)
    (display path port)
    (display #\nul port)
    (force-output port)
    (set-record-lock descriptor 'shared)))

(define (add-temporary-root! roots path)
  "Add @var{path}, a store path that need not be valid, to @var{roots}.  Once
this returns, no collector that has not yet begun deletes @var{path}."
  (with-mutex (temporary-roots-mutex roots)
    (let ((paths (temporary-roots-paths roots)))
      (unless (hash-ref paths path)
        (append! roots path)
        (hash-set! paths path #t)))))

(define (temporary-roots->list roots)
  "Return the store paths in @var{roots}, in no particular order."
  (with-mutex (temporary-roots-mutex roots)
    (hash-map->list (lambda (path _) path) (temporary-roots-paths roots))))

(define (close-temporary-roots! roots)
  "Give up the @var{roots}, and delete their file."
  (with-mutex (temporary-roots-mutex roots)
    (let ((port (temporary-roots-port roots)))
      (when port
        (delete-file (temporary-roots-file roots))
        (close-port port)
        (set-temporary-roots-port! roots #f)))
    (hash-clear! (temporary-roots-paths roots))))
