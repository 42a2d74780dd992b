;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Adding texts and archives to a store of a test's own.
;;; Code:

(define-module (tests adding-support)
  #:use-module (fruix nar)
  #:use-module (fruix store)
  #:use-module (fruix store layout)
  #:use-module (ice-9 binary-ports)
  #:use-module (ice-9 match)
  #:use-module (rnrs bytevectors)
  #:use-module (tests support)
  #:export (vectors-file
            with-store
            text
            archive
            clean?
            tree-archive))

(define (vectors-file name)
  "Return the file name of the test vectors @var{name}."
  (string-append (getenv "abs_top_srcdir") "/tests/vectors/" name))

;; Evaluate BODY with STORE, a new one, and its LAYOUT.
(define-syntax-rule (with-store store layout body ...)
  (call-with-temporary-directory
   (lambda (directory)
     (let ((layout (make-layout #:root directory)))
       (call-with-store layout
         (lambda (store) body ...))))))

(define (text store name contents . references)
  "Add the string @var{contents} to @var{store} as @var{name}; return its path."
  (add-text! store name (string->utf8 contents) references))

(define* (archive store name bytes #:key (recursive? #t) (algorithm 'sha256)
                  (piece 1000))
  "Add the archive @var{bytes} to @var{store} as @var{name}, in pieces of
@var{piece} bytes; return its path."
  (call-with-store-restorer store name
    (lambda (restorer)
      (let loop ((start 0))
        (let ((count (min piece (- (bytevector-length bytes) start))))
          (unless (or (zero? count) (nar-restorer-done? restorer))
            (loop (+ start (nar-restore! restorer bytes start count)))))))
    #:recursive? recursive? #:algorithm algorithm))

(define (clean? layout)
  "Return true if the store of @var{layout} holds nothing but its own
directories."
  (match (directory-entries (layout-physical-store layout))
    (((? (lambda (name) (string-prefix? ".fruix-" name)) staging) ".links")
     (null? (directory-entries (string-append (layout-physical-store layout)
                                              "/" staging))))))

;; The archive of a tree of all types of files.
(define tree-archive
  (call-with-input-file (vectors-file "tree.nar") get-bytevector-all
                        #:binary #t))
