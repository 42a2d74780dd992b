;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Busy items: those that some process uses, as its program, working
;;; directory, open file or mapping, or names in its environment.
;;; Code:

(define-module (fruix store busy)
  #:use-module (fruix mentions)
  #:export (busy-items))

(define (busy-items directory item?)
  "Return the items of the logical store @var{directory}, among those of which
the procedure @var{item?} is true, that running processes use, as far as this
one may look at them; an item appears once for each of its users.  That a name
occurs is enough, whatever root directory a process has.  Raise a
@code{system-error} if the system does not tell."
  ;; One process after the other, so that none can make up more names than
  ;; memory has room for.
  (let loop ((processes (list-processes))
             (items '()))
    (if (null? processes)
        items
        (loop (cdr processes)
              (append (filter item?
                              (map (lambda (name)
                                     (string-append directory "/" name))
                                   (process-mentions (car processes)
                                                     directory)))
                      items)))))
