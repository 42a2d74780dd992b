;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The command 'fruix': picks the subcommand.
;;; Code:

(define-module (fruix scripts fruix)
  #:use-module ((fruix config) #:select (%version))
  #:use-module (ice-9 match)
  #:export (main))

(define %commands
  '("build" "log" "path-info" "ps" "add" "gc" "verify" "doctor"))

(define %help "\
Usage: fruix COMMAND ARGUMENT…
Ask the build daemon for something.

  build      build derivations, or get store items
  log        print the log of a build
  path-info  tell about store items
  ps         list the builds that run or wait, of all clients
  add        add files to the store
  gc         delete what nobody needs from the store
  verify     look for damage in the store
  doctor     say what this system can do for builds

'fruix COMMAND --help' tells more.
")

(define (run command arguments)
  (let ((module (resolve-interface
                 `(fruix scripts ,(string->symbol command)))))
    ((module-ref module 'main) arguments)))

(define (main arguments)
  "Run the subcommand that @var{arguments}, the command line without the
program's name, asks for.  Return the exit code."
  (false-if-exception (setlocale LC_ALL "")) ;one that is not installed
  (sigaction SIGPIPE SIG_IGN)
  (match arguments
    (((or "--help" "-h" "help"))
     (display %help)
     0)
    (((or "--version" "-V"))
     (format #t "fruix (Fruix) ~a~%" %version)
     0)
    (((? (lambda (name) (member name %commands)) command) . rest)
     (run command rest))
    (other
     (format (current-error-port)
             "fruix: ~a~%Try 'fruix --help'.~%"
             (match other
               (() "missing command")
               (((? (lambda (word) (string-prefix? "-" word)) word) . _)
                (format #f "unrecognized option `~a'" word))
               ((word . _)
                (format #f "unknown command '~a'" word))))
     2)))
