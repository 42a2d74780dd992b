;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Many files at once, in directories given by their descriptors.  Names are
;;; octet strings.
;;; Code:

(define-module (fruix bulk)
  #:use-module ((fruix octets) #:select (octets->bytevector))
  #:use-module (fruix primitives)
  #:use-module (ice-9 match)
  #:export (list-entries
            move-entries!
            sweep-links!))

(define (list-entries directory)
  "Return the sorted names of what is in the directory with descriptor
@var{directory}.  Raise a @code{system-error} on failure (readdir(3))."
  (%list-entries directory))

(define (move-entries! from names to)
  "Move the entries @var{names}, a list, of the directory with descriptor
@var{from} into that with descriptor @var{to}, under the same names.  Return
an association list of those that could not be moved and the errno of each
(renameat(2)); @code{ENOENT} is that of an entry that does not exist.
Directories may become writable to their owner."
  (%renameat from (map octets->bytevector names) to))

(define (sweep-links! directory smallest time)
  "Unlink those regular files in the directory with descriptor @var{directory}
that have no other name, or less than @var{smallest} bytes; and names that begin
with a full stop, if their files got no link since @var{time}, in seconds since
the epoch.  Return two values: the number of bytes given back, and that of the
bytes which files share, through the other entries, with more than one name
beside those.  Raise a @code{system-error} on failure (unlinkat(2))."
  (match (%sweep-links directory smallest time)
    ((freed . saved) (values freed saved))))
