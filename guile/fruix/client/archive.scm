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
  #:export (write-archive))

(define %buffer-size 65536)

(define (write-contents port file size)
  "Write the contents of FILE, SIZE bytes of them, as a string on PORT."
  (define buffer (make-bytevector (min size %buffer-size)))
  (define (copy input left)
    (unless (zero? left)
      (match (get-bytevector-n! input buffer 0 (min left %buffer-size))
        ((? eof-object?)
         (fail "'~a' became shorter while it was read" file))
        (count
         (put-bytevector port buffer 0 count)
         (copy input (- left count))))))
  (write-long port size)
  (call-with-input-file file
    (lambda (input)
      (setvbuf input 'none)
      (copy input size))
    #:binary #t)
  (put-bytevector port (make-bytevector (modulo (- size) 8) 0)))

(define (entries directory select?)
  "Return names, in byte order, of the files in DIRECTORY that SELECT? wants."
  (filter (lambda (name)
            (let ((file (string-append directory "/" name)))
              (select? file (lstat file))))
          (sort (scandir directory
                         (lambda (name) (not (member name '("." "..")))))
                (lambda (a b) (string<? (text->octets a)
                                        (text->octets b))))))

(define (write-archive port file select?)
  "Write the archive of @var{file}, a file name, on @var{port}.  In a
directory, only files are taken for which @var{select?}, called with the file
name and what @code{lstat} returns for it, is true.  Files other than regular
ones, directories and symbolic links raise a @code{&fruix-error}."
  (define (tokens . texts)
    (for-each (lambda (text) (write-octets port (text->octets text))) texts))

  (define (write-entry directory name)
    (tokens "entry" "(" "name" name "node")
    (write-node (string-append directory "/" name))
    (tokens ")"))

  (define (write-node file)
    (let ((stat (lstat file)))
      (tokens "(" "type")
      (match (stat:type stat)
        ('regular
         (tokens "regular")
         (unless (zero? (logand (stat:perms stat) #o100))
           (tokens "executable" ""))
         (tokens "contents")
         (write-contents port file (stat:size stat)))
        ('symlink
         (tokens "symlink" "target" (readlink file)))
        ('directory
         (tokens "directory")
         (for-each (lambda (name) (write-entry file name))
                   (entries file select?)))
        (type
         (fail "'~a' cannot be in the store: it is a ~a" file type)))
      (tokens ")")))

  (tokens "nix-archive-1")
  (write-node file))
