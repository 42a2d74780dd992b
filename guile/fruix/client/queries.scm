;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What one can ask a daemon about its store.
;;; Code:

(define-module (fruix client queries)
  #:use-module (fruix client connection)
  #:use-module (fruix protocol wire)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:export (valid-path?
            references
            referrers
            requisites
            query-path-info
            path-info?
            path-info-path
            path-info-deriver
            path-info-hash
            path-info-references
            path-info-registration-time
            path-info-nar-size
            query-derivation-outputs
            valid-derivers
            path-from-hash-part
            find-roots
            built-in-builders))

(define-record-type <path-info>
  (make-path-info path deriver hash references registration-time nar-size)
  path-info?
  (path              path-info-path)              ;store file name
  (deriver           path-info-deriver)           ;that of a .drv, or #f
  (hash              path-info-hash)              ;SHA-256 of the archive, hex
  (references        path-info-references)        ;list of store file names
  (registration-time path-info-registration-time) ;seconds since the Epoch
  (nar-size          path-info-nar-size))         ;bytes of the archive

(define-operation (valid-path? (path write-text)) 1 read-boolean
  "Return true if @var{path} is a valid item of the store.  Something that
could not be one raises @code{&protocol-error}.")

(define-operation (references (path write-text)) 5 read-text-list
  "Return the store items to which @var{path}, a valid one, refers.")

(define-operation (referrers (path write-text)) 6 read-text-list
  "Return the valid store items that refer to @var{path}.")

(define-operation (query-derivation-outputs (drv write-text)) 22
  read-text-list
  "Return the store file names of the outputs of @var{drv}, a valid .drv.")

(define-operation (valid-derivers (path write-text)) 33 read-text-list
  "Return the valid .drv files one of whose outputs is @var{path}.")

(define-operation (path-from-hash-part (part write-text)) 29
  (lambda (port)
    (match (read-text port)
      ("" #f)
      (path path)))
  "Return the valid store item whose hash part is @var{part}, 32 base32
digits, or false if there is none.")

(define-operation (built-in-builders) 80 read-text-list
  "Return the names of the builders that are part of the daemon: a derivation
names one as @code{builtin:@var{name}}.")

(define-operation (find-roots) 14
  (lambda (port)
    (read-list port (lambda (port)
                      (let ((root (read-text port)))
                        (cons root (read-text port))))))
  "Return an alist of the roots: the name of each, and the store item that it
keeps.")

(define (query-path-info connection path)
  "Return a @code{<path-info>} about @var{path}, a valid store item."
  (define (read-path-info port)
    (let* ((deriver (read-text port))
           (hash (read-text port))
           (references (read-text-list port))
           (time (read-int port))
           (size (read-long port)))
      (make-path-info path (if (string-null? deriver) #f deriver) hash
                      references time size)))
  (call-operation connection 26
                  (lambda (port) (write-text port path))
                  read-path-info))

(define (requisites connection paths)
  "Return @var{paths}, a list of valid store items, and all that they refer to
directly or indirectly: each once, referrers before what only they refer to."
  (define seen (make-hash-table))
  (define (new? path)
    (and (not (hash-ref seen path))
         (hash-set! seen path #t)))
  (let loop ((queue (filter new? paths)) (result '()))
    (if (null? queue)
        (reverse result)
        (loop (append-map (lambda (path)
                            (filter new? (references connection path)))
                          queue)
              (append-reverse queue result)))))
