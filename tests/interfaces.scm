;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Every export of every module is bound, every procedure documented.

(use-modules (ice-9 ftw)
             (ice-9 match)
             (srfi srfi-1)
             (srfi srfi-64))

(define %directory
  (string-append (getenv "abs_top_srcdir") "/guile"))

(define (module-files)
  "Return the names of the files of all modules, relative to
@code{%directory}."
  (sort (file-system-fold
         (const #t)
         (lambda (file stat files)
           (if (string-suffix? ".scm" file)
               (cons (string-drop file (+ 1 (string-length %directory)))
                     files)
               files))
         (lambda (directory stat files) files)
         (lambda (directory stat files) files)
         (lambda (directory stat files) files)
         (lambda (file stat errno files) files)
         '() %directory)
        string<?))

(define (file->module-name file)
  (map string->symbol
       (string-split (string-drop-right file (string-length ".scm")) #\/)))

(define (generated-names file)
  "Return the symbols in the record and exception type definitions of
@var{file}: their procedures are documented by a comment on each field."
  (define (symbols tree)
    (match tree
      ((? symbol? name) (list name))
      ((head . tail) (append (symbols head) (symbols tail)))
      (_ '())))
  (call-with-input-file (string-append %directory "/" file)
    (lambda (port)
      (let loop ((names '()))
        (match (read port)
          ((? eof-object?) names)
          (((or 'define-record-type 'define-exception-type) . rest)
           (loop (append (symbols rest) names)))
          (_ (loop names)))))
    #:encoding "UTF-8"))

(define (faults interface exempt)
  "Return the names that @var{interface} exports without a binding, or as a
procedure without documentation, unless among the symbols @var{exempt}."
  (sort (filter-map identity
                    (module-map (lambda (name variable)
                                  (and (faulty? name variable exempt) name))
                                interface))
        (lambda (a b)
          (string<? (symbol->string a) (symbol->string b)))))

(define (faulty? name variable exempt)
  (or (not (variable-bound? variable))
      (let ((value (variable-ref variable)))
        (and (procedure? value)
             (not (parameter? value))
             (not (procedure-documentation value))
             (not (memq name exempt))))))

(test-begin "interfaces")

(for-each (lambda (file)
            (let ((name (file->module-name file)))
              (test-equal (object->string name) '()
                (faults (resolve-interface name) (generated-names file)))))
          (module-files))

(test-equal "(fruix config)" '()
  (faults (resolve-interface '(fruix config)) '()))

(test-equal "an undocumented procedure and an unbound export are found"
  '(bare ghost)
  (let ((module (make-module)))
    (module-define! module 'bare (lambda () 1))
    (module-define! module 'told (lambda () "Return two." 2))
    (module-add! module 'ghost (make-undefined-variable))
    (faults module '())))

(test-end "interfaces")
