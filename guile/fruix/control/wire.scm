;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; How the control protocol writes data: a line is a message, a message an
;;; S-expression with its version:
;;;
;;;   (fruix-control (version 0) (ps))
;;;   (fruix-control-reply (version 0) (ps BUILD ...))
;;;
;;; There are lists, strings, symbols and natural numbers, and no other way to
;;; write them.  This is not 'read', which understands more than one would let
;;; a stranger say.
;;; Code:

(define-module (fruix control wire)
  #:use-module (fruix octets)
  #:use-module (ice-9 binary-ports)
  #:use-module (ice-9 match)
  #:use-module (rnrs bytevectors)
  #:export (read-message
            write-message
            text->datum))

;;
;; Text.
;;

(define %atom-characters
  (string->char-set "abcdefghijklmnopqrstuvwxyz0123456789-?!"))

(define (atom text)
  "Return what TEXT, a string of atom characters, stands for, or #f."
  (cond ((not (string-every char-set:digit text)) (string->symbol text))
        ((<= (string-length text) 18) (string->number text 10))
        (else #f)))

(define (string-end text start)
  "Return the index of the quotation mark that ends the string which begins at
START, the index after the first one, or #f."
  (match (string-index text (char-set #\" #\\) start)
    (#f #f)
    (index (if (char=? #\" (string-ref text index))
               index
               (and (< (+ index 2) (string-length text))
                    (string-end text (+ index 2)))))))

(define (unescape text)
  (let loop ((chars (string->list text)) (result '()))
    (match chars
      (() (reverse-list->string result))
      ((#\\ #\n . rest) (loop rest (cons #\newline result)))
      ((#\\ char . rest) (loop rest (cons char result)))
      ((char . rest) (loop rest (cons char result))))))

(define (text->datum text)
  "Return the one datum that the string @var{text} stands for, or @code{#f}."
  ;; STACK holds the items of the open lists, inner lists and later items
  ;; first; the outermost one is the text itself.
  (let loop ((start 0) (stack '(())))
    (define (add item end)
      (and item
           (match stack
             ((items . outer) (loop end (cons (cons item items) outer))))))
    (if (= start (string-length text))
        (match stack
          (((datum)) datum)
          (_ #f))
        (match (string-ref text start)
          (#\space (loop (+ start 1) stack))
          (#\( (loop (+ start 1) (cons '() stack)))
          (#\) (match stack
                 ((items outer . rest)
                  (loop (+ start 1)
                        (cons (cons (reverse items) outer) rest)))
                 (_ #f)))
          (#\" (match (string-end text (+ start 1))
                 (#f #f)
                 (end (add (unescape (substring text (+ start 1) end))
                           (+ end 1)))))
          (_ (let ((end (or (string-skip text %atom-characters start)
                            (string-length text))))
               (and (< start end)
                    (add (atom (substring text start end)) end))))))))

(define (escape text)
  (string-concatenate
   (map (match-lambda
          (#\newline "\\n")
          ((and char (or #\" #\\)) (string #\\ char))
          (char (string char)))
        (string->list text))))

(define (datum->text datum)
  "Return @var{datum}, of symbols, natural numbers, strings and lists, as a
string without newlines."
  (match datum
    ((? string?) (string-append "\"" (escape datum) "\""))
    ((? symbol?) (symbol->string datum))
    ((? number?) (number->string datum))
    ((items ...)
     (string-append "(" (string-join (map datum->text items) " ") ")"))))

;;
;; Messages.
;;

(define (read-line-bytes port limit)
  "Return the bytes of the next line on PORT, latest first; the end-of-file
object if there is none; or #f if there are more than LIMIT."
  (let loop ((bytes '()) (size 0))
    (match (get-u8 port)
      ((? eof-object? eof) (if (null? bytes) eof #f))
      (10 bytes)
      (byte (and (< size limit)
                 (loop (cons byte bytes) (+ size 1)))))))

(define* (read-message port tag #:optional (limit 4096))
  "Return the body of the next message on @var{port}, a binary input port.
@code{#f} stands for one that is not headed by the symbol @var{tag} and our
version, malformed, or of more than @var{limit} bytes, the end-of-file object
for the end."
  (match (read-line-bytes port limit)
    (#f #f)
    ((? eof-object? eof) eof)
    (bytes
     (match (text->datum
             (octets->text
              (bytevector->octets (u8-list->bytevector (reverse bytes)))))
       (((? symbol? head) ('version 0) body)
        (and (eq? head tag) body))
       (_ #f)))))

(define (write-message port tag body)
  "Write @var{body}, a datum, as a message with the head @var{tag}, a symbol,
on @var{port}, a binary output port."
  (put-bytevector port
                  (string->utf8
                   (string-append (datum->text `(,tag (version 0) ,body))
                                  "\n")))
  (force-output port))
