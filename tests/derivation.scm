;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Derivations: one text each, the names that guix-daemon computes, and no
;;; field that says otherwise.

(use-modules (fruix base16)
             (fruix derivation)
             (fruix hash)
             (fruix octets)
             (fruix store path)
             (ice-9 match)
             (rnrs bytevectors)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests support))

(define store "/gnu/store")

(define vectors                         ;((FILE TEXT) …)
  (call-with-input-file (string-append (getenv "abs_top_srcdir")
                                       "/tests/vectors/derivations.scm")
    (lambda (port)
      (let loop ((vectors '()))
        (match (read port)
          ((? eof-object?) (reverse vectors))
          (vector (loop (cons vector vectors))))))))

(define (read-vector file)
  (match (assoc-ref vectors file)
    ((text) (string->derivation text))))

(define lookup (hash-modulo-lookup read-vector))

(define (base file)
  (store-path-name store file))

(test-begin "derivation")


;; What the daemon took.

(for-each
 (match-lambda
   ((file text)
    (let ((derivation (string->derivation text)))
      (test-equal (string-append (base file) ": printed as read") text
        (derivation->string derivation))
      (test-equal (string-append (base file) ": its own file name") file
        (text-path store (base file)
                   (bytevector-hash 'sha256 (octets->bytevector text))
                   (derivation-references derivation)))
      (test-equal (string-append (base file) ": names of outputs")
        (map (lambda (output)
               (cons (derivation-output-name output)
                     (derivation-output-path output)))
             (derivation-outputs derivation))
        (derivation-output-paths store
                                 (string-drop-right (base file) 4)
                                 derivation lookup))
      (test-equal (string-append (base file) ": may be registered") #f
        (message-of
         (lambda ()
           (check-derivation store file derivation lookup)))))))
 vectors)

(let ((derivation
       (read-vector
        "/gnu/store/03fgdyzwnqz193s7hza6x7hjnjcl1rv7-escapes.drv")))
  (test-equal "escapes are decoded" "a\nb\rc\td"
    (assoc-ref (derivation-environment derivation) "nl"))
  (test-equal "arguments" '("-c" "echo \"a\\b\tc\"\necho k > $out")
    (derivation-arguments derivation)))

(test-equal "fixed output: algorithm, hash and what is hashed"
  '((#f sha256 32) (#t sha256 32) (#f sha1 20))
  (filter-map
   (match-lambda
     ((file text)
      (let ((derivation (string->derivation text)))
        (and (fixed-output-derivation? derivation)
             (match (derivation-outputs derivation)
               ((output)
                (list (derivation-output-recursive? output)
                      (derivation-output-algorithm output)
                      (bytevector-length
                       (derivation-output-hash output)))))))))
   vectors))


;; Made here.

(define shell "/gnu/store/7rn2da2dnrdg09mla5zbsrg7jvz54hmr-sh")
(define script "/gnu/store/a1wc55ygzrxmlx6b349gwqnrh6y9dv8h-build.sh")

(define (made . arguments)
  "Return file name and outputs' file names of the derivation so made."
  (call-with-values (lambda () (apply make-derivation store arguments))
    (lambda (derivation file text)
      (cons file (map derivation-output-path
                      (derivation-outputs derivation))))))

(define fixed
  `("fixed" "builtin:download" ()
    #:system "x86_64-linux"
    #:environment (("url" . "\"http://example.org/hello\""))
    #:hash ,(bytevector-hash 'sha256 (string->utf8 "hello"))))
(define fixed-drv "/gnu/store/35lcz6jqvvq9j9jsdpi3x4dfn4zrhwi6-fixed.drv")
(define fixed-out "/gnu/store/5kzplhhkxxa2p1wl1f8w08rz1plrxhj2-fixed")

(test-equal "one output"
  '("/gnu/store/2pifbvwzabjw8cr3b4sdaxy23mwnwpry-foo.drv"
    "/gnu/store/f2zzyv26smzj4qvv8x3j9rdydkyxag0x-foo")
  (made "foo" script '("-e") #:system "x86_64-linux"
        #:environment '(("x" . "1")) #:sources (list script)))
(test-equal "two outputs, in any order"
  '("/gnu/store/3rzs2q76knyzccjzmxpkiw9yyqmx2dir-bar-lib"
    "/gnu/store/wxfqv6zfpb1xf5gvmg902f2nz36l2zaq-bar")
  (cdr (made "bar" script '() #:system "x86_64-linux"
             #:outputs '("out" "lib") #:sources (list script))))
(test-equal "fixed output" (list fixed-drv fixed-out)
  (apply made fixed))
(test-equal "hash of a fixed output"
  "eb7c28b580650c927cc65917ae3cd4c40a41108a2f742019ce754d71ace16c80"
  (bytevector->base16-string
   (call-with-values (lambda () (apply make-derivation store fixed))
     (lambda (derivation . _)
       (derivation-hash-modulo derivation (const #f))))))
(test-equal "input, given twice"
  '("/gnu/store/142170p8zk77dmb3rmc7rxxdq7kgqli1-user.drv"
    "/gnu/store/am95nyrd4p1xphsh6i1xnvvk6zz23bxs-user")
  (made "user" script '() #:system "x86_64-linux"
        #:environment `(("in" . ,fixed-out))
        #:inputs `((,fixed-drv "out") (,fixed-drv "out"))
        #:sources (list script script)
        #:lookup (lambda (drv)
                   (base16-string->bytevector "\
eb7c28b580650c927cc65917ae3cd4c40a41108a2f742019ce754d71ace16c80"))))
(test-equal "an input that nobody knows"
  (string-append "unknown input '" fixed-drv "'")
  (message-of (lambda ()
                (made "x" shell '() #:inputs `((,fixed-drv "out"))))))
(test-equal "NUL cannot be written"
  "NUL in a derivation: \"a\\x00b\""
  (message-of (lambda () (made "x" shell '("a\x00b")))))


;; Malformed text.

(define plain
  "Derive([(\"out\",\"/o\",\"\",\"\")],[(\"/d\",[\"a\",\"b\"])],[\"/s\"],\
\"sys\",\"/b\",[\"x\"],[(\"k\",\"v\"),(\"l\",\"\")])")

(define (replaced from to)
  (let ((index (string-contains plain from)))
    (string-replace plain to index (+ index (string-length from)))))

(test-equal "plain one reads" plain
  (derivation->string (string->derivation plain)))

(test-equal "cut short anywhere" '()
  (filter (lambda (size)
            (not (message-of
                  (lambda ()
                    (string->derivation (substring plain 0 size))))))
          (iota (string-length plain))))
(test-equal "with a byte dropped anywhere but in a string: refused or changed"
  '()
  (filter (lambda (index)
            (let ((text (string-append (substring plain 0 index)
                                       (substring plain (+ index 1)))))
              ;; What is taken is printed as it was.
              (not (or (message-of (lambda () (string->derivation text)))
                       (string=? text (derivation->string
                                       (string->derivation text)))))))
          (iota (string-length plain))))

(for-each
 (match-lambda
   ((name text message)
    (test-equal name message
      (message-of (lambda () (string->derivation text))))))
 `(("empty" "" "invalid derivation, at byte 0: expected \"Derive(\"")
   ("text behind" ,(string-append plain "\n")
    "invalid derivation, at byte 92: text after the derivation")
   ("white space" ,(replaced "],[" "], [")
    "invalid derivation, at byte 28: expected \"[\"")
   ("unterminated string" ,(string-drop-right plain 5)
    "invalid derivation, at byte 87: expected \"\\\"\"")
   ("string without end" "Derive([(\"out"
    "invalid derivation, at byte 9: unterminated string")
   ("backslash at the end" "Derive([(\"out\\"
    "invalid derivation, at byte 13: unterminated string")
   ("needless escape" ,(replaced "\"x\"" "\"\\x\"")
    "invalid derivation, at byte 67: invalid escape sequence")
   ("bare newline" ,(replaced "\"x\"" "\"\n\"")
    "invalid derivation, at byte 67: bare character #\\newline in a string")
   ("NUL" ,(replaced "\"x\"" "\"\x00\"")
    "invalid derivation, at byte 67: bare character #\\nul in a string")
   ("relative output" ,(replaced "/o" "o")
    "invalid derivation, at byte 15: \"o\" is not an absolute file name")
   ("relative input" ,(replaced "/d" "d")
    "invalid derivation, at byte 30: \"d\" is not an absolute file name")
   ("relative source" ,(replaced "/s" "")
    "invalid derivation, at byte 48: \"\" is not an absolute file name")
   ("outputs of an input out of order" ,(replaced "\"a\",\"b\"" "\"b\",\"a\"")
    "invalid derivation, at byte 35: \
outputs \"b\" and \"a\" are duplicate or not in order")
   ("duplicate variable" ,(replaced "\"l\"" "\"k\"")
    "invalid derivation, at byte 71: \
variables \"k\" and \"k\" are duplicate or not in order")
   ("missing comma" ,(replaced "),(" ")(")
    "invalid derivation, at byte 81: expected \"]\"")
   ("comma before the end of a list" ,(replaced "\"x\"]" "\"x\",]")
    "invalid derivation, at byte 70: expected \"\\\"\"")))

(test-equal "a list too long"
  "invalid derivation, at byte 196631: more than 65536 elements"
  (message-of
   (lambda ()
     (string->derivation
      (string-append "Derive([],[],[],\"\",\"\",["
                     (string-join (make-list 65537 "\"\"") ",") "],[])")))))
(test-equal "a text too long"
  "derivation of 16777217 bytes: more than 16777216"
  (message-of (lambda ()
                (string->derivation (make-string (+ (expt 2 24) 1) #\D)))))
(test-equal "many escapes are read in linear time" 2000000
  (let ((text (string-append "Derive([],[],[],\"\",\""
                             (string-concatenate (make-list 2000000 "\\n"))
                             "\",[],[])")))
    (string-length (derivation-builder (string->derivation text)))))


;; Chance: whatever byte is changed, a text is refused or printed as read.

(define (mutated text state)
  "Return TEXT with one byte changed, by the random STATE."
  (let ((copy (string-copy text)))
    (string-set! copy (random (string-length text) state)
                 (string-ref "\"\\,()[]/n\n\x00D\xff" (random 13 state)))
    copy))

(test-equal "changed bytes" '()
  (let ((state (seed->random-state 2023)))
    (append-map
     (match-lambda
       ((file text)
        (filter (lambda (text)
                  (not (or (message-of (lambda () (string->derivation text)))
                           (string=? text
                                     (derivation->string
                                      (string->derivation text))))))
                (map (lambda (_) (mutated text state)) (iota 1000)))))
     vectors)))


;; Wrong fields.

(define (refused file from to)
  "Return why the derivation in FILE is refused with the first FROM in its
text replaced by TO."
  (match (assoc-ref vectors file)
    ((text)
     (let* ((index (string-contains text from))
            (text (string-replace text to index
                                  (+ index (string-length from)))))
       (message-of (lambda ()
                     (check-derivation store file (string->derivation text)
                                       lookup)))))))

(define simple "/gnu/store/i9zf5yfx3gnm8srj4krid0b239h6fmdg-simple.drv")
(define simple-out "/gnu/store/zjkfnhg49xg3alml3p3krsp988wkihyh-simple")
(define sha1 "/gnu/store/gvh1ng9xaxzpjq4xf9px8aykh682hr3r-fixed-sha1.drv")
(define flat "/gnu/store/798ipzgsy49b9yvqpjayc03ggrbgbhnr-fixed-flat.drv")
(define multi "/gnu/store/b1aq1bnvsvql4y7pmv13pr75gy6a9qxl-multi.drv")

(test-equal "another output's name"
  (string-append "derivation '" simple "' has incorrect output '"
                 (string-append simple-out "r") "', should be '"
                 simple-out "'")
  (refused simple simple-out (string-append simple-out "r")))
(test-equal "other contents"
  "has incorrect output"
  (string-take (string-drop (refused simple "echo hi" "echo ho")
                            (+ 14 (string-length simple)))
               20))
(test-equal "a variable that lies about the output"
  (string-append "derivation '" simple "' has incorrect environment variable \
'out', should be '" simple-out "'")
  (refused simple (string-append "(\"out\",\"" simple-out "\")])")
           "(\"out\",\"/tmp\")])"))
(let ((out "/gnu/store/0vbq82916pq043xj88rwnwyr4i7b5i40-simple"))
  (test-equal "the right output, but no variable for it"
    (string-append "derivation '" simple "' has incorrect environment \
variable 'out', should be '" out "'")
    (message-of
     (lambda ()
       (check-derivation store simple
                         (string->derivation
                          (string-append "Derive([(\"out\",\"" out
                                         "\",\"\",\"\")],[],[\"" shell
                                         "\"],\"x86_64-linux\",\"" shell
                                         "\",[\"-c\",\"echo hi > $out\"],\
[])"))
                         lookup)))))
(test-equal "hash too short, as clients know it"
  "invalid SHA1 hash \"7bc555991dbab41aa198fbd77899d49a277d4d\""
  (refused sha1 "7bc555991dbab41aa198fbd77899d49a277d4d6d"
           "7bc555991dbab41aa198fbd77899d49a277d4d"))
(test-assert "hash of another algorithm"
  (string-prefix? "invalid SHA512 hash \"992a"
                  (refused flat "sha256" "sha512")))
(test-assert "hash in upper case"
  (string-prefix? "invalid SHA256 hash" (refused flat "992a" "992A")))
(test-equal "unknown algorithm" "unknown hash algorithm \"md4\""
  (refused flat "sha256" "md4"))
(test-assert "recursive or not"
  (string-contains (refused flat "sha256" "r:sha256") "incorrect output"))
(test-equal "hash on one of several outputs"
  (string-append "derivation '" multi
                 "' gives a hash, but has not just one output 'out'")
  (refused multi "\"\",\"\")" "\"sha256\",\"00\")"))
(test-equal "algorithm without a hash is an ordinary derivation"
  "incorrect output"
  (string-take (string-drop (refused simple "\"\",\"\")" "\"sha256\",\"\")")
                            (+ 18 (string-length simple)))
               16))
(test-equal "source outside the store"
  (string-append "derivation '" simple
                 "' refers to '/etc/shadow', which is not in the store")
  (refused simple (string-append "[\"" shell "\"]") "[\"/etc/shadow\"]"))
(test-equal "source that climbs out"
  (string-append "derivation '" simple
                 "' refers to '/gnu/store/..', which is not in the store")
  (refused simple (string-append "[\"" shell "\"]") "[\"/gnu/store/..\"]"))
(test-equal "input that is no derivation"
  (string-append "input '" shell "' of '" simple "' is not a derivation")
  (refused simple "],[],[" (string-append "],[(\"" shell "\",[])],[")))
(test-equal "variable with an equals sign"
  (string-append "derivation '" simple "' has the invalid variable \"a=b\"")
  (refused simple "[(\"out\",\"/gnu/store/zjkfnhg49xg3alml3p3krsp988wkihyh-\
simple\")])" "[(\"a=b\",\"\")])"))
(test-equal "system of two words"
  (string-append "derivation '" simple "' is for the invalid system \"a b\"")
  (refused simple "x86_64-linux" "a b"))
(test-equal "no output is no error: there is nothing to build" #f
  (message-of
   (lambda ()
     (check-derivation store simple
                       (string->derivation
                        "Derive([],[],[],\"s\",\"b\",[],[])")
                       lookup))))
(test-equal "not the name of a derivation"
  (string-append "'" simple-out "' is not the file name of a derivation")
  (message-of
   (lambda ()
     (check-derivation store simple-out (read-vector simple) lookup))))

(test-end "derivation")
