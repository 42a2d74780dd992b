;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; What may become valid, and that the rest leaves no trace.

(use-modules (fruix store)
             (fruix store layout)
             (fruix thread)
             (ice-9 match)
             (ice-9 regex)
             (ice-9 threads)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests support))

(define (item name)
  (string-append "/gnu/store/" (string-pad "" 32 #\0) "-" name))

(define* (info name #:key (references '()) deriver (hash (make-string 64 #\a))
               (size 120) time)
  (path-info (item name) hash size
             #:references (map item references)
             #:deriver deriver
             #:registration-time time))

(define-syntax-rule (with-store store body ...)
  (call-with-temporary-directory
   (lambda (directory)
     (call-with-store (make-layout #:root directory)
       (lambda (store) body ...)))))

(define-syntax-rule (message expression)
  (message-of (lambda () expression)))

(define (write-item store path text)
  (call-with-output-file (physical (store-layout store) path)
    (lambda (port) (display text port))
    #:encoding "ISO-8859-1"))

(define %derivations
  (call-with-input-file (string-append (getenv "abs_top_srcdir")
                                       "/tests/vectors/derivations.scm")
    (lambda (port)
      (unfold eof-object? identity (lambda _ (read port)) (read port)))
    #:encoding "UTF-8"))

(define (derivation-info path text)
  "Return the path info of the derivation in the file @var{path}."
  (path-info path (make-string 64 #\b) 400
             #:references (references-in text)))

(define (references-in text)
  "Return the .drv and sources among the store paths in @var{text}."
  (delete-duplicates
   (filter (lambda (path)
             (or (string-suffix? ".drv" path) (string-suffix? "-sh" path)
                 (string-suffix? ".txt" path)))
           (map match:substring
                (list-matches "/gnu/store/[^\"]*" text)))))

(define sources
  (map (lambda (name)
         (path-info (string-append "/gnu/store/" name) (make-string 64 #\c)
                    120))
       '("7rn2da2dnrdg09mla5zbsrg7jvz54hmr-sh"
         "k9pad896kygyvpxli7f20bkl9813p9y4-hello.txt")))

(test-begin "registration")

(with-store store
  (test-equal "an item, its references and itself"
    (list (list (item "a") (item "b")) 77 "/gnu/store/x-d.drv" 12345)
    (begin
      (register-items! store (list (info "a")))
      (register-items! store (list (info "b" #:references '("b" "a")
                                         #:size 77 #:time 12345
                                         #:deriver "/gnu/store/x-d.drv")))
      (let ((info (query-path-info store (item "b"))))
        (list (path-info-references info) (path-info-nar-size info)
              (path-info-deriver info)
              (path-info-registration-time info)))))

  (test-assert "by default the time is now"
    (<= 0 (- (current-time)
             (path-info-registration-time
              (query-path-info store (item "a"))))
        5))

  (test-equal "of a valid item only hash and size change"
    (list (make-string 64 #\d) 99 "/gnu/store/x-d.drv" 12345)
    (begin
      (register-items! store (list (info "b" #:size 99 #:time 1
                                         #:hash (make-string 64 #\d))))
      (let ((info (query-path-info store (item "b"))))
        (list (path-info-hash info) (path-info-nar-size info)
              (path-info-deriver info)
              (path-info-registration-time info)))))

  (test-equal "a set may be in any order"
    (list (item "d"))
    (begin
      (register-items! store (list (info "c" #:references '("d"))
                                   (info "d" #:references '("a"))))
      (references store (item "c"))))

  (test-equal "a missing reference"
    (string-append "path `" (item "missing") "' is not valid")
    (message (register-items! store
                              (list (info "e")
                                    (info "f" #:references
                                          '("e" "missing"))))))
  (test-equal "leaves nothing of its set valid" '(#f #f)
    (map (lambda (name) (valid-path? store (item name))) '("e" "f")))

  (test-assert "a cycle"
    (string-prefix? "cycle detected"
                    (message (register-items!
                              store
                              (list (info "e" #:references '("f"))
                                    (info "f" #:references '("g"))
                                    (info "g" #:references '("a" "e")))))))
  (test-equal "leaves nothing valid, either" '(#f #f #f)
    (map (lambda (name) (valid-path? store (item name))) '("e" "f" "g")))

  (test-equal "names outside the store"
    '("path `/etc/passwd' is not in the store"
      "path `/gnu/store/a/../../x' is not in the store")
    (list (message (register-items!
                    store (list (path-info "/etc/passwd" "" 1))))
          (message (register-items!
                    store (list (path-info "/gnu/store/a" "" 1
                                           #:references
                                           '("/gnu/store/a/../../x")))))))
  (test-equal "no items" *unspecified*
    (register-items! store '())))

(with-store store
  (test-equal "5,000 items, each referring to the one before, last first"
    5000
    (let ((infos (map (lambda (i)
                        (info (number->string i) #:references
                              (if (zero? i)
                                  '()
                                  (list (number->string (- i 1))))))
                      (iota 5000))))
      (register-items! store (reverse infos))
      (length (closure store (list (item "4999"))))))

  (test-equal "threads register beside each other, and failures stay alone"
    '(100 100 100 100)
    (map join-thread
         (map (lambda (thread)
                (start-thread
                 (lambda ()
                   (count (lambda (i)
                            (let ((name (format #f "t~a-~a" thread i)))
                              (message
                               (register-items!
                                store
                                (list (info name #:references
                                            (list "0" "none")))))
                              (register-items!
                               store (list (info name #:references '("0"))))
                              (valid-path? store (item name))))
                          (iota 100)))))
              (iota 4))))
  (test-equal "and all of them are there, beside the second of the chain" 401
    (length (referrers store (item "0")))))


;;
;; Derivations.
;;

(with-store store
  (register-items! store sources)
  (test-assert "real derivations, one by one"
    (every (match-lambda
             ((path text)
              (write-item store path text)
              (register-items! store (list (derivation-info path text)))
              (valid-path? store path)))
           %derivations))
  (test-assert "have their outputs recorded"
    (every (match-lambda
             ((path text)
              (every (match-lambda
                       ((name . output)
                        (and (string-contains text output)
                             (member path (valid-derivers store output)))))
                     (query-derivation-outputs store path))))
           %derivations)))

(with-store store
  (test-assert "real derivations, all at once and users first"
    (begin
      (register-items! store sources)
      (for-each (match-lambda
                  ((path text) (write-item store path text)))
                %derivations)
      (register-items! store
                       (reverse (map (match-lambda
                                       ((path text)
                                        (derivation-info path text)))
                                     %derivations)))
      (every (match-lambda ((path _) (valid-path? store path)))
             %derivations))))

(with-store store
  (register-items! store sources)
  (match (first %derivations)
    ((path text)
     (define (refusal text)
       (write-item store path text)
       (message (register-items! store (list (derivation-info path text)))))

     (test-assert "a derivation that lies about its output"
       (string-contains
        (refusal (regexp-substitute/global
                  #f "zjkfnhg49xg3alml3p3krsp988wkihyh" text
                  'pre "00000000000000000000000000000000" 'post))
        "incorrect output"))
     (test-assert "a file that is no derivation"
       (refusal "Derive([("))
     (test-assert "an empty file"
       (refusal ""))
     (test-equal "are not valid" #f
       (valid-path? store path))
     (test-assert "a directory"
       (let ((directory (string-append "/gnu/store/"
                                       (string-pad "" 32 #\1) "-x.drv")))
         (mkdir (physical (store-layout store) directory))
         (message (register-items! store
                                   (list (path-info directory "" 1))))))
     (test-assert "a symbolic link"
       (let ((link (string-append "/gnu/store/"
                                  (string-pad "" 32 #\2) "-x.drv")))
         (write-item store path text)
         (symlink (physical (store-layout store) path)
                  (physical (store-layout store) link))
         (message (register-items! store (list (path-info link "" 1))))))
     (test-equal "the truth is accepted afterwards" #f
       (refusal text))))
  (match (find (match-lambda
                 ((path _) (string-suffix? "-depends.drv" path)))
               %derivations)
    ((path text)
     (test-assert "a derivation whose input is not valid"
       (begin
         (write-item store path text)
         (string-contains
          (message (register-items! store
                                    (list (derivation-info path text))))
          "is not valid"))))))

(test-end "registration")
