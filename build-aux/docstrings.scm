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
             (ice-9 regex)
             (ice-9 session)
             (srfi srfi-1)
             (srfi srfi-9)
             (srfi srfi-9 gnu)
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

;; 'Like this' are names in commentaries, but not the end of "builders' files".
(define %name
  (make-regexp "(^|[[:space:](])'([^ '][^']*)'($|[^[:alnum:]])"))

(define %option
  (make-regexp "--[a-z][a-z-]*"))

(define (marked-up text)
  "Return TEXT, of a commentary, as Texinfo."
  (define (code match)
    (string-append (match:substring match 1)
                   "@code{" (match:substring match 2) "}"
                   (match:substring match 3)))
  (define (option match)
    (string-append "@option{" (match:substring match) "}"))
  (regexp-substitute/global #f %option
                            (regexp-substitute/global #f %name (quoted text)
                                                      'pre code 'post)
                            'pre option 'post))

(define (kind line)
  "Return what LINE, of a commentary, is the beginning or a part of."
  (cond ((string-null? line) 'blank)
        ((string-match "^[0-9]+\\. " line) 'item)
        ((char=? #\space (string-ref line 0)) 'indented)
        (else 'text)))

(define (paragraphs lines)
  "Return LINES, of a commentary, as a list of (KIND LINE ...), KIND being
text, example or enumerate."
  (define (add line found)
    (match (cons (kind line) found)
      (('blank . found) (cons '(blank) found))
      (('item ('enumerate . lines) . rest)
       `((enumerate ,line . ,lines) . ,rest))
      (('item . found) `((enumerate ,line) . ,found))
      ((_ ('enumerate . lines) . rest) `((enumerate ,line . ,lines) . ,rest))
      (('indented ('example . lines) . rest)
       `((example ,line . ,lines) . ,rest))
      (('indented . found) `((example ,line) . ,found))
      ((_ ('text . lines) . rest) `((text ,line . ,lines) . ,rest))
      ((_ . found) `((text ,line) . ,found))))
  (reverse (map (match-lambda ((kind . lines) (cons kind (reverse lines))))
                (fold add '() lines))))

(define (item line)
  "Return LINE, of an enumeration, as Texinfo."
  (match (string-match "^[0-9]+\\. +" line)
    (#f (marked-up (string-trim line)))
    (match (string-append "@item\n" (marked-up (match:suffix match))))))

(define (paragraph->texinfo paragraph)
  (match paragraph
    (('example . lines)
     (format #f "@example~%~{~a~%~}@end example" (map quoted lines)))
    (('enumerate . lines)
     (format #f "@enumerate~%~{~a~%~}@end enumerate" (map item lines)))
    ((_ . lines)
     (marked-up (string-join lines "\n")))))

(define (commentary file)
  "Return the commentary at the top of @var{file}, as Texinfo."
  (define (unindented line)
    (if (string-prefix? " " line) (string-drop line 1) line))
  (string-join (map paragraph->texinfo
                    (paragraphs
                     (map unindented
                          (string-split (or (file-commentary file) "")
                                        #\newline))))
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

;; A number of another base than ten, as it is written: a mode of 1023 says
;; nothing to people.
(define-record-type <spelled>
  (spelled text)
  spelled?
  (text spelled-text))

(set-record-type-printer! <spelled>
  (lambda (number port) (display (spelled-text number) port)))

(define (read-spelled base port)
  "Return the number on PORT after '#' and the character BASE."
  (let loop ((text (string #\# base)))
    (let ((next (peek-char port)))
      (if (and (char? next) (char-set-contains? char-set:hex-digit next))
          (loop (string-append text (string (read-char port))))
          (spelled text)))))

(for-each (lambda (base) (read-hash-extend base read-spelled))
          '(#\b #\o #\x))

;; What the optional and keyword arguments of procedures are by default, as
;; told by the files that define them: an alist for each procedure.
(define %defaults
  (make-hash-table))

(define (note-defaults! file)
  "Note the defaults of the procedures that FILE defines."
  (define module
    (resolve-module (file->module-name file)))
  (define note!
    (match-lambda
      (('define* (name . arguments) . _)
       (hashq-set! %defaults (module-ref module name)
                   (let loop ((arguments arguments))
                     (match arguments
                       (((name default . _) . rest)
                        (acons name default (loop rest)))
                       ((_ . rest) (loop rest))
                       (_ '())))))
      (_ #f)))
  (call-with-input-file file
    (lambda (port)
      (let loop ((form (read port)))
        (unless (eof-object? form)
          (note! form)
          (loop (read port)))))))

(define (shown-default value)
  "Return the default VALUE, an expression, as it is written in programs, or
\"…\" for one with others in it."
  (match value
    (('quote datum) (format #f "'~s" datum))
    ((name arguments ...)
     (if (any (match-lambda
                (('quote _) #f)
                (argument (pair? argument)))
              arguments)
         "…"
         (format #f "(~a~{ ~a~})" name (map shown-default arguments))))
    (_ (format #f "~s" value))))

(define (default procedure name)
  "Return the default of the argument NAME, a keyword or symbol, of PROCEDURE
as Texinfo, with a blank before it; \"\" for @code{#f}."
  (match (assq-ref (hashq-ref %defaults procedure '())
                   (if (keyword? name) (keyword->symbol name) name))
    (#f "")
    (value (format #f " @code{~a}" (quoted (shown-default value))))))

(define (arguments procedure)
  "Return the names of the arguments of @var{procedure}, as Texinfo."
  (define name (match-lambda ((or (name . _) name) name)))
  (define (names field alist)
    ;; A primitive does not know the names of its arguments.
    (map name (delete '_ (or (assq-ref alist field) '()))))
  (define (shown name)
    (quoted (object->string name)))
  (define (optional name)
    (string-append "[" (shown name) (default procedure name) "]"))
  (match (procedure-arguments procedure)
    (#f "")
    (alist
     (string-join
      (append (map shown (names 'required alist))
              (map optional
                   (append (names 'optional alist) (names 'keyword alist)))
              (match (assq-ref alist 'rest)
                (#f '())
                ;; With keywords, these are what they are made of.
                ((? (lambda _ (pair? (names 'keyword alist)))) '())
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
              name name (commentary file))
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
   (for-each note-defaults! files)
   (for-each write-section files)))
