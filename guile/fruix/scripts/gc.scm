;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; 'fruix gc': space in the store, and what takes it or keeps it.
;;; Code:

(define-module (fruix scripts gc)
  #:use-module (fruix client)
  #:use-module (fruix scripts progress)
  #:use-module (fruix scripts support)
  #:use-module (fruix scripts text)
  #:use-module (ice-9 format)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:export (main))

(define %options
  (list (size-valued 'free "free")
        (flag 'list-dead "list-dead")
        (flag 'list-live "list-live")
        (flag 'list-roots "list-roots")))

(define %help "\
Usage: fruix gc [OPTION]… [ITEM…]
Delete what nobody needs from the store; with store ITEMs, only these and what
refers to them.

      --free=SIZE        stop when SIZE was freed, such as 500M or 20GB: KiB
                         MiB GiB TiB, also K M G T, or kB MB GB TB, or bytes
      --list-dead        only list what would be deleted
      --list-live        only list what is needed
      --list-roots       only list what keeps items, and which items
")

(define (delete proc)
  "Call PROC, which returns a list of deleted paths and the bytes that were
freed, telling what the daemon says meanwhile, and then how much it was."
  (call-with-values
      (lambda () (call-with-progress proc))
    (lambda (paths freed)
      (format (current-error-port) "freed ~a, deleted ~a item~:p~%"
              (size->text freed) (length paths)))))

(define (display-paths paths)
  (format #t "~{~a~%~}" paths))

(define (display-roots roots)
  ;; Users give links the names that they like.
  (for-each (match-lambda
              ((file . item)
               (format #t "~a -> ~a~%" (printable file) item)))
            roots))

(define (display-list daemon option)
  "List what OPTION, a key, asks for, without what the daemon says of it."
  (define (quietly proc)
    (parameterize ((current-build-output-port (%make-void-port "w")))
      (proc daemon)))
  (match option
    ('list-dead (display-paths (quietly dead-paths)))
    ('list-live (display-paths (quietly live-paths)))
    ('list-roots (display-roots (find-roots daemon)))))

(define (check-usage options items)
  "Raise an error if OPTIONS, keys of options, and ITEMS do not go together."
  (match options
    (() #t)
    ((option)
     (unless (null? items)
       (usage-error "'--~a' does not go with items" option)))
    ((option another . _)
     (usage-error "'--~a' does not go with '--~a'" option another))))

(define (main arguments)
  "Collect garbage, or list what @var{arguments}, a list of strings, asks for.
Return the exit code."
  (run-command
   "fruix gc" arguments %options %help
   (lambda (options items)
     (define asked
       (filter (lambda (key) (assq key options))
               '(list-dead list-live list-roots free)))
     (check-usage asked items)
     (call-with-daemon options
       (lambda (daemon)
         (match (list asked items)
           ((() ())
            (delete (lambda () (collect-garbage daemon))))
           ((('free) ())
            (delete (lambda ()
                      (collect-garbage daemon #:min-freed
                                       (assq-ref options 'free)))))
           ((() _)
            (delete (lambda () (delete-paths daemon items))))
           (((option) ())
            (display-list daemon option))))))))
