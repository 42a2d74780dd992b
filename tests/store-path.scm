;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Store file names: the same as guix-daemon's, and none that would lead out
;;; of the store.

(use-modules (fruix base16)
             (fruix hash)
             (fruix octets)
             (fruix store path)
             (ice-9 match)
             (srfi srfi-64)
             (tests support))

(define store "/gnu/store")

(define (for-each-vector proc)
  (call-with-input-file (string-append (getenv "abs_top_srcdir")
                                       "/tests/vectors/store-path.scm")
    (lambda (port)
      (let loop ()
        (match (read port)
          ((? eof-object?) #t)
          (vector (proc vector) (loop)))))
    #:encoding "UTF-8"))

(test-begin "store-path")

(for-each-vector
 (match-lambda
   (('text name contents references path)
    (test-equal (string-append "text " name) path
      (text-path store name
                 (bytevector-hash 'sha256 (octets->bytevector
                                           (text->octets contents)))
                 (reverse references))))
   (('content name recursive? algorithm hash path)
    (test-equal (string-append algorithm " of " name) path
      (fixed-output-path store name recursive? (string->symbol algorithm)
                         (base16-string->bytevector hash))))))

(let ((hash (base16-string->bytevector "\
d8e1d7310215f049290ea80848685148f47ea0b57389eb059676f5b9736461dc")))
  (test-equal "output 'out' bears the derivation's name"
    "/gnu/store/wxfqv6zfpb1xf5gvmg902f2nz36l2zaq-bar"
    (output-path store "out" hash "bar"))
  (test-equal "another output adds its own"
    "/gnu/store/3rzs2q76knyzccjzmxpkiw9yyqmx2dir-bar-lib"
    (output-path store "lib" hash "bar"))
  (test-equal "an output cannot smuggle a name in"
    "invalid character, beginning or length in the store item name \"bar-a/../b\""
    (message-of (lambda () (output-path store "a/../b" hash "bar")))))

(test-equal "names" '(#t #t #t #f #f #f #f #f #f #f #f #f #t #f)
  (map (lambda (name) (->bool (valid-store-name? name)))
       (list "hello-2.12.1.tar.gz" "A+-._?=" "-rf"
             "" ".links" "." ".." "a/b" "a b" "a\n" "a\x00b" "é"
             (make-string %maximum-name-length #\a)
             (make-string (+ %maximum-name-length 1) #\a))))

(define item "/gnu/store/k9pad896kygyvpxli7f20bkl9813p9y4-hello.txt")

(test-equal "in the store" '(#t #t #f #f #f #f)
  (map (lambda (text) (store-path? store text))
       (list item (string-append item "/file")
             "/gnu/store" "/gnu/store/" "/gnu/storehouse" "gnu/store/a")))
(test-equal "an item of the store" '(#t #t #f #f #f #f #f #f #f)
  (map (lambda (text) (direct-store-path? store text))
       (list item
             ;; The hash part is not looked at, as in guix-daemon.
             "/gnu/store/eeee-foobar"
             (string-append item "/") (string-append item "/file")
             "/gnu/store/." "/gnu/store/.." "/gnu/store/.links"
             "/gnu/store/a\x00b"
             (string-append "/gnu/store/" (make-string 256 #\a)))))

(test-equal "parts of a name"
  '("k9pad896kygyvpxli7f20bkl9813p9y4-hello.txt"
    "k9pad896kygyvpxli7f20bkl9813p9y4" "hello.txt")
  (map (lambda (part) (part store (string-append item "/lib")))
       (list store-path-base store-path-hash-part store-path-name)))
(test-equal "no hash part" '(#f #f #f #f #f)
  (map (lambda (text) (store-path-hash-part store text))
       '("/home/k9pad896kygyvpxli7f20bkl9813p9y4-hello"
         "/gnu/store/hello"
         "/gnu/store/e9pad896kygyvpxli7f20bkl9813p9y4-hello"
         "/gnu/store/k9pad896kygyvpxli7f20bkl9813p9y4-"
         "/gnu/store/k9pad896kygyvpxli7f20bkl9813p9y4/hello")))

(test-end "store-path")
