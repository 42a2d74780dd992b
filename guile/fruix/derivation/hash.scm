;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The identity of derivations: their hashes, and the names of their outputs,
;;; which follow.
;;;
;;; A derivation is identified "modulo fixed outputs": an input whose contents
;;; are fixed counts by those contents, not by how they are obtained.  The
;;; hash of an input is asked from LOOKUP, a procedure from the file name of a
;;; .drv to the bytevector that 'derivation-hash-modulo' gives for it; who
;;; calls decides how to remember these; 'hash-modulo-lookup' makes one.
;;; Code:

(define-module (fruix derivation hash)
  #:use-module (fruix base16)
  #:use-module (fruix derivation text)
  #:use-module ((fruix errors) #:select (fail))
  #:use-module (fruix hash)
  #:use-module (fruix octets)
  #:use-module (fruix store path)
  #:use-module ((fruix thread) #:select (with-lock))
  #:use-module ((ice-9 hash-table) #:select (alist->hash-table))
  #:use-module (ice-9 match)
  #:use-module ((ice-9 threads) #:select (make-mutex))
  #:export (derivation-output-ids
            fixed-output-derivation?
            derivation-output-recursive?
            derivation-output-algorithm
            derivation-output-hash

            %maximum-input-depth
            derivation-hash-modulo
            hash-modulo-lookup
            set-outputs
            derivation-output-paths))

(define (derivation-output-ids derivation)
  "Return the names of the outputs of @var{derivation}, a sorted list of
strings."
  (map derivation-output-name (derivation-outputs derivation)))


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
    (($ <derivation> outputs inputs sources system builder arguments
        environment)
     (if (fixed-output-derivation? derivation)
         (fixed-output-hash (car outputs))
         (sha256 (derivation->string
                  (%make-derivation outputs (substitute-inputs inputs lookup)
                                    sources system builder arguments
                                    environment)))))))

;; Hashes that are remembered, some ten MiB: more than most requests lead to.
(define %maximum-hashes (expt 2 17))

(define* (hash-modulo-lookup read #:key (limit %maximum-hashes))
  "Return a procedure that takes the file name of a .drv and returns the hash
modulo fixed outputs of that derivation, as a bytevector.  @var{read} takes
such a name and returns the @code{<derivation>}.  The procedure remembers the
hashes, and begins anew when there are more than @var{limit}; several threads
may call it.  A chain of more than @code{%maximum-input-depth} inputs, as in a
cycle, raises a @code{&fruix-error}."
  (define hashes (make-hash-table))
  (define count 0)
  (define mutex (make-mutex))
  (define (known drv)
    (with-lock mutex (hash-ref hashes drv)))
  (define (remember! drv hash)
    (with-lock mutex
      (set! count (+ count 1))
      (hash-set! hashes drv hash)))
  (define (begin-anew-if-full!)
    (with-lock mutex
      (when (> count limit)
        (set! count 0)
        (hash-clear! hashes))))
  (define (lookup drv depth)
    (or (known drv)
        (let ((hash (derivation-hash-modulo
                     (read drv)
                     (lambda (input)
                       (when (= depth %maximum-input-depth)
                         (fail "chain of derivations too deep, at ~a" input))
                       (lookup input (+ depth 1))))))
          ;; A name from a derivation shares memory with all of its text.
          (remember! (string-copy drv) hash)
          hash)))
  (lambda (drv)
    ;; Only here: in a large graph it would have to be done over and over.
    (begin-anew-if-full!)
    (lookup drv 0)))

(define (set-outputs derivation paths)
  "Return @var{derivation} with @var{paths}, an alist from each output's name
to a string, as file names of its outputs and as variables."
  (define table (alist->hash-table paths))
  (match derivation
    (($ <derivation> outputs inputs sources system builder arguments
        environment)
     (%make-derivation
      (map (match-lambda
             (($ <derivation-output> name _ algorithm hash)
              (make-derivation-output name (hash-ref table name)
                                      algorithm hash)))
           outputs)
      inputs sources system builder arguments
      (map (match-lambda
             ((name . value)
              (cons name (or (hash-ref table name) value))))
           environment)))))

(define (derivation-output-paths store name derivation lookup)
  "Return the file names in @var{store} that the outputs of @var{derivation},
called @var{name} (without @code{.drv}), must have: an alist from the name of
each output.  @var{lookup} is as for @code{derivation-hash-modulo}; what
@var{derivation} itself says of its outputs' names is not looked at."
  (match (derivation-outputs derivation)
    (()
     '())                               ;nothing to build, but no error
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
