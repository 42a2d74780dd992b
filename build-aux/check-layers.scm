;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The direction of imports, as data, and what breaks it.
;;;
;;; A module imports modules of lower layers, and of its own layer where they
;;; are of its own family or the layer is a mere collection; a C++ file
;;; includes headers of the directories that its own directory may know.  A
;;; module or directory that has no place here is an error, too.
;;; Code:

(define-module (check-layers)
  #:use-module (ice-9 ftw)
  #:use-module (ice-9 match)
  #:use-module (ice-9 rdelim)
  #:use-module (ice-9 regex)
  #:use-module (srfi srfi-1)
  #:export (scheme-violations
            module-violations
            definition-imports
            include-violations
            c++-violations))

;; Low to high.  A name ending in '/' stands for the modules below it.
(define %layers
  '((0 "alist" "clock" "config" "errors" "heap" "sorted-set" "thread")
    (1 "primitives")
    (2 "base16" "base32" "bulk" "control/wire" "credentials" "database"
       "derivation" "derivation/" "descriptors" "durable" "files" "flag"
       "gzip" "hash" "jail" "links" "mailbox" "map" "mentions" "message"
       "mount" "mountinfo" "nar" "network" "octets" "plan" "probe" "process"
       "protocol/wire" "record-lock" "sandbox/check" "sandbox/spec"
       "scheduler/task" "sharing" "store/path" "terminal" "tree" "tree-error"
       "worker")
    (3 "sandbox/" "store/")
    (4 "agent" "agent/" "sandbox" "sandbox/outside" "store")
    (5 "build" "build/" "doctor" "doctor/" "shepherd")
    (6 "scheduler" "scheduler/")
    (7 "control" "protocol/" "session" "session/")
    (8 "client" "client/" "daemon" "daemon/")
    (9 "scripts/")))

;; What users' programs import stands beside the daemon, not on top of it.
(define %client-imports
  '("base16" "base32" "config" "control/wire" "derivation" "errors" "gzip"
    "hash" "nar" "octets" "protocol/wire" "store/layout" "store/path"))

(define (layer module)
  "Return the number of the layer of @var{module}, a string such as
@code{\"store/path\"}, or @code{#f}.  Its own name counts before its
directory's."
  (define (layer-where belongs?)
    (any (match-lambda
           ((number . names) (and (any belongs? names) number)))
         %layers))
  (or (layer-where (lambda (name) (string=? name module)))
      (layer-where (lambda (name)
                     (and (string-suffix? "/" name)
                          (string-prefix? name module))))))

(define (family module)
  (first (string-split module #\/)))

(define (allowed? module import)
  "Return true if @var{module} may import @var{import}."
  (let ((from (layer module))
        (to (layer import)))
    (cond ((string=? (family module) "client")
           (or (string=? (family import) "client")
               (member import %client-imports)))
          ((string=? import "primitives") (= from 2))
          ((and (string=? (family module) "store")
                (string=? (family import) "sandbox"))
           #f)
          ((< to from) #t)
          ((= to from) (or (= to 2) (string=? (family module)
                                              (family import))))
          (else #f))))

(define (module-violations module imports)
  "Return a list of texts: what is wrong with @var{module}, a string such as
@code{\"store/path\"}, importing @var{imports}, a list of such strings."
  (define (violation import)
    (cond ((not (layer import))
           (string-append import ": in no layer"))
          ((not (allowed? module import))
           (string-append module " imports " import))
          (else #f)))
  (if (layer module)
      (filter-map violation imports)
      (list (string-append module ": in no layer"))))

(define (definition-imports form)
  "Return the Fruix modules that @var{form}, a @code{define-module} form,
imports: a list of strings such as @code{\"store/path\"}."
  (define (name->string name)
    (string-join (map symbol->string name) "/"))
  (let loop ((options form)
             (imports '()))
    (match options
      (() (reverse imports))
      (((or #:use-module #:autoload)
        (or ('fruix . name) (('fruix . name) . _)) . rest)
       (loop rest (cons (name->string name) imports)))
      ((_ . rest) (loop rest imports)))))

;; Which directories of src/ each directory may include from.
(define %directories
  '(("base")
    ("process" "base")
    ("plan" "base" "process")
    ("linux" "base" "process" "plan" "tree")
    ("freebsd" "base" "process" "plan" "tree")
    ("archive" "base")
    ("tree" "base" "archive")
    ("database" "base")
    ("scheme" "base" "process" "plan" "archive" "tree" "database"
     "linux" "freebsd")))

(define (include-violations file included)
  "Return a list of texts: what is wrong with @var{file}, a name relative to
src/ such as @code{\"tree/walk.cc\"}, including the headers @var{included}."
  (let ((directory (family file)))
    (define (violation header)
      (cond ((string=? header "libguile.h")
             (and (not (string=? directory "scheme"))
                  (string-append file " includes " header)))
            ((not (assoc (family header) %directories)) #f) ;the system's
            ((string=? (family header) directory) #f)
            ((member (family header) (assoc-ref %directories directory)) #f)
            (else (string-append file " includes " header))))
    (if (assoc directory %directories)
        (filter-map violation included)
        (list (string-append file ": in no known directory")))))

(define (file-includes port)
  "Return the names in the @code{#include} lines of @var{port}."
  (let loop ((names '()))
    (match (read-line port)
      ((? eof-object?) (reverse names))
      (line
       (match (string-match "^#[ ]*include[ ]+[<\"]([^>\"]+)" line)
         (#f (loop names))
         (found (loop (cons (match:substring found 1) names))))))))

(define (call-with-each-file directory suffixes proc)
  "Append what @var{proc} returns for each file below @var{directory} whose
name ends in one of @var{suffixes}: it gets the name relative to
@var{directory} and an input port."
  (define (visit file stat results)
    (if (any (lambda (suffix) (string-suffix? suffix file)) suffixes)
        (append results
                (call-with-input-file file
                  (lambda (port)
                    (proc (string-drop file (+ 1 (string-length directory)))
                          port))
                  #:encoding "UTF-8"))
        results))
  (define (pass file stat results) results)
  (file-system-fold (const #t) visit pass pass pass
                    (lambda (file stat errno results) results)
                    '() directory))

(define (scheme-violations source)
  "Return what breaks the direction of imports in the modules of the source
tree @var{source}."
  (call-with-each-file
   (string-append source "/guile/fruix") '(".scm" ".scm.in")
   (lambda (file port)
     (module-violations (string-take file (string-contains file ".scm"))
                        (definition-imports (read port))))))

(define (c++-violations source)
  "Return what breaks the direction of inclusion in the C++ of the source tree
@var{source}."
  (call-with-each-file
   (string-append source "/src") '(".cc" ".hh")
   (lambda (file port)
     (include-violations file (file-includes port)))))
