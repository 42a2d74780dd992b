;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Derivations: what is to be built, and how.  This module makes them, and
;;; gathers the others: (fruix derivation text) reads and writes .drv files,
;;; (fruix derivation hash) computes what follows from their contents, (fruix
;;; derivation check) compares that with what they say.
;;; Code:

(define-module (fruix derivation)
  #:use-module (fruix base16)
  #:use-module ((fruix config) #:select (%system))
  #:use-module (fruix derivation check)
  #:use-module (fruix derivation hash)
  #:use-module (fruix derivation text)
  #:use-module ((fruix errors) #:select (fail))
  #:use-module ((fruix hash) #:select (bytevector-hash))
  #:use-module ((fruix octets) #:select (octets->bytevector))
  #:use-module (fruix sorted-set)
  #:use-module ((fruix store path) #:select (text-path))
  #:use-module ((ice-9 hash-table) #:select (alist->hash-table))
  #:use-module (ice-9 match)
  #:use-module ((srfi srfi-1) #:select (remove))
  #:re-export (<derivation-output>
               make-derivation-output
               derivation-output?
               derivation-output-name
               derivation-output-path
               derivation-output-algorithm-field
               derivation-output-hash-field
               <derivation>
               derivation?
               derivation-outputs
               derivation-inputs
               derivation-sources
               derivation-system
               derivation-builder
               derivation-arguments
               derivation-environment
               string->derivation
               derivation->string

               derivation-output-ids
               fixed-output-derivation?
               derivation-output-recursive?
               derivation-output-algorithm
               derivation-output-hash
               %maximum-input-depth
               derivation-hash-modulo
               hash-modulo-lookup
               derivation-output-paths

               check-derivation)
  #:export (derivation-output-table
            derivation-references
            derivation-words
            make-derivation))

(define (derivation-output-table derivation)
  "Return a hash table from the name of each output of @var{derivation} to its
store path, both strings."
  (alist->hash-table
   (map (lambda (output)
          (cons (derivation-output-name output)
                (derivation-output-path output)))
        (derivation-outputs derivation))))

(define (derivation-references derivation)
  "Return the store items to which the .drv of @var{derivation} refers: its
sources and the .drv of its inputs, sorted."
  (sorted-set (append (map car (derivation-inputs derivation))
                      (derivation-sources derivation))))

(define %white-space (char-set #\space #\tab #\return #\newline))

(define (derivation-words derivation variable)
  "Return the words in the value of @var{variable}, a string, in the environment
of @var{derivation}, or @code{#f} if there is no such variable."
  (and=> (assoc-ref (derivation-environment derivation) variable)
         (lambda (value)
           (string-tokenize value (char-set-complement %white-space)))))

(define (sort-inputs inputs)
  "Return @var{inputs} in the form of a record: sorted, and the outputs of one
.drv together."
  (define table (make-hash-table))
  (for-each (match-lambda
              ((drv . outputs)
               (hash-set! table drv
                          (append outputs (hash-ref table drv '())))))
            inputs)
  (map (match-lambda
         ((drv . outputs)
          (cons drv (sorted-set outputs))))
       (sort (hash-map->list cons table)
             (lambda (a b) (string<? (car a) (car b))))))

(define (blank-outputs ids hash algorithm recursive?)
  "Return outputs called IDS whose file names are not known yet."
  (define algorithm-field
    (if hash
        (string-append (if recursive? "r:" "") (symbol->string algorithm))
        ""))
  (define hash-field
    (if hash (bytevector->base16-string hash) ""))
  (map (lambda (id)
         (make-derivation-output id "" algorithm-field hash-field))
       ids))

(define (blank-environment ids environment)
  "Return ENVIRONMENT, sorted, with an empty variable for each of IDS."
  (define blank (map (lambda (id) (cons id "")) ids))
  (define table (alist->hash-table blank))
  (sort (append blank
                (remove (match-lambda ((name . _) (hash-ref table name)))
                        environment))
        (lambda (a b) (string<? (car a) (car b)))))

(define* (make-derivation store name builder arguments
                          #:key (system %system) (environment '())
                          (inputs '()) (sources '()) (outputs '("out"))
                          hash (hash-algorithm 'sha256) recursive?
                          (lookup (lambda (drv)
                                    (fail "unknown input '~a'" drv))))
  "Return three values: a @code{<derivation>} called @var{name} that runs
@var{builder}, a file name, with @var{arguments}, a list of strings; its file
name in @var{store}; and its text, an octet string.  All strings are octet
strings.  @var{environment} is an alist; @var{inputs} a list of
@code{(@var{drv} @var{output} @dots{})}; @var{sources} a list of store file
names; @var{outputs} a list of names.  With @var{hash}, a bytevector, by
@var{hash-algorithm}, it is a fixed-output derivation, of an archive if
@var{recursive?} is true.  @var{lookup} is as for
@code{derivation-hash-modulo}.  What @code{check-derivation} refuses raises a
@code{&fruix-error}."
  (define ids (sorted-set outputs))
  (define blank
    (%make-derivation
     (blank-outputs ids hash hash-algorithm recursive?)
     (sort-inputs inputs) (sorted-set sources) system builder arguments
     (blank-environment ids environment)))
  (let* ((paths (derivation-output-paths store name blank lookup))
         (derivation (set-outputs blank paths))
         (text (derivation->string derivation))
         (drv (text-path store (string-append name ".drv")
                         (bytevector-hash 'sha256 (octets->bytevector text))
                         (derivation-references derivation))))
    (check-derivation store drv derivation lookup)
    (values derivation drv text)))
