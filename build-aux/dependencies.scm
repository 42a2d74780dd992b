;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Print, as rules for make, what each module is compiled after: the modules
;;; that it imports, whose small procedures Guile copies into it.
;;;
;;; Usage: dependencies.scm SOURCE-DIRECTORY MODULE.scm...
;;; The modules' names are relative to the directory, and begin with guile/.
;;; Code:

(use-modules (check-layers)
             (ice-9 match))

(define (object-file module)
  "Return the name of the compiled MODULE, a string such as \"store/path\"."
  (string-append "guile/fruix/" module ".go"))

(define (print-rule source file)
  "Print the rule for FILE in the directory SOURCE."
  (let ((imports (definition-imports
                   (call-with-input-file (string-append source "/" file) read
                     #:encoding "UTF-8"))))
    (format #t "~a.go: ~a~%" (string-drop-right file (string-length ".scm"))
            (string-join (map object-file imports)))))

(match (command-line)
  ((_ source files ...)
   (for-each (lambda (file) (print-rule source file)) files)))
