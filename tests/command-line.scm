;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Command lines: how options are written, what is wrong with them, and what
;;; is said of them.

(use-modules (fruix scripts command-line)
             (srfi srfi-64))

(define %options
  (list (make-option '(#\c "count") 'required "N" 'count
                     (lambda (name text) (string->number text))
                     "count to N")
        (make-option '(#\q "quiet") 'none #f 'quiet (lambda _ #t) "be quiet")
        (make-option '("colour") 'optional "WHEN" 'colour
                     (lambda (name text) (or text 'always)) "use colours")
        (make-option '("secret") 'none #f 'secret (lambda _ #t) #f)
        (make-option '("help") 'last #f 'help (lambda _ #t)
                     (string-append "tell all of this, and that at length, \
so that it does not fit in a line"))))

(define (parse . words)
  (parse-command-line %options words))

(define (complaint . words)
  "Return what is wrong with the usage of WORDS."
  (with-exception-handler
      (lambda (exception)
        (and (usage-error? exception)
             ((@ (fruix errors) exception->text) exception)))
    (lambda () (apply parse words) 'nothing)
    #:unwind? #t))

(test-begin "command-line")

(test-equal "nothing" '() (parse))
(test-equal "an argument, written in all ways"
  (make-list 8 '((count . 4)))
  (map (lambda (words) (apply parse words))
       '(("--count=4") ("--count" "4") ("-c4") ("-c" "4") ("--cou=4")
         ("--cou" "4") ("--count=4" "--") ("--count" "4" "--"))))
(test-equal "an argument that looks like an option, or is empty"
  '(((colour . "") (count . -4)) ((count . #f)))
  (list (parse "--count" "-4" "--colour=") (parse "--count=")))
(test-equal "an optional argument is never the next word"
  '(((quiet . #t) (colour . always)) ((colour . "no")))
  (list (parse "--colour" "-q") (parse "--colour=no")))
(test-equal "short options are joined"
  '((count . 4) (quiet . #t) (quiet . #t))
  (parse "-qqc4"))
(test-equal "the last is the first, and all are there" '(2 (1 2) #f none)
  (let ((results (parse "--count=1" "--count=2")))
    (list (option-value results 'count) (option-values results 'count)
          (option-value results 'quiet) (option-value results 'quiet 'none))))
(test-equal "a hidden option is one" '((secret . #t)) (parse "--secret"))
(test-equal "after --help all is well" '((help . #t) (quiet . #t))
  (parse "-q" "--help" "--nonsense"))

(test-equal "operands, where they are allowed"
  '((operand . "-q") (operand . "-") (quiet . #t) (operand . "x"))
  (parse-command-line %options '("x" "-q" "-" "--" "-q") 'operand))

(test-equal "usage errors"
  '("unrecognized option `--frob'"
    "option `--co' is ambiguous: `--count' `--colour'"
    "invalid option -- `x'"
    "invalid option -- `x'"
    "option `--count' requires an argument"
    "option `-c' requires an argument"
    "option `--quiet' doesn't allow an argument"
    "unexpected argument `word'"
    "unexpected argument `-'"
    "unexpected argument `-q'")
  (map (lambda (words) (apply complaint words))
       '(("--frob") ("--co" "4") ("-x") ("-qx") ("--count") ("-qc")
         ("--qui=yes") ("-q" "word") ("-") ("--" "-q"))))

(test-equal "help" "\
Usage: tool [OPTION...]
Does things.

  -c, --count=N              count to N
  -q, --quiet                be quiet
      --colour[=WHEN]        use colours
      --help                 tell all of this, and that at length, so that it
                             does not fit in a line
"
  (help-text "tool" "Does things." %options))
(test-equal "usage" "\
Usage: tool [-c N] [-q] [--count=N] [--quiet] [--colour[=WHEN]] [--help]
"
  (usage-text "tool" %options))

(test-end "command-line")
