;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Store file names: what they look like, and how they follow from contents.
;;;
;;; Everything is pure and takes STORE, the logical store directory, e.g.
;;; "/gnu/store", without a trailing slash.  A name computed here is
;;;
;;;   STORE/d-NAME, d = base32 of 20 bytes compressed from
;;;                     sha256 ("TYPE:sha256:HEX:STORE:NAME")
;;;
;;; where HEX is a SHA-256 and TYPE says of what.  A name received is only
;;; ever looked at: 'direct-store-path?' decides whether it may be used.
;;; Code:

(define-module (fruix store path)
  #:use-module (fruix base16)
  #:use-module (fruix base32)
  #:use-module ((fruix errors) #:select (fail))
  #:use-module ((fruix hash) #:select (bytevector-hash))
  #:use-module (fruix octets)
  #:use-module (rnrs bytevectors)
  #:export (%maximum-name-length
            valid-store-name?

            store-path?
            direct-store-path?
            store-path-base
            store-path-hash-part
            store-path-name
            derivation-path?

            text-path
            fixed-output-path
            output-path))

;; File systems allow 255 bytes: what is left after the hash part and its
;; hyphen, and the longest ending that the store gives a name, ".drv.chroot".
(define %maximum-name-length 211)

;; Base32 digits of a hash part.
(define %hash-length 32)

(define %name-characters
  (string->char-set
   (string-append "abcdefghijklmnopqrstuvwxyz" "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                  "0123456789" "+-._?=")))

(define (valid-store-name? name)
  "Return true if @var{name}, a string, can be the name of a new store item: 1
to @code{%maximum-name-length} ASCII letters, digits and characters among
@code{+-._?=}, the first of which is not a full stop."
  (and (<= 1 (string-length name) %maximum-name-length)
       (not (char=? #\. (string-ref name 0)))
       (string-every %name-characters name)))


;;
;; Names received.
;;

(define (store-path? store text)
  "Return true if @var{text}, a string, names something in @var{store}: an
item, or a file in one."
  (let ((length (string-length store)))
    (and (> (string-length text) (+ length 1))
         (string-prefix? store text)
         (char=? #\/ (string-ref text length)))))

(define (direct-store-path? store text)
  "Return true if @var{text}, a string, is @var{store} followed by a slash and
one file name that an item could bear: at most 255 bytes without slash and
NUL, the first of which is not a full stop."
  (and (store-path? store text)
       (let ((start (+ (string-length store) 1)))
         (and (<= (- (string-length text) start) 255)
              (not (char=? #\. (string-ref text start)))
              ;; Twice, since a set of characters is much slower.
              (not (string-index text #\/ start))
              (not (string-index text #\nul start))))))

(define (store-path-base store path)
  "Return the part of @var{path} between @code{@var{store}/} and the next
slash, or false if @var{path} is not in @var{store}."
  (and (store-path? store path)
       (let ((start (+ (string-length store) 1)))
         (substring path start
                    (or (string-index path #\/ start)
                        (string-length path))))))

(define (well-formed? base)
  (and base
       (> (string-length base) (+ %hash-length 1))
       (char=? #\- (string-ref base %hash-length))
       (string-every %nix-base32-digits base 0 %hash-length)))

(define (store-path-hash-part store path)
  "Return the 32 base32 digits of the item in which @var{path} is, or false if
@var{path} is not a store file name with a hash part."
  (let ((base (store-path-base store path)))
    (and (well-formed? base)
         (substring base 0 %hash-length))))

(define (store-path-name store path)
  "Return what follows the hash part and its hyphen in the item in which
@var{path} is, e.g. @code{\"hello-2.12\"}, or false if @var{path} is not a
store file name with a hash part."
  (let ((base (store-path-base store path)))
    (and (well-formed? base)
         (substring base (+ %hash-length 1)))))

(define (derivation-path? path)
  "Return true if @var{path}, a store path or the name of an item, is that of a
derivation."
  (string-suffix? ".drv" path))


;;
;; Names computed.
;;

(define (compress-hash hash size)
  "Return @var{size} bytes: those of @var{hash}, a bytevector, folded by
exclusive or."
  (let ((result (make-bytevector size 0)))
    (do ((i 0 (+ i 1)))
        ((= i (bytevector-length hash)) result)
      (let ((j (remainder i size)))
        (bytevector-u8-set! result j
                            (logxor (bytevector-u8-ref result j)
                                    (bytevector-u8-ref hash i)))))))

(define (sha256 octets)
  (bytevector-hash 'sha256 (octets->bytevector octets)))

(define (make-store-path store type hash name)
  "Return the store file name of an item called @var{name}, given the string
@var{type} and the SHA-256 @var{hash}, a bytevector, that identify its
contents.  An invalid @var{name} raises a @code{&fruix-error}."
  (unless (valid-store-name? name)
    (fail "invalid character, beginning or length in the store item name ~s"
          name))
  (let ((digest (sha256 (string-append type ":sha256:"
                                       (bytevector->base16-string hash)
                                       ":" store ":" name))))
    (string-append store "/"
                   (bytevector->nix-base32-string (compress-hash digest 20))
                   "-" name)))

(define (text-path store name hash references)
  "Return the store file name of the text @var{name}, whose contents have the
SHA-256 @var{hash}, a bytevector, and which refers to @var{references}, a list
of store file names without duplicates in any order."
  (make-store-path store
                   (string-join (cons "text" (sort references string<?)) ":")
                   hash name))

(define (fixed-output-path store name recursive? algorithm hash)
  "Return the store file name of @var{name}, a file or tree added to the store
or the output of a fixed-output derivation.  @var{hash}, a bytevector, is the
hash by @var{algorithm}, a symbol such as @code{sha256}, of the archive when
@var{recursive?} is true, else of the file's contents."
  (if (and recursive? (eq? algorithm 'sha256))
      (make-store-path store "source" hash name)
      (make-store-path store "output:out"
                       (sha256 (string-append
                                "fixed:out:" (if recursive? "r:" "")
                                (symbol->string algorithm) ":"
                                (bytevector->base16-string hash) ":"))
                       name)))

(define (output-path store id hash name)
  "Return the store file name of output @var{id}, a string, of a derivation
called @var{name} (without @code{.drv}) whose hash modulo fixed outputs is
@var{hash}, a bytevector."
  (make-store-path store (string-append "output:" id) hash
                   (if (string=? id "out")
                       name
                       (string-append name "-" id))))
