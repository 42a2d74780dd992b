;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Write the reference chapter of the manual from commentaries and
;;; docstrings: docstrings.scm FILE.scm...
;;;
;;; Each module is a section: its commentary, its documented procedures and
;;; macros, and the names of what its records define.  Docstrings are Texinfo
;;; already.
;;; Code:

(use-modules (ice-9 documentation)
             (ice-9 format)
             (ice-9 match)
             (ice-9 session)
             (srfi srfi-1)
             (srfi srfi-11))

(define (file->module-name file)
  "Return the name of the module in @var{file}, @code{.../guile/NAME.scm}."
  (let ((start (+ (string-contains file "guile/") (string-length "guile/")))
        (end (string-contains file ".scm")))
    (map string->symbol (string-split (substring file start end) #\/))))

(define (quoted text)
  "Return @var{text} with the characters that Texinfo takes for markup
quoted."
  (string-concatenate
   (map (lambda (c)
          (if (memv c '(#\@ #\{ #\})) (string #\@ c) (string c)))
        (string->list text))))

(define (commentary file)
  "Return the commentary at the top of @var{file}, as Texinfo."
  (define (unindented line)
    (if (string-prefix? " " line) (string-drop line 1) line))
  (string-join (map unindented
                    (string-split (or (file-commentary file) "") #\newline))
               "\n"))

(define (exports interface)
  "Return the exports of @var{interface}, a list of (NAME . VALUE) by name."
  (sort (module-map (lambda (name variable)
                      (cons name (variable-ref variable)))
                    interface)
        (lambda (a b)
          (string<? (symbol->string (car a)) (symbol->string (car b))))))

(define (documentation value)
  "Return the docstring of @var{value}, a procedure or macro, or @code{#f}."
  (cond ((procedure? value) (procedure-documentation value))
        ((macro? value) (procedure-documentation (macro-transformer value)))
        (else #f)))

(define (arguments procedure)
  "Return the names of the arguments of @var{procedure}, as Texinfo."
  (define (names field alist)
    (map (match-lambda
           ((or (name . _) name) (quoted (object->string name))))
         ;; A primitive does not know the names of its arguments.
         (delete '_ (or (assq-ref alist field) '()))))
  (match (procedure-arguments procedure)
    (#f "")
    (alist
     (string-join
      (append (names 'required alist)
              (map (lambda (name) (string-append "[" name "]"))
                   (append (names 'optional alist) (names 'keyword alist)))
              (match (assq-ref alist 'rest)
                (#f '())
                (rest (list (object->string rest) "@dots{}"))))))))

(define (write-definition name value)
  (format #t "@deffn ~a ~a ~a~%~a~%@end deffn~2%"
          (if (macro? value) "Macro" "Procedure")
          (quoted (symbol->string name))
          (if (procedure? value) (arguments value) "")
          (documentation value)))

(define (write-section file)
  (let ((name (file->module-name file)))
    (let-values (((told plain)
                  (partition (match-lambda
                               ((_ . value) (documentation value)))
                             (exports (resolve-interface name)))))
      (format #t "@node ~{~a~^ ~}~%@section @code{(~{~a~^ ~})}~2%~a~2%"
              name name (quoted (commentary file)))
      (for-each (match-lambda ((name . value) (write-definition name value)))
                told)
      (unless (null? plain)
        (format #t "Constants, records and conditions: ~{@code{~a}~^, ~}.~2%"
                (map (match-lambda
                       ((name . _) (quoted (symbol->string name))))
                     plain))))))

(match (command-line)
  ((_ . files)
   (format #t "@menu~%~{* ~a::~%~}@end menu~2%"
           (map (lambda (file)
                  (string-join (map symbol->string (file->module-name file))))
                files))
   (for-each write-section files)))
