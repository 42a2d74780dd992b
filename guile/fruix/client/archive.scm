;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Files of the user as an archive (NAR), to be added to the store.  Unlike
;;; the daemon's own writer this one can leave files out.
;;; Code:

(define-module (fruix client archive)
  #:use-module ((fruix errors) #:select (fail))
  #:use-module (fruix octets)
  #:use-module (fruix protocol wire)
  #:use-module (ice-9 binary-ports)
  #:use-module ((ice-9 ftw) #:select (scandir))
  #:use-module (ice-9 match)
  #:use-module (rnrs bytevectors)
  #:use-module ((srfi srfi-1) #:select (filter-map))
  #:export (write-archive))

;;
;; Words of the format, encoded once.
;;

(define (words . texts)
  "Return the bytes of TEXTS, each written as a string of the wire."
  (call-with-values open-bytevector-output-port
    (lambda (port contents)
      (apply write-octets port texts)
      (contents))))

(define %header (words "nix-archive-1"))
(define %regular (words "(" "type" "regular" "contents"))
(define %executable
  (words "(" "type" "regular" "executable" "" "contents"))
(define %symlink (words "(" "type" "symlink" "target"))
(define %directory (words "(" "type" "directory"))
(define %entry (words "entry" "(" "name"))
(define %node (words "node"))
(define %end (words ")"))

;;
;; The tree.
;;

;; Files that are larger are left to the kernel to copy.
(define %read-size 65536)

(define (copy-contents port input size)
  "Write SIZE bytes from INPUT, an unbuffered port, on PORT; return how many
there were."
  (if (> size %read-size)
      (begin
        (force-output port)
        (sendfile port input size))
      (match (get-bytevector-n input size)
        ((? eof-object?) 0)
        (bytes
         (put-bytevector port bytes)
         (bytevector-length bytes)))))

(define (write-contents port file size)
  "Write the contents of FILE, SIZE bytes of them, as a string on PORT."
  (write-long port size)
  (let* ((input (open-file file "r0b"))
         (count (copy-contents port input size)))
    (close-port input)
    (when (< count size)
      (fail "'~a' became shorter while it was read" file)))
  (put-bytevector port #vu8(0 0 0 0 0 0 0) 0 (modulo (- size) 8)))

(define (entries directory select?)
  "Return the files in DIRECTORY that SELECT? wants, as a list of name, file
name and status, in byte order of the names."
  (filter-map (lambda (name)
                (let* ((file (string-append directory "/" name))
                       (stat (lstat file)))
                  (and (select? file stat)
                       (list name file stat))))
              (scandir directory
                       (lambda (name) (not (member name '("." ".."))))
                       (lambda (a b)
                         (string<? (text->octets a) (text->octets b))))))

(define (write-archive port file select?)
  "Write the archive of @var{file}, a file name, on @var{port}.  In a
directory, only files are taken for which @var{select?}, called with the file
name and what @code{lstat} returns for it, is true.  Files other than regular
ones, directories and symbolic links raise a @code{&fruix-error}."
  (define (put bytes)
    (put-bytevector port bytes))

  (define (write-entry name file stat)
    (put %entry)
    (write-octets port (text->octets name))
    (put %node)
    (write-node file stat)
    (put %end))

  (define (write-node file stat)
    (match (stat:type stat)
      ('regular
       (put (if (zero? (logand (stat:perms stat) #o100))
                %regular
                %executable))
       (write-contents port file (stat:size stat)))
      ('symlink
       (put %symlink)
       (write-octets port (text->octets (readlink file))))
      ('directory
       (put %directory)
       (for-each (lambda (entry) (apply write-entry entry))
                 (entries file select?)))
      (type
       (fail "'~a' cannot be in the store: it is a ~a" file type)))
    (put %end))

  (put %header)
  (write-node file (lstat file)))
