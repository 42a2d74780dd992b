;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; 'fruix log': what a build wrote.
;;; Code:

(define-module (fruix scripts log)
  #:use-module (fruix client control)
  #:use-module ((fruix errors) #:select (fail))
  #:use-module ((fruix gzip) #:select (gunzip-file))
  #:use-module (fruix scripts support)
  #:use-module (ice-9 match)
  #:export (main))

(define %help "\
Usage: fruix log [OPTION]… ITEM
Print the log of the build of ITEM, a .drv or an output of one.
")

(define (main arguments)
  "Print the log of the item that @var{arguments}, a list of strings, names.
Return the exit code."
  (run-command
   "fruix log" arguments '() %help
   (lambda (options items)
     (match items
       ((item)
        (call-with-daemon options
          (lambda (daemon)
            (gunzip-file (or (log-file daemon item)
                             (fail "there is no log for '~a'" item))
                         (current-output-port)))))
       (_ (usage-error "exactly one item is wanted"))))))
