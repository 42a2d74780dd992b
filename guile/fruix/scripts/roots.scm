;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Links of users that keep store items from being collected.
;;; Code:

(define-module (fruix scripts roots)
  #:use-module (fruix client)
  #:use-module (fruix errors)
  #:export (root-name
            check-root
            add-roots))

(define-syntax-rule (call-about file body ...)
  (catch 'system-error
    (lambda () body ...)
    (lambda arguments
      (fail "cannot make the root '~a': ~a" file
            (strerror (system-error-errno arguments))))))

(define (root-name file)
  "Return the absolute name of @var{file}, whose directory must exist; no link
is in it but perhaps the last part, as the daemon works elsewhere."
  (call-about file
    (string-append (canonicalize-path (dirname file)) "/" (basename file))))

(define (there? file)
  "Return true if there is a link FILE, and raise an error if there is
something else."
  (let ((status (unless-errno (list ENOENT) #f
                  (lambda () (lstat file)))))
    (unless (or (not status) (eq? 'symlink (stat:type status)))
      (fail "cannot make the root '~a': what is there is no symbolic link"
            file))
    (->bool status)))

(define (check-root file)
  "Raise a @code{&fruix-error} if @var{file} is there and not a symbolic link,
or cannot be seen."
  (call-about file (there? file)))

(define (make-link item file)
  "Make FILE a link to ITEM, in the place of another link."
  (call-about file
    (if (there? file)
        ;; In one step: what is a root remains one.
        (let ((temporary (format #f "~a.tmp-~a" file (getpid))))
          (symlink item temporary)
          (on-failure (lambda () (delete-file temporary))
            (lambda () (rename-file temporary file))))
        (symlink item file))))

(define (add-roots daemon items file)
  "Make @var{file}, a name that @code{root-name} has returned, a symbolic link
to the first of @var{items}, store paths, and files called @file{@var{file}-1}
and so on links to the others; have @var{daemon} keep the items as long as the
links are there.  What is there and not a symbolic link raises a
@code{&fruix-error}, and then no link is made."
  (define files
    (map (lambda (index)
           (if (zero? index)
               file
               (format #f "~a-~a" file index)))
         (iota (length items))))
  (for-each check-root files)
  (for-each (lambda (item file)
              (make-link item file)
              (add-indirect-root daemon file))
            items files))
