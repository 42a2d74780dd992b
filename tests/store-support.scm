;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; A store of a test's own, with a static shell in it and derivations that
;;; run the shell.
;;; Code:

(define-module (tests store-support)
  #:use-module (fruix config)
  #:use-module (fruix derivation)
  #:use-module (fruix descriptors)
  #:use-module (fruix hash)
  #:use-module (fruix nar)
  #:use-module (fruix octets)
  #:use-module (fruix store)
  #:use-module (fruix store layout)
  #:use-module (fruix process)
  #:use-module (ice-9 match)
  #:use-module (rnrs bytevectors)
  #:use-module (tests support)
  #:export (call-with-temporary-store
            call-with-store-process
            add-tree!
            make-static-shell
            add-static-shell!
            add-shell-derivation!
            sha256-of))

(define* (call-with-temporary-store proc #:key build-group)
  "Call @var{proc} with a new store that is empty, and deleted afterwards."
  (call-with-temporary-directory
   (lambda (directory)
     (call-with-store (make-layout #:root directory) proc
                      #:build-group build-group))))

(define (store-program root expression)
  "Return the program of @code{call-with-store-process}."
  `(begin
     (use-modules (fruix nar) (fruix store) (fruix store layout)
                  (ice-9 rdelim) (rnrs bytevectors))
     (define (say object)
       (write object)
       (newline)
       (force-output))
     (call-with-store (make-layout #:root ,root)
       (lambda (store)
         ,expression))))

(define (call-with-store-process root expression proc)
  "Call @var{proc} with ports from and to a process that has the store under
@var{root} open and evaluates @var{expression}.  It is killed when @var{proc}
returns."
  (call-with-program
   (list "guile" "--no-auto-compile" "-c"
         (format #f "~s" (store-program root expression)))
   proc))

(define (feed-all source restorer)
  (let ((buffer (make-bytevector 65536)))
    (let loop ()
      (let ((count (nar-source-read! source buffer)))
        (unless (zero? count)
          (nar-restore! restorer buffer 0 count)
          (loop))))
    (nar-source-close! source)))

(define (add-tree! store name directory file)
  "Add the tree @var{file} of @var{directory} to @var{store} as @var{name} and
return its path."
  (call-with-directory directory
    (lambda (fd)
      (call-with-store-restorer store name
        (lambda (restorer)
          (feed-all (open-nar-source fd file) restorer))))))

;; A program that needs nothing else and is a shell, and the other names under
;; which it is a command.
(define-values (%static-program %static-commands)
  (case %platform
    ((linux) (values "/bin/busybox" '())) ;finds them itself
    ((freebsd) (values "/rescue/sh"
                       (delete "sh" (or (directory-entries "/rescue")
                                        '()))))))

(define (make-static-shell directory)
  "Make a tree in @var{directory} whose @file{bin/sh} is a shell that needs
nothing else, with the usual commands."
  (define (file name) (string-append directory "/bin/" name))
  (mkdir (file ""))
  (copy-file %static-program (file "sh"))
  (chmod (file "sh") #o755)
  (for-each (lambda (name) (symlink "sh" (file name))) %static-commands))

(define (with-commands shell script)
  "Return @var{script} such that it finds the commands of the item
@var{shell}."
  (if (null? %static-commands)
      script
      (string-append "PATH=" shell "/bin\n" script)))

(define (add-static-shell! store)
  "Add such a tree to @var{store} and return its path."
  (call-with-temporary-directory
   (lambda (directory)
     (make-static-shell directory)
     (add-tree! store "shell" (dirname directory) (basename directory)))))

(define* (add-shell-derivation! store shell name script
                                #:key (environment '()) (outputs '("out"))
                                (inputs '()) (sources '()) hash
                                (system %system)
                                (builder (string-append shell "/bin/sh")))
  "Add a derivation that runs @var{script} in @var{shell} to @var{store}; return
its file name.  The keywords are as for @code{make-derivation}."
  (call-with-values
      (lambda ()
        (make-derivation (store-directory store) name builder
                         (list "-c" (with-commands shell script))
                         #:system system
                         #:environment environment #:outputs outputs
                         #:inputs inputs #:sources (cons shell sources)
                         #:hash hash
                         #:lookup (lambda (drv)
                                    (derivation-hash store drv))))
    (lambda (derivation drv text)
      (add-text! store (string-append name ".drv") (octets->bytevector text)
                 (derivation-references derivation)))))

(define (sha256-of text)
  (bytevector-hash 'sha256 (string->utf8 text)))
