;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Derivations added to the daemon's store, and building them.
;;; Code:

(define-module (fruix client derivations)
  #:use-module (fruix client connection)
  #:use-module ((fruix client items) #:select (add-text-to-store))
  #:use-module ((fruix config) #:select (%system))
  #:use-module (fruix derivation)
  #:use-module ((fruix errors) #:select (fail))
  #:use-module (fruix octets)
  #:use-module (fruix protocol wire)
  #:use-module ((fruix store layout) #:select (layout-store))
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-9)
  #:use-module (srfi srfi-9 gnu)
  #:export (derivation
            store-derivation?
            derivation-file-name
            derivation->output-path
            derivation->output-paths
            build-things
            build-derivations))

(define-record-type <store-derivation>
  (make-store-derivation file-name outputs)
  store-derivation?
  (file-name derivation-file-name)              ;of the .drv in the store
  (outputs   derivation->output-paths))         ;alist: name -> file name

(set-record-type-printer!
 <store-derivation>
 (lambda (derivation port)
   (format port "#<derivation ~a>" (derivation-file-name derivation))))

(define* (derivation->output-path derivation #:optional (output "out"))
  "Return the store file name of @var{output}, a name, of
@var{derivation}, which @code{derivation} returned."
  (or (assoc-ref (derivation->output-paths derivation) output)
      (fail "'~a' has no output '~a'" (derivation-file-name derivation)
            output)))

(define (input->spec input)
  "Return what @var{input}, as passed to @code{derivation}, stands for: a list
of a .drv and outputs, or a store file name."
  (match input
    ((? string? source) source)
    ((? store-derivation? derivation)
     (list (derivation-file-name derivation) "out"))
    (((? store-derivation? derivation) . outputs)
     (cons (derivation-file-name derivation) outputs))
    (((? string? drv) . outputs)
     (cons drv outputs))))

(define (special-variables references-graphs impure-variables local-build?
                           substitutable?)
  "Return those variables with a meaning to the daemon that these options of
@code{derivation} ask for."
  (define (variable name value)
    (if value (list (cons name value)) '()))
  (append
   (variable "exportReferencesGraph"
             (match references-graphs
               (() #f)
               (((files . items) ...)
                (string-join (map (lambda (file item)
                                    (string-append file " " item))
                                  files items)))))
   (variable "impureEnvVars"
             (and (pair? impure-variables) (string-join impure-variables)))
   (variable "preferLocalBuild" (and local-build? "1"))
   (variable "allowSubstitutes" (and (not substitutable?) "0"))))

(define (octets-alist alist)
  (map (match-lambda
         ((name . value)
          (cons (text->octets name) (text->octets value))))
       alist))

(define (add-derivation connection name description file text)
  "Add TEXT, that of the <derivation> DESCRIPTION called NAME, to the store,
where it will be FILE; return it as a <store-derivation>."
  (add-text-to-store connection (string-append name ".drv")
                     (octets->bytevector text)
                     (derivation-references description))
  (remember-derivation! connection file description)
  (make-store-derivation file
                         (map (lambda (output)
                                (cons (derivation-output-name output)
                                      (derivation-output-path output)))
                              (derivation-outputs description))))

(define* (derivation connection name builder arguments
                     #:key (system %system) (environment '()) (inputs '())
                     (outputs '("out")) hash (hash-algorithm 'sha256)
                     recursive? (references-graphs '()) (impure-variables '())
                     local-build? (substitutable? #t))
  "Add to the store a derivation called @var{name} that runs @var{builder}, a
file name, with @var{arguments}, a list of strings, and @var{environment}, an
alist of strings, on @var{system}.  Return it as an object for
@code{derivation-file-name} and the like.  Each of @var{inputs} is a store
file name, a derivation (for its output @code{out}), or a list of a derivation,
or the file name of one, and names of outputs.  With @var{hash}, a bytevector,
by @var{hash-algorithm} it is a fixed-output derivation, of an archive if
@var{recursive?} is true.  @var{references-graphs} is an alist from file names
to store items: each file will list what that item refers to.
@var{impure-variables} names variables to take from the daemon's environment,
for a fixed output.  @var{local-build?} asks not to build on another machine,
and a false @var{substitutable?} not to substitute the outputs."
  (define special
    (special-variables references-graphs impure-variables local-build?
                       substitutable?))
  (define specs (map input->spec inputs))
  (call-with-values
      (lambda ()
        (make-derivation (layout-store (connection-layout connection))
                         name (text->octets builder)
                         (map text->octets arguments)
                         #:system system
                         #:environment
                         (octets-alist (append special environment))
                         #:inputs (filter pair? specs)
                         #:sources (filter string? specs)
                         #:outputs outputs
                         #:hash hash #:hash-algorithm hash-algorithm
                         #:recursive? recursive?
                         #:lookup (connection-hash-modulo connection)))
    (lambda (description file text)
      (add-derivation connection name description file text))))

(define %build-modes
  '((normal . 0) (repair . 1) (check . 2)))

(define (mode-number mode)
  (or (assq-ref %build-modes mode)
      (fail "`~a' is not a build mode, but normal, repair and check are" mode)))

(define* (build-things connection things #:optional (mode 'normal))
  "Have @var{things} built or substituted.  Each is the file name of a .drv,
possibly followed by @code{!} and names of outputs separated by commas, or the
file name of a store item.  @var{mode} is @code{normal}, @code{repair} or
@code{check}.  Return when all are there; else raise @code{&protocol-error},
with the status 100 if a builder failed and 101 if one took too long."
  ;; Before anything is sent: a wrong mode does not cost the connection.
  (let ((number (mode-number mode)))
    (call-operation connection 9
                    (lambda (port)
                      (write-text-list port things)
                      (write-int port number))
                    read-done)))

(define* (build-derivations connection derivations #:optional (mode 'normal))
  "Like @code{build-things} for @var{derivations}, a list of what
@code{derivation} returns, file names of .drv files, or lists of either and
names of outputs."
  (build-things connection
                (map (lambda (derivation)
                       (match (input->spec derivation)
                         ((? string? drv) drv)
                         ((drv . outputs)
                          (string-append drv "!"
                                         (string-join outputs ",")))))
                     derivations)
                mode))
