;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; 'fruix path-info': what the daemon knows of store items.
;;; Code:

(define-module (fruix scripts path-info)
  #:use-module (fruix base16)
  #:use-module (fruix base32)
  #:use-module (fruix client)
  #:use-module (fruix scripts support)
  #:use-module ((fruix scripts text) #:select (size->text))
  #:use-module (ice-9 format)
  #:export (main))

(define %options
  (list (flag 'recursive #\r "recursive")))

(define %help "\
Usage: fruix path-info [OPTION]… ITEM…
Tell what the daemon knows of each store ITEM: its size as an archive, its
hash, what derivation it came from and what it refers to.

  -r, --recursive        list the sizes of the items and of all that they
                         refer to, and the total
")

(define (display-info info)
  (format #t "~a
  size:       ~a
  hash:       sha256:~a
  registered: ~a
  deriver:    ~a
  references:~a~{~%    ~a~}~%"
          (path-info-path info)
          (size->text (path-info-nar-size info))
          (bytevector->nix-base32-string
           (base16-string->bytevector (path-info-hash info)))
          (strftime "%Y-%m-%d %H:%M:%S"
                    (localtime (path-info-registration-time info)))
          (or (path-info-deriver info) "none known")
          (if (null? (path-info-references info)) " none" "")
          (path-info-references info)))

(define (display-closure daemon items)
  (let ((sizes (map (lambda (item)
                      (path-info-nar-size (query-path-info daemon item)))
                    items)))
    (for-each (lambda (item size)
                (format #t "~11@a  ~a~%" (size->text size) item))
              items sizes)
    (format #t "~11@a  total of ~a item~:p~%"
            (size->text (apply + sizes)) (length items))))

(define (main arguments)
  "Tell about the store items that @var{arguments}, a list of strings, names.
Return the exit code."
  (run-command
   "fruix path-info" arguments %options %help
   (lambda (options items)
     (when (null? items)
       (usage-error "no store item given"))
     (call-with-daemon options
       (lambda (daemon)
         (if (assq-ref options 'recursive)
             (display-closure daemon (requisites daemon items))
             (for-each (lambda (item)
                         (display-info (query-path-info daemon item)))
                       items)))))))
