;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Steps that the calling process performs, as opposed to those of a new
;;; process, which are in (fruix process).  What they leave in the kernel is
;;; told by a receipt: plain data, so that another process can undo it, too.
;;; Code:

(define-module (fruix plan)
  #:use-module (fruix primitives)
  #:export (perform-steps
            undo-steps))

(define (perform-steps steps)
  "Perform @var{steps} of the host, a list of lists of a name, strings and
integers, in order.  Return a receipt, a list of such lists, for
@code{undo-steps}.  Raise a @code{system-error} that names the step and its
object if one fails; then all that was done before is undone."
  (%perform steps))

(define (undo-steps receipt)
  "Undo all that @var{receipt}, which @code{perform-steps} returned, tells, from
its end.  Raise the first failure as a @code{system-error}, after the rest has
been undone.  What is gone already is no failure."
  (%undo receipt))
