;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Command lines as GNU argp reads them: long options may be abbreviated and
;;; have their argument after "=" or in the next word, short ones may be
;;; joined.  A list of options says what is accepted, and gives the texts of
;;; --help and --usage.
;;;
;;; This is pure: what is wrong with a command line is an exception.
;;; Code:

(define-module (fruix scripts command-line)
  #:use-module (fruix errors)
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:export (usage-error
            usage-error?
            make-option
            parse-command-line
            option-value
            option-values
            help-text
            usage-text))

(define-exception-type &usage-error &fruix-error
  make-usage-error
  usage-error?)

(define (usage-error template . arguments)
  "Raise a @code{&usage-error}, which says what is wrong with a command line:
@var{template} with @var{arguments} put in as by @code{format}."
  (raise-exception
   (make-usage-error (apply format #f template arguments))))

(define-record-type <option>
  (make-option names kind placeholder key parse documentation)
  option?
  (names option-names)                  ;characters, then strings
  (kind option-kind)                    ;none, required, optional or last
  (placeholder option-placeholder)      ;string that stands for the argument
  (key option-key)                      ;symbol
  (parse option-parse)                  ;NAME, ARGUMENT -> value
  (documentation option-documentation)) ;string, or #f to hide it

;; The option that is 'last' has no argument, and what follows it is ignored:
;; --help.

(define (long-names option)
  (filter string? (option-names option)))

(define (short-names option)
  (filter char? (option-names option)))


;;;
;;; Parsing.
;;;

(define (find-long options name)
  "Return the option of OPTIONS that NAME, perhaps abbreviated, stands for."
  (define (candidates matches?)
    (filter (lambda (option) (any matches? (long-names option))) options))
  (match (candidates (lambda (long) (string=? name long)))
    ((option . _) option)
    (()
     (match (candidates (lambda (long) (string-prefix? name long)))
       ((option) option)
       (() (usage-error "unrecognized option `--~a'" name))
       (several
        (usage-error "option `--~a' is ambiguous:~{ `--~a'~}" name
                     (map (lambda (option)
                            (find (lambda (long) (string-prefix? name long))
                                  (long-names option)))
                          several)))))))

(define (find-short options char)
  (or (find (lambda (option) (memv char (option-names option))) options)
      (usage-error "invalid option -- `~a'" char)))

(define (take-argument option shown inline rest)
  "Return the argument of OPTION, or #f, and the words that remain of REST.
INLINE is what was joined to the option, called SHOWN, or #f."
  (match (list (option-kind option) inline rest)
    (((or 'none 'last) #f _) (values #f rest))
    (((or 'none 'last) _ _)
     (usage-error "option `~a' doesn't allow an argument" shown))
    (('required #f (argument . rest)) (values argument rest))
    (('required #f ())
     (usage-error "option `~a' requires an argument" shown))
    ((_ _ _) (values inline rest))))

(define (split-long word)
  "Return the name of the long option in WORD and what follows its \"=\", or
#f."
  (match (string-index word #\=)
    (#f (values (string-drop word 2) #f))
    (index (values (substring word 2 index)
                   (string-drop word (+ index 1))))))

(define (split-short options word rest)
  "Return the first option of WORD, joined short ones, its argument, and the
words that remain with REST."
  (let* ((option (find-short options (string-ref word 1)))
         (tail (string-drop word 2))
         (more? (not (string-null? tail))))
    (if (and more? (memq (option-kind option) '(none last)))
        (values option #f (cons (string-append "-" tail) rest))
        (call-with-values
            (lambda ()
              (take-argument option (string-take word 2)
                             (and more? tail) rest))
          (lambda (argument rest) (values option argument rest))))))

(define (next-option options word rest)
  "Return the option in WORD, its argument or #f, and the words that remain."
  (if (string-prefix? "--" word)
      (call-with-values (lambda () (split-long word))
        (lambda (name inline)
          (let ((option (find-long options name)))
            (call-with-values
                (lambda ()
                  (take-argument option
                                 (string-append "--"
                                                (first (long-names option)))
                                 inline rest))
              (lambda (argument rest) (values option argument rest))))))
      (split-short options word rest)))

(define (option-word? word)
  (and (string-prefix? "-" word)
       (< 1 (string-length word))))

(define (too-much word)
  (usage-error "unexpected argument `~a'" word))

(define* (parse-command-line options words #:optional operand-key)
  "Return what @var{words}, a list of strings, say according to
@var{options}, as an alist from the keys of options to their values, the last
first; words that are no options are values of @var{operand-key}, a symbol.
Raise a @code{&usage-error} for an option that is not among them, one that
lacks an argument or has one too many, and for any other word without
@var{operand-key}; and what the options' own procedures raise."
  (define (note-operand word results)
    (if operand-key
        (acons operand-key word results)
        (too-much word)))
  (let loop ((words words)
             (results '()))
    (match words
      (() results)
      (("--" . operands) (fold note-operand results operands))
      (((? (negate option-word?) operand) . rest)
       (loop rest (note-operand operand results)))
      ((word . rest)
       (call-with-values (lambda () (next-option options word rest))
         (lambda (option argument rest)
           (let ((results
                  (acons (option-key option)
                         ((option-parse option) (last (option-names option))
                          argument)
                         results)))
             (if (eq? 'last (option-kind option))
                 results
                 (loop rest results)))))))))

(define* (option-value results key #:optional default)
  "Return the value that the last option with @var{key} has in @var{results},
or else @var{default}."
  (match (assq key results)
    ((_ . value) value)
    (#f default)))

(define (option-values results key)
  "Return the values of all options with @var{key} in @var{results}, in the
order of the command line."
  (reverse (filter-map (match-lambda
                         ((found . value) (and (eq? found key) value)))
                       results)))


;;;
;;; Texts.
;;;

;; Where what an option does is told, and where a line ends.
(define %column 29)
(define %width 78)

(define (visible options)
  (filter option-documentation options))

(define (shown option name)
  "Return NAME, of OPTION, with its argument."
  (define long? (string? name))
  (string-append (if long? "--" "-")
                 (if long? name (string name))
                 (match (option-kind option)
                   ('required (string-append (if long? "=" " ")
                                             (option-placeholder option)))
                   ('optional (string-append "["
                                             (if long? "=" "")
                                             (option-placeholder option)
                                             "]"))
                   (_ ""))))

(define (option-head option)
  "Return what OPTION is called, as the start of its paragraph."
  (define short
    (map (lambda (char) (string #\- char)) (short-names option)))
  (define long
    (map (lambda (name) (shown option name)) (long-names option)))
  (string-append (if (null? short) "      " "  ")
                 (string-join (append short long) ", ")))

(define (fill words start column)
  "Return WORDS in lines that begin at COLUMN, the first after a text that
ends at START."
  (let loop ((words words) (position start) (pieces '()))
    (match words
      (() (string-concatenate-reverse pieces))
      ((word . rest)
       (let* ((size (string-length word))
              (next (+ position 1 size)))
         (cond ((null? pieces)
                (loop rest (+ position size) (list word)))
               ((<= next %width)
                (loop rest next (cons* word " " pieces)))
               (else
                (loop rest (+ column size)
                      (cons* word (make-string column #\space) "\n"
                             pieces)))))))))

(define (option-paragraph option)
  (let* ((head (option-head option))
         (fits? (< (string-length head) (- %column 1))))
    (string-append
     head
     (if fits?
         (make-string (- %column (string-length head)) #\space)
         (string-append "\n" (make-string %column #\space)))
     (fill (string-tokenize (option-documentation option)) %column %column)
     "\n")))

(define (help-text name summary options)
  "Return what @option{--help} says of the command @var{name} that does what
@var{summary} tells."
  (string-append "Usage: " name " [OPTION...]\n" summary "\n\n"
                 (string-concatenate
                  (map option-paragraph (visible options)))))

(define (usage-text name options)
  "Return what @option{--usage} says of the command @var{name}: all ways to
write its @var{options}."
  (define head (string-append "Usage: " name " "))
  (define (bracketed option names)
    (map (lambda (name)
           (string-append "[" (shown option name) "]"))
         names))
  (string-append
   head
   (fill (append-map (lambda (names)
                       (append-map (lambda (option)
                                     (bracketed option (names option)))
                                   (visible options)))
                     (list short-names long-names))
         (string-length head) 12)
   "\n"))
