;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What derivations mean: their hashes, the names of their outputs, and
;;; whether one may be registered.
;;;
;;; A derivation is identified "modulo fixed outputs": an input whose contents
;;; are fixed counts by those contents, not by how they are obtained.  The
;;; hash of an input is asked from LOOKUP, a procedure from the file name of a
;;; .drv to the bytevector that 'derivation-hash-modulo' gives for it; who
;;; calls decides how to remember these; 'hash-modulo-lookup' makes one.
;;;
;;; The file format is in (fruix derivation text), re-exported here.
;;; Code:

(define-module (fruix derivation)
  #:use-module (fruix base16)
  #:use-module ((fruix config) #:select (%system))
  #:use-module (fruix derivation text)
  #:use-module ((fruix errors) #:select (fail))
  #:use-module (fruix hash)
  #:use-module (fruix octets)
  #:use-module (fruix store path)
  #:use-module (ice-9 match)
  #:use-module ((ice-9 threads) #:select (make-mutex with-mutex))
  #:use-module ((srfi srfi-1) #:select (delete-duplicates every remove))
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
               derivation->string)
  #:export (derivation-output-ids
            derivation-references
            fixed-output-derivation?
            derivation-output-recursive?
            derivation-output-algorithm
            derivation-output-hash

            %maximum-input-depth
            derivation-hash-modulo
            hash-modulo-lookup
            derivation-output-paths
            check-derivation
            make-derivation))

(define (derivation-output-ids derivation)
  "Return the names of the outputs of @var{derivation}, a sorted list of
strings."
  (map derivation-output-name (derivation-outputs derivation)))

(define (derivation-references derivation)
  "Return the store items to which the .drv of @var{derivation} refers: its
sources and the .drv of its inputs, sorted."
  (sort (delete-duplicates (append (map car (derivation-inputs derivation))
                                   (derivation-sources derivation)))
        string<?))


;;
;; Fixed outputs.
;;

(define (fixed-output-derivation? derivation)
  "Return true if @var{derivation} has one output, called @code{out}, whose
hash is given."
  (match (derivation-outputs derivation)
    ((($ <derivation-output> "out" _ _ hash))
     (not (string-null? hash)))
    (_ #f)))

(define (derivation-output-recursive? output)
  "Return true if the hash of @var{output}, a @code{<derivation-output>}, is
that of an archive, false if it is that of a file's contents."
  (string-prefix? "r:" (derivation-output-algorithm-field output)))

(define (algorithm-name output)
  (let ((field (derivation-output-algorithm-field output)))
    (if (derivation-output-recursive? output)
        (substring field 2)
        field)))

(define (derivation-output-algorithm output)
  "Return the algorithm, a symbol, of the hash of @var{output}, a
@code{<derivation-output>} of a fixed-output derivation.  One that is not
supported raises a @code{&fruix-error}."
  (or (lookup-hash-algorithm (algorithm-name output))
      (fail "unknown hash algorithm ~s" (algorithm-name output))))

(define (libgcrypt-name algorithm)
  "Return the name by which clients know @var{algorithm} in error messages."
  (match algorithm
    ('blake2s-256 "BLAKE2S_256")
    (_ (string-upcase (symbol->string algorithm)))))

(define (derivation-output-hash output)
  "Return the hash of @var{output}, a @code{<derivation-output>} of a
fixed-output derivation, as a bytevector.  One that is not so many lower-case
hexadecimal digits as its algorithm gives raises a @code{&fruix-error}."
  (let ((algorithm (derivation-output-algorithm output))
        (text (derivation-output-hash-field output)))
    (unless (and (= (string-length text) (* 2 (hash-size algorithm)))
                 (string-every (string->char-set "0123456789abcdef") text))
      (fail "invalid ~a hash ~s" (libgcrypt-name algorithm) text))
    (base16-string->bytevector text)))


;;
;; Hashes and output names.
;;

;; Inputs of inputs of inputs…; those of Guix are some hundreds deep.
(define %maximum-input-depth 10000)

(define (sha256 octets)
  (bytevector-hash 'sha256 (octets->bytevector octets)))

(define (fixed-output-hash output)
  (match output
    (($ <derivation-output> _ path algorithm hash)
     (sha256 (string-append "fixed:out:" algorithm ":" hash ":" path)))))

(define (substitute-inputs inputs lookup)
  "Return @var{inputs} with each .drv replaced by its hash, in hexadecimal."
  ;; Of inputs with equal hashes, guix-daemon keeps the last.
  (let ((table (make-hash-table)))
    (for-each (match-lambda
                ((drv . outputs)
                 (hash-set! table (bytevector->base16-string (lookup drv))
                            outputs)))
              inputs)
    (sort (hash-map->list cons table)
          (lambda (a b) (string<? (car a) (car b))))))

(define (derivation-hash-modulo derivation lookup)
  "Return the SHA-256 of @var{derivation} modulo fixed outputs, a bytevector.
@var{lookup} is called with the file name of each input's .drv, and returns
the same for it."
  (match derivation
    (($ <derivation> (and outputs (output . _)) inputs sources system builder
        arguments environment)
     (if (fixed-output-derivation? derivation)
         (fixed-output-hash output)
         (sha256 (derivation->string
                  (%make-derivation outputs (substitute-inputs inputs lookup)
                                    sources system builder arguments
                                    environment)))))))

(define (hash-modulo-lookup read)
  "Return a procedure that takes the file name of a .drv and returns the hash
modulo fixed outputs of that derivation, as a bytevector.  @var{read} takes
such a name and returns the @code{<derivation>}.  The procedure remembers all
hashes; several threads may call it.  A chain of more than
@code{%maximum-input-depth} inputs, as in a cycle, raises a
@code{&fruix-error}."
  (define hashes (make-hash-table))
  (define mutex (make-mutex))
  (define (known drv)
    (with-mutex mutex (hash-ref hashes drv)))
  (define (lookup drv depth)
    (or (known drv)
        (let ((hash (derivation-hash-modulo
                     (read drv)
                     (lambda (input)
                       (when (= depth %maximum-input-depth)
                         (fail "chain of derivations too deep, at ~a" input))
                       (lookup input (+ depth 1))))))
          (with-mutex mutex (hash-set! hashes drv hash))
          hash)))
  (lambda (drv)
    (lookup drv 0)))

(define (set-outputs derivation paths)
  "Return @var{derivation} with @var{paths}, an alist from each output's name
to a string, as file names of its outputs and as variables."
  (match derivation
    (($ <derivation> outputs inputs sources system builder arguments
        environment)
     (%make-derivation
      (map (match-lambda
             (($ <derivation-output> name _ algorithm hash)
              (make-derivation-output name (assoc-ref paths name)
                                      algorithm hash)))
           outputs)
      inputs sources system builder arguments
      (map (match-lambda
             ((name . value)
              (cons name (or (assoc-ref paths name) value))))
           environment)))))

(define (derivation-output-paths store name derivation lookup)
  "Return the file names in @var{store} that the outputs of @var{derivation},
called @var{name} (without @code{.drv}), must have: an alist from the name of
each output.  @var{lookup} is as for @code{derivation-hash-modulo}; what
@var{derivation} itself says of its outputs' names is not looked at."
  (match (derivation-outputs derivation)
    ((output . _)
     (if (fixed-output-derivation? derivation)
         `(("out" . ,(fixed-output-path
                      store name (derivation-output-recursive? output)
                      (derivation-output-algorithm output)
                      (derivation-output-hash output))))
         (let* ((ids (derivation-output-ids derivation))
                (masked (set-outputs derivation
                                     (map (lambda (id) (cons id "")) ids)))
                (hash (derivation-hash-modulo masked lookup)))
           (map (lambda (id) (cons id (output-path store id hash name)))
                ids))))))


;;
;; Whether a derivation is what it says it is.
;;

(define (check-outputs drv derivation)
  (when (null? (derivation-outputs derivation))
    (fail "derivation '~a' has no output" drv))
  (unless (or (fixed-output-derivation? derivation)
              (every string-null? (map derivation-output-hash-field
                                       (derivation-outputs derivation))))
    (fail "derivation '~a' gives a hash, but has not just one output 'out'"
          drv)))

(define (check-inputs store drv derivation)
  (define (check-name file)
    (unless (direct-store-path? store file)
      (fail "derivation '~a' refers to '~a', which is not in the store"
            drv file)))
  (for-each check-name (derivation-sources derivation))
  (for-each (match-lambda
              ((input . _)
               (check-name input)
               (unless (string-suffix? ".drv" input)
                 (fail "input '~a' of '~a' is not a derivation" input drv))))
            (derivation-inputs derivation)))

(define (check-environment drv derivation)
  (for-each (match-lambda
              ((name . _)
               (when (or (string-null? name) (string-index name #\=))
                 (fail "derivation '~a' has the invalid variable ~s"
                       drv name))))
            (derivation-environment derivation))
  ;; It is a word in build traces and in requests to the build hook.
  (unless (valid-store-name? (derivation-system derivation))
    (fail "derivation '~a' is for the invalid system ~s"
          drv (derivation-system derivation))))

(define (check-output-path drv derivation output path)
  (match output
    (($ <derivation-output> name given)
     (unless (string=? given path)
       (fail "derivation '~a' has incorrect output '~a', should be '~a'"
             drv given path))
     (unless (equal? path (assoc-ref (derivation-environment derivation) name))
       (fail "derivation '~a' has incorrect environment variable '~a', \
should be '~a'"
             drv name path)))))

(define (derivation-name store drv)
  (let ((name (store-path-name store drv)))
    (unless (and name (string-suffix? ".drv" name))
      (fail "'~a' is not the file name of a derivation" drv))
    (string-drop-right name 4)))

(define (check-derivation store drv derivation lookup)
  "Check that @var{derivation}, whose file name is @var{drv}, may be registered
in @var{store}: all that could be computed from the rest of it, such as the
file names of outputs, is as computed; the hash of a fixed output is one; and
its names are such that they can be used.  @var{lookup} is as for
@code{derivation-hash-modulo}.  What is wrong raises a @code{&fruix-error}."
  (check-outputs drv derivation)
  (check-inputs store drv derivation)
  (check-environment drv derivation)
  (for-each (match-lambda*
              ((output (_ . path))
               (check-output-path drv derivation output path)))
            (derivation-outputs derivation)
            (derivation-output-paths store (derivation-name store drv)
                                     derivation lookup)))


;;
;; Making one.
;;

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
          (cons drv (sort-unique outputs))))
       (sort (hash-map->list cons table)
             (lambda (a b) (string<? (car a) (car b))))))

(define (sort-unique strings)
  (sort (delete-duplicates strings) string<?))

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
  (define algorithm-field
    (if hash
        (string-append (if recursive? "r:" "")
                       (symbol->string hash-algorithm))
        ""))
  (define hash-field
    (if hash (bytevector->base16-string hash) ""))
  (define ids (sort-unique outputs))
  (define variables
    (append (map (lambda (id) (cons id "")) ids)
            (remove (match-lambda ((name . _) (member name ids)))
                    environment)))
  (define blank
    (%make-derivation
     (map (lambda (id)
            (make-derivation-output id "" algorithm-field hash-field))
          ids)
     (sort-inputs inputs) (sort-unique sources) system builder arguments
     (sort variables (lambda (a b) (string<? (car a) (car b))))))
  (let* ((paths (derivation-output-paths store name blank lookup))
         (derivation (set-outputs blank paths))
         (text (derivation->string derivation))
         (drv (text-path store (string-append name ".drv") (sha256 text)
                         (derivation-references derivation))))
    (check-derivation store drv derivation lookup)
    (values derivation drv text)))
