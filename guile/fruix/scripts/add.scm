;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; 'fruix add': files and directories into the store.
;;; Code:

(define-module (fruix scripts add)
  #:use-module (fruix client)
  #:use-module ((fruix hash) #:select (lookup-hash-algorithm))
  #:use-module (fruix scripts support)
  #:export (main))

(define %options
  (list (flag 'recursive #\r "recursive")
        (valued 'hash #\H "hash")
        (valued 'name #\n "name")))

(define %help "\
Usage: fruix add [OPTION]… FILE…
Add each FILE to the store and print its name there.

  -r, --recursive        hash the archive of FILE, which keeps whether it can
                         be executed, not its contents; always so for a
                         directory or a symbolic link
  -H, --hash=ALGORITHM   hash with ALGORITHM: md5 sha1 sha256 sha512 sha3-256
                         sha3-512 blake2s-256; by default sha256
  -n, --name=NAME        call it NAME in the store, by default as it is called
")

(define (algorithm options)
  (let ((name (or (assq-ref options 'hash) "sha256")))
    (or (lookup-hash-algorithm name)
        (usage-error "unknown hash algorithm '~a'" name))))

(define (add-file daemon file algorithm options)
  (add-to-store daemon file
                #:name (or (assq-ref options 'name) (basename file))
                #:algorithm algorithm
                #:recursive? (or (assq-ref options 'recursive)
                                 (not (eq? 'regular
                                           (stat:type (lstat file)))))))

(define (main arguments)
  "Add the files that @var{arguments}, a list of strings, names to the store.
Return the exit code."
  (run-command
   "fruix add" arguments %options %help
   (lambda (options files)
     (define hash (algorithm options))
     (when (null? files)
       (usage-error "no file given"))
     (when (and (assq-ref options 'name) (pair? (cdr files)))
       (usage-error "'--name' goes with one file only"))
     (call-with-daemon options
       (lambda (daemon)
         (for-each (lambda (file)
                     (format #t "~a~%"
                             (add-file daemon file hash options)))
                   files))))))
