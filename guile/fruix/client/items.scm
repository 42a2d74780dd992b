;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Putting items in the daemon's store, getting them out, and keeping them.
;;; Code:

(define-module (fruix client items)
  #:use-module ((fruix client archive) #:select (write-archive))
  #:use-module (fruix client connection)
  #:use-module ((fruix errors) #:select (fail))
  #:use-module (fruix protocol wire)
  #:export (add-text-to-store
            add-to-store
            export-path
            add-temp-root
            add-indirect-root))

(define* (add-text-to-store connection name text #:optional (references '()))
  "Add a file called @var{name} with the contents @var{text}, a string or a
bytevector, which refers to the store items @var{references}.  Return its
store file name."
  (call-operation connection 8
                  (lambda (port)
                    (write-text port name)
                    (if (string? text)
                        (write-text port text)
                        (write-bytes port text))
                    (write-text-list port references))
                  read-text))

(define* (add-to-store connection file
                       #:key (name (basename file)) (recursive? #t)
                       (algorithm 'sha256) (select? (const #t)))
  "Add @var{file}, a file name, to the store under @var{name}, and return its
store file name.  With @var{recursive?} it can be of any type and its archive
is hashed; else it must be a regular file, and its contents are.
@var{algorithm} is a symbol such as @code{sha256}.  From a directory only
those files are taken for which @var{select?}, called with a file name and
what @code{lstat} returns for it, is true."
  ;; Before anything is sent: a wrong name does not cost the connection.
  (unless (or (eq? 'regular (stat:type (lstat file))) recursive?)
    (fail "'~a' is not a regular file" file))
  (call-operation connection 7
                  (lambda (port)
                    (write-text port name)
                    (write-boolean port #t)
                    (write-boolean port recursive?)
                    (write-text port (symbol->string algorithm))
                    (write-archive port file select?))
                  read-text))

(define* (export-path connection path port #:key (sign? #t))
  "Write the valid store item @var{path}, with what another store needs to
know about it, on @var{port}, an output port; signed, unless @var{sign?} is
false."
  (call-operation connection 16
                  (lambda (wire)
                    (write-text wire path)
                    (write-boolean wire sign?))
                  read-done
                  #:sink port))

(define-operation (add-temp-root (path write-text)) 11 read-done
  "Keep @var{path}, a store file name, from being collected as garbage while
the connection is open.")

(define-operation (add-indirect-root (file write-text)) 12 read-done
  "Keep the store item to which @var{file}, the absolute name of a symbolic
link, points from being collected as long as it does.")
