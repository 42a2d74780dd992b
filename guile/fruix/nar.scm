;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Archives of file trees (NAR).  Both directions go piece by piece and never
;;; hold more than a buffer: a restorer is given the bytes of an archive and
;;; unpacks them as they come; a source yields those of a tree.
;;;
;;; An archive is accepted if and only if it is the one that Fruix would write
;;; for the tree in it: fields in one order, entries sorted and unique, no
;;; name but of a single component, zero padding, at most 256 directories
;;; inside each other.  Anything else raises a &fruix-error at the first bad
;;; byte; what was unpacked until then is the caller's to delete.
;;; Code:

(define-module (fruix nar)
  #:use-module (fruix errors)
  #:use-module (fruix primitives)
  #:use-module ((fruix tree-error) #:select (call-with-tree-errors))
  #:use-module (ice-9 match)
  #:use-module (rnrs bytevectors)
  #:use-module (srfi srfi-9)
  #:export (nar-result?
            nar-result-hash
            nar-result-size
            nar-result-digest
            nar-result-type
            nar-result-executable?
            nar-result-references
            list->nar-result

            open-nar-restorer
            nar-restore!
            nar-receive!
            nar-restorer-done?
            nar-restorer-hash
            nar-restorer-finish!
            nar-restorer-close!

            open-nar-source
            nar-source-read!
            nar-source-close!

            file-nar-hash
            file-nar-result))

(define-record-type <nar-result>
  (make-nar-result hash size digest type executable? references)
  nar-result?
  (hash nar-result-hash)                ;bytevector: SHA-256 of the archive
  (size nar-result-size)                ;integer: bytes of the archive
  (digest nar-result-digest)            ;bytevector | #f: what was asked for
  (type nar-result-type)                ;regular | directory | symlink
  (executable? nar-result-executable?)  ;Boolean: a regular, executable file
  (references nar-result-references))   ;list of strings: hash parts found

(define* (list->nar-result fields #:optional (references '()))
  "Return the @code{<nar-result>} for @var{fields}, what a primitive returned,
and @var{references}, a list of hash parts."
  (match fields
    ((hash size digest type executable?)
     (make-nar-result hash size digest type executable? references))))

;; The primitives report a malformed archive as a system-error from "nar".
(define-syntax-rule (with-archive-errors body ...)
  (catch 'system-error
    (lambda () body ...)
    (lambda (key who template arguments errno)
      (if (equal? who "nar")
          (fail "invalid archive: ~a" (car arguments))
          (throw key who template arguments errno)))))

(define* (open-nar-restorer directory name
                            #:key links-fd hash-algorithm flat?)
  "Return a restorer that unpacks one archive as @var{name}, which must not
exist, in the directory with descriptor @var{directory}.  @var{links-fd} is
the descriptor of the directory of shared files, or @code{#f}: files of 8192
bytes or more become links to equal ones there.  @var{hash-algorithm}, a
symbol, asks for a digest of the archive, or, if @var{flat?} is true, of the
contents of the regular file that it must consist of; that one is restored as
not executable.

All is written in canonical form (modes 0444 and 0555, modified one second
after the epoch).  The restorer is to be closed by
@code{nar-restorer-finish!} or @code{nar-restorer-close!}, and serves one
thread at a time."
  (%open-nar-restorer directory name links-fd
                      (and=> hash-algorithm symbol->string)
                      flat?))

(define* (nar-restore! restorer bytevector #:optional (start 0)
                       (count (- (bytevector-length bytevector) start)))
  "Give @var{restorer} the @var{count} bytes of @var{bytevector} from
@var{start}, the next ones of the archive.  Return how many of them belong to
it: less than @var{count} only if it ended.  Raise a @code{&fruix-error} if
the archive is malformed, a @code{system-error} if a file cannot be written."
  (with-archive-errors (%nar-restore restorer bytevector start count)))

(define (nar-receive! restorer descriptor)
  "Let @var{restorer} read what comes next of the archive from @var{descriptor},
an integer, if that is much of one file, so that its bytes need not be copied.
Return how many there were, 0 at the end of file; or return @code{#f}, and have
read nothing.  Errors are those of @code{nar-restore!}, and a @code{system-error} if
@var{descriptor} cannot be read (read(2))."
  (with-archive-errors (%nar-receive restorer descriptor)))

(define (nar-restorer-done? restorer)
  "Return true if @var{restorer} has got a whole archive."
  (%nar-restorer-done? restorer))

(define (nar-restorer-hash restorer)
  "Return a SHA-256 in progress, for @code{hash-update!}, to which the archive
has been added that @var{restorer}, which is done, has got."
  (%nar-restorer-hash restorer))

(define (nar-restorer-finish! restorer)
  "Close @var{restorer} and return the @code{<nar-result>} of what it
unpacked.  Raise a @code{&fruix-error} if the archive is not complete."
  (list->nar-result (with-archive-errors (%nar-restorer-finish restorer))))

(define (nar-restorer-close! restorer)
  "Close @var{restorer}, wherever it is in its archive."
  (%nar-restorer-close restorer))

(define (open-nar-source directory name)
  "Return a source that reads the tree @var{name} in the directory with
descriptor @var{directory} as an archive.  It serves one thread at a time."
  (%open-nar-source directory name))

(define* (nar-source-read! source bytevector #:optional (start 0)
                           (count (- (bytevector-length bytevector) start)))
  "Put the next bytes of the archive of @var{source} into @var{bytevector},
@var{count} of them from @var{start} on.  Return how many there are: less than
@var{count} only at the end.  Raise a @code{system-error} if the tree cannot
be read; a @code{&tree-error} if it changes meanwhile, or has other things than
regular files, directories and symbolic links in it."
  (call-with-tree-errors
   (lambda () (%nar-source-read source bytevector start count))))

(define (nar-source-close! source)
  "Close @var{source}, wherever it is."
  (%nar-source-close source))

(define* (file-nar-result directory name #:key hash-algorithm flat?)
  "Return the @code{<nar-result>} of the tree @var{name} in the directory with
descriptor @var{directory}, which is only read.  @var{hash-algorithm} and
@var{flat?} are as for @code{open-nar-restorer}; there is no digest if
@var{flat?} is true and the tree is not one regular file.  Errors are those of
@code{nar-source-read!}."
  (list->nar-result
   (call-with-tree-errors
    (lambda ()
      (%nar-summary directory name (and=> hash-algorithm symbol->string)
                    flat?)))))

(define (file-nar-hash directory name)
  "Return the SHA-256 hash, a bytevector, of the archive of the tree
@var{name} in the directory with descriptor @var{directory}.  Errors are those
of @code{nar-source-read!}."
  (nar-result-hash (file-nar-result directory name)))
