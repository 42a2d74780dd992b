;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The temporary roots of other processes, as a collector reads them.
;;;
;;; A file that nobody has locked was left by a process that was killed.  It is
;;; deleted, and the byte that is written into it tells an owner who was just
;;; about to lock it that he must make another one.  The read lock on a file
;;; keeps its owner from adding roots until the collector is done.
;;; Code:

(define-module (fruix store foreign-roots)
  #:use-module (fruix bulk)
  #:use-module (fruix descriptors)
  #:use-module ((fruix errors) #:select (unless-errno))
  #:use-module (fruix files)
  #:use-module (fruix octets)
  #:use-module (fruix record-lock)
  #:use-module (fruix store layout)
  #:use-module ((fruix store temporary-roots) #:select (own-roots-file?))
  #:use-module (ice-9 binary-ports)
  #:use-module ((srfi srfi-1) #:select (append-map filter-map))
  #:export (call-with-foreign-roots))

(define (open-roots file)
  "Return a port to @var{file}, or @code{#f} if it is gone."
  (unless-errno (list ENOENT) #f
    (lambda ()
      (open file (logior O_RDWR O_NOFOLLOW O_NONBLOCK O_CLOEXEC)))))

(define (hold file sweep?)
  "Return a port to @var{file}, read-locked; or @code{#f} if it has no owner,
after deleting it if @var{sweep?} is true."
  (let ((port (open-roots file)))
    (cond ((not port) #f)
          ((not (set-record-lock (fileno port) 'exclusive #:wait? #f))
           (set-record-lock (fileno port) 'shared)
           port)
          (else
           (when sweep?
             (delete-locked-file file (fileno port)))
           (close-port port)
           #f))))

(define (read-roots port)
  "Return the store paths in the file behind @var{port}."
  (let ((bytes (get-bytevector-all port)))
    (if (eof-object? bytes)
        '()
        (filter (negate string-null?)
                (string-split (bytevector->octets bytes) #\nul)))))

(define (foreign-files layout)
  (let ((directory (layout-temporary-roots-directory layout)))
    (filter-map (lambda (name)
                  (let ((file (string-append directory "/" name)))
                    (and (not (own-roots-file? layout file))
                         file)))
                (call-with-directory directory list-entries))))

(define* (call-with-foreign-roots layout proc #:key sweep?)
  "Call @var{proc} with the temporary roots of other processes, a list of store
paths of the store of @var{layout}, and return its value.  Meanwhile these
processes can add none: the caller holds @file{gc.lock}, so that new ones wait,
too.  With @var{sweep?}, for which it must be held exclusively, files that
killed processes left are deleted."
  (let ((ports '()))
    (dynamic-wind
      (const #t)
      (lambda ()
        (for-each (lambda (file)
                    (let ((port (hold file sweep?)))
                      (when port
                        (set! ports (cons port ports)))))
                  (foreign-files layout))
        (proc (append-map read-roots ports)))
      (lambda () (for-each close-port ports)))))
