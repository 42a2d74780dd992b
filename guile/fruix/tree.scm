;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; File trees on disk, as one: take over what a builder left, copy, remove.
;;; A tree is named by the descriptor of a directory and the name of an entry
;;; in it.  Trees are taken for hostile: no link in them is followed, nothing
;;; but regular files and directories is opened, and names are looked up in
;;; open directories only.
;;; Code:

(define-module (fruix tree)
  #:use-module (fruix nar)
  #:use-module (fruix primitives)
  #:use-module ((fruix tree-error) #:select (call-with-tree-errors))
  #:use-module (ice-9 match)
  #:export (tree-exists?
            expected-owner
            ingest-tree!
            copy-tree!
            list-directory
            delete-tree!
            exchange-trees!
            hand-over-tree!))

(define (tree-exists? directory name)
  "Return true if there is a file or tree @var{name}, whatever it is, in the
directory with descriptor @var{directory}; raise a @code{system-error} if that
cannot be told."
  (%entry-exists? directory name))

(define* (expected-owner uid #:key stop)
  "Return an object for @code{ingest-tree!} and @code{copy-tree!}: the files
of the trees for which it is used must be of the user with number @var{uid},
or of anybody if that is @code{#f}.  Files that several of these trees have in
common, as hard links, are known to it.  When @var{stop}, a descriptor, is
readable, these procedures give up, soon, with the @code{system-error}
@code{ECANCELED}."
  (%make-ownership uid stop))

(define (->ownership owner)
  (if (or (not owner) (integer? owner))
      (expected-owner owner)
      owner))

(define* (ingest-tree! directory name
                       #:key links-fd (candidates '()) owner hash-algorithm
                       flat?)
  "Take over the tree @var{name} in the directory with descriptor
@var{directory}, in one pass: refuse what does not belong into the store,
bring metadata into canonical form (modes 0444 and 0555, modified one second
after the epoch, owned by this process, without access control lists and
attributes), hash, look for references, share files.  Return the
@code{<nar-result>}.

@var{owner} is a user number, @code{#f}, or from @code{expected-owner}.
@var{candidates} is a list of hash parts, strings of 32 characters, to look
for in the archive of the tree.  @var{links-fd}, @var{hash-algorithm} and
@var{flat?} are as for @code{open-nar-restorer}; there is no digest if
@var{flat?} is true and the tree is not one regular file.  Nobody else may be
able to change the tree any more.  Raise a @code{&tree-error} if the tree is
refused."
  (match (call-with-tree-errors
          (lambda ()
            (%ingest-tree directory name links-fd
                          (and=> hash-algorithm symbol->string) flat?
                          candidates (->ownership owner))))
    ((references . fields)
     (list->nar-result fields references))))

(define* (copy-tree! from name to new-name #:key owner (replacements '()))
  "Copy the tree @var{name} in the directory with descriptor @var{from} to
@var{new-name}, which must not exist, in that with descriptor @var{to}.  All
files of the copy are new and in canonical form, so that nobody else has one
open.  Hash parts that are keys of the alist @var{replacements} are replaced by
its values, all strings of 32 characters, wherever they are in names, targets
of symbolic links and contents.  @var{owner} and errors are as for
@code{ingest-tree!}."
  (call-with-tree-errors
   (lambda ()
     (%copy-tree from name to new-name (->ownership owner) replacements))))

(define* (delete-tree! directory name #:key (links 1))
  "Remove the file or tree @var{name} in the directory with descriptor
@var{directory}, whatever its depth and modes, and return the number of bytes
given back: those of files with at most @var{links} links.  Where something
is mounted, raise a @code{system-error} or @code{&tree-error}; the rest of the
tree is then partly removed."
  (call-with-tree-errors
   (lambda () (%delete-tree directory name links))))

(define (exchange-trees! directory name other other-name)
  "Let the trees @var{name}, in the directory with descriptor @var{directory},
and @var{other-name}, in that with descriptor @var{other}, change places, such
that neither name is missing at any moment, and return true; or @code{#f}
where that is not possible, as on FreeBSD.  Raise a @code{system-error} if one
of them is missing, or cannot be moved (renameat2(2))."
  (%exchange directory name other other-name))

(define (list-directory directory)
  "Return a list of what is in the directory with descriptor @var{directory}:
lists of a name, an octet string; a type, @code{regular}, @code{directory},
@code{symlink} or @code{other}; the mode, without the type; the number of the
owner; and the size in bytes.  Raise a @code{system-error} if it cannot be
read (readdir(3))."
  (%list-directory directory))

(define (hand-over-tree! directory name owner group mode)
  "Give the tree @var{name} in the directory with descriptor @var{directory} to
the user and group with numbers @var{owner} and @var{group}, each directory
after what is in it; but not what has another owner than its top.  Set-id bits,
and everybody's right to write, are taken from its files first, and the top, a
directory, gets @var{mode}; symbolic links change hands but are not followed.
Nobody may be changing the tree.  Raise a @code{system-error} on failure:
@code{EPERM} without the privilege to give files away (fchownat(2)), before any
has changed hands; @code{ENAMETOOLONG} if directories are nested more than 512
deep.  Directories that then have not changed hands have the modes they had."
  (%hand-over-tree directory name owner group mode))
