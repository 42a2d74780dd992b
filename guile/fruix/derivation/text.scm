;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Derivations as records and as the text of .drv files.
;;;
;;;   Derive([OUTPUT,…],[INPUT,…],[SOURCE,…],
;;;          SYSTEM,BUILDER,[ARGUMENT,…],[VARIABLE,…])        (in one line)
;;;
;;; All strings are octet strings.  One derivation has one text: the reader
;;; accepts exactly what the writer writes, in one pass by index, so that no
;;; two programs read a .drv differently.  Hence it refuses what guix-daemon
;;; tolerates but no client writes: needless escapes, bare control characters
;;; that have an escape, lists out of order.  It is bounded by
;;; '%maximum-derivation-size' and, in each list, '%maximum-list-length'.
;;; Code:

(define-module (fruix derivation text)
  #:use-module (fruix errors)
  #:use-module (ice-9 format)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-9)
  #:export (<derivation-output>
            make-derivation-output
            derivation-output?
            derivation-output-name
            derivation-output-path
            derivation-output-algorithm-field
            derivation-output-hash-field

            <derivation>
            %make-derivation
            derivation?
            derivation-outputs
            derivation-inputs
            derivation-sources
            derivation-system
            derivation-builder
            derivation-arguments
            derivation-environment

            %maximum-derivation-size
            string->derivation
            derivation->string))

(define-record-type <derivation-output>
  (make-derivation-output name path algorithm-field hash-field)
  derivation-output?
  (name            derivation-output-name)            ;string: "out", "lib"…
  (path            derivation-output-path)            ;store file name or ""
  (algorithm-field derivation-output-algorithm-field) ;"", "sha256", "r:sha1"…
  (hash-field      derivation-output-hash-field))     ;hexadecimal or ""

(define-record-type <derivation>
  (%make-derivation outputs inputs sources system builder arguments
                    environment)
  derivation?
  (outputs     derivation-outputs)      ;<derivation-output>s, sorted by name
  (inputs      derivation-inputs)       ;((DRV OUTPUT …) …), all sorted
  (sources     derivation-sources)      ;store file names, sorted
  (system      derivation-system)       ;string: "x86_64-linux"…
  (builder     derivation-builder)      ;file name or "builtin:NAME"
  (arguments   derivation-arguments)    ;list of strings
  (environment derivation-environment)) ;((NAME . VALUE) …), sorted by name

;; Characters of a text, that is bytes.  The largest .drv of Guix have a few
;; hundred thousand.
(define %maximum-derivation-size (* 16 1024 1024))

;; Elements of any one list.
(define %maximum-list-length 65536)

;; Each character that is written as a backslash and another, and that other.
(define %escapes
  '((#\" . #\") (#\\ . #\\) (#\newline . #\n) (#\return . #\r) (#\tab . #\t)))

(define %special
  (apply char-set #\nul (map car %escapes)))


;;
;; Reading.  The procedures take the text and an index, and return what they
;; read and the index after it.
;;

(define (malformed index template . arguments)
  (fail "invalid derivation, at byte ~a: ~a"
        index (apply format #f template arguments)))

(define (expect text index token)
  "Return the index after @var{token}, which must be in @var{text} at
@var{index}."
  (let ((end (+ index (string-length token))))
    (if (and (<= end (string-length text))
             (string= token text 0 (string-length token) index end))
        end
        (malformed index "expected ~s" token))))

(define (read-escape text index)
  "Return the character that the escape at @var{index} in @var{text}, a
backslash, stands for."
  (when (= (+ index 1) (string-length text))
    (malformed index "unterminated string"))
  (let ((letter (string-ref text (+ index 1))))
    (or (let loop ((escapes %escapes))
          (match escapes
            (() #f)
            (((char . escape) . rest)
             (if (char=? escape letter) char (loop rest)))))
        (malformed index "invalid escape sequence"))))

(define (read-string text index)
  (let loop ((start (expect text index "\"")) (pieces '()))
    (let* ((end (or (string-index text %special start)
                    (malformed index "unterminated string")))
           (pieces (cons (substring text start end) pieces)))
      (match (string-ref text end)
        (#\"
         (values (if (null? (cdr pieces))
                     (car pieces)
                     (string-concatenate-reverse pieces))
                 (+ end 1)))
        (#\\
         (loop (+ end 2)
               (cons (string (read-escape text end)) pieces)))
        (char
         (malformed end "bare character ~s in a string" char))))))

(define (read-path text index)
  (call-with-values (lambda () (read-string text index))
    (lambda (path end)
      (if (string-prefix? "/" path)
          (values path end)
          (malformed index "~s is not an absolute file name" path)))))

(define (read-list text index read-element)
  "Read a bracketed list in @var{text} at @var{index}, each of its elements by
@var{read-element}."
  (define (next elements count index)
    (when (= count %maximum-list-length)
      (malformed index "more than ~a elements" %maximum-list-length))
    (call-with-values (lambda () (read-element text index))
      (lambda (element end)
        (let ((elements (cons element elements)))
          (if (followed-by? text end #\,)
              (next elements (+ count 1) (+ end 1))
              (values (reverse elements) (expect text end "]")))))))
  (let ((start (expect text index "[")))
    (if (followed-by? text start #\])
        (values '() (+ start 1))
        (next '() 0 start))))

(define (followed-by? text index char)
  (and (< index (string-length text))
       (char=? char (string-ref text index))))

(define (read-sorted-list text index what read-element key)
  "Like @code{read-list}, for elements that must be in ascending order of the
string @var{key} gives for each, without duplicates.  @var{what} is what an
error calls them."
  (define (check elements)
    (match elements
      ((first . (second . _))
       (unless (string<? (key first) (key second))
         (malformed index "~a ~s and ~s are duplicate or not in order"
                    what (key first) (key second)))
       (check (cdr elements)))
      (_ #t)))
  (call-with-values (lambda () (read-list text index read-element))
    (lambda (elements end)
      (check elements)
      (values elements end))))

(define-syntax read-sequence
  ;; Read by turns: literal tokens, and variables with how to read them; then
  ;; return the value of the last expression, and the index.
  (syntax-rules (=>)
    ((_ text index => result)
     (values result index))
    ((_ text index (variable read argument ...) rest ...)
     (call-with-values (lambda () (read text index argument ...))
       (lambda (variable end)
         (read-sequence text end rest ...))))
    ((_ text index token rest ...)
     (let ((end (expect text index token)))
       (read-sequence text end rest ...)))))

(define (read-output text index)
  (read-sequence text index
                 "(" (name read-string) "," (path read-path)
                 "," (algorithm read-string) "," (hash read-string) ")"
                 => (make-derivation-output name path algorithm hash)))

(define (read-input text index)
  (read-sequence text index
                 "(" (file read-path) ","
                 (outputs read-sorted-list "outputs" read-string identity)
                 ")"
                 => (cons file outputs)))

(define (read-variable text index)
  (read-sequence text index
                 "(" (name read-string) "," (value read-string) ")"
                 => (cons name value)))

(define (string->derivation text)
  "Return the @code{<derivation>} that @var{text}, an octet string, describes.
Anything but the exact form raises a @code{&fruix-error} that says at which
byte: see the commentary of this module."
  (when (> (string-length text) %maximum-derivation-size)
    (fail "derivation of ~a bytes: more than ~a"
          (string-length text) %maximum-derivation-size))
  (call-with-values
      (lambda ()
        (read-sequence
         text 0
         "Derive(" (outputs read-sorted-list "outputs"
                            read-output derivation-output-name)
         "," (inputs read-sorted-list "inputs" read-input car)
         "," (sources read-sorted-list "sources" read-path identity)
         "," (system read-string)
         "," (builder read-string)
         "," (arguments read-list read-string)
         "," (environment read-sorted-list "variables" read-variable car)
         ")"
         => (%make-derivation outputs inputs sources system builder
                              arguments environment)))
    (lambda (derivation end)
      (unless (= end (string-length text))
        (malformed end "text after the derivation"))
      derivation)))


;;
;; Writing.
;;

(define (escape text)
  (let loop ((start 0) (pieces '()))
    (match (string-index text %special start)
      (#f
       (string-concatenate-reverse (cons (substring text start) pieces)))
      (index
       (let ((char (string-ref text index)))
         (loop (+ index 1)
               (cons* (string #\\ (or (assv-ref %escapes char)
                                      (fail "NUL in a derivation: ~s" text)))
                      (substring text start index)
                      pieces)))))))

(define (quoted text)
  (string-append "\"" (if (string-index text %special) (escape text) text)
                 "\""))

(define (tuple . fields)
  (string-append "(" (string-join fields ",") ")"))

(define (bracketed write-element elements)
  (string-append "[" (string-join (map write-element elements) ",") "]"))

(define (write-output output)
  (match output
    (($ <derivation-output> name path algorithm hash)
     (tuple (quoted name) (quoted path) (quoted algorithm) (quoted hash)))))

(define (write-input input)
  (match input
    ((file . outputs)
     (tuple (quoted file) (bracketed quoted outputs)))))

(define (write-variable variable)
  (match variable
    ((name . value)
     (tuple (quoted name) (quoted value)))))

(define (derivation->string derivation)
  "Return the text of @var{derivation}, a @code{<derivation>}, as an octet
string.  A NUL character in one of its strings raises a @code{&fruix-error}."
  (match derivation
    (($ <derivation> outputs inputs sources system builder arguments
        environment)
     (string-append "Derive"
                    (tuple (bracketed write-output outputs)
                           (bracketed write-input inputs)
                           (bracketed quoted sources)
                           (quoted system)
                           (quoted builder)
                           (bracketed quoted arguments)
                           (bracketed write-variable environment))))))
