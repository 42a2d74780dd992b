;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Errors of procedures that change files: they name the file.

(use-modules (fruix errors)
             (fruix files)
             (ice-9 match)
             (srfi srfi-64)
             (tests support))

(test-begin "files")

(define (error-of thunk)
  "Return the text and the errno of the system-error that THUNK raises."
  (define text
    (with-exception-handler exception->text thunk #:unwind? #t))
  (list text
        (catch 'system-error
          thunk
          (lambda arguments (system-error-errno arguments)))))

(for-each
 (match-lambda
   ((name . thunk)
    (test-equal name
      (list (string-append name ": /nonexistent/file: No such file or \
directory")
            ENOENT)
      (error-of thunk))))
 (let ((file "/nonexistent/file"))
   `(("chmod" . ,(lambda () (chmod file #o600)))
     ("chown" . ,(lambda () (chown file -1 -1)))
     ("delete-file" . ,(lambda () (delete-file file)))
     ("mkdir" . ,(lambda () (mkdir file)))
     ("open-fdes" . ,(lambda () (open file O_RDONLY)))
     ("open-fdes" . ,(lambda () (open-fdes file O_RDONLY)))
     ("readlink" . ,(lambda () (readlink file)))
     ("rmdir" . ,(lambda () (rmdir file)))
     ("utime" . ,(lambda () (utime file 1 1))))))

(test-equal "mkdtemp"
  (list "mkdtemp: /nonexistent/XXXXXX: No such file or directory" ENOENT)
  (error-of (lambda () (mkdtemp (string-copy "/nonexistent/XXXXXX")))))

(for-each
 (match-lambda
   ((name proc)
    (test-equal name
      (list (string-append name ": /nonexistent/a -> /nonexistent/b: \
No such file or directory")
            ENOENT)
      (error-of (lambda () (proc "/nonexistent/a" "/nonexistent/b"))))))
 `(("link" ,link) ("rename-file" ,rename-file) ("symlink" ,symlink)))

(test-equal "what succeeds is done" '("target" #o750)
  (call-with-temporary-directory
   (lambda (directory)
     (let ((made (string-append directory "/made"))
           (moved (string-append directory "/moved"))
           (linked (string-append directory "/link")))
       (mkdir made #o700)
       (chmod made #o750)
       (rename-file made moved)
       (symlink "target" linked)
       (list (readlink linked)
             (logand #o777 (stat:perms (stat moved))))))))

(test-end "files")
