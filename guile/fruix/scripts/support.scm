;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What the subcommands of 'fruix' share: options, the connection that they
;;; ask for, errors as messages and exit codes.
;;;
;;; Exit codes: 0 done, 1 error, 2 wrong usage; as from the daemon, 100 a
;;; build failed and 101 one took too long.
;;; Code:

(define-module (fruix scripts support)
  #:use-module (fruix client)
  #:use-module ((fruix client socket) #:select (control-socket))
  #:use-module ((fruix config) #:select (%version))
  #:use-module (fruix errors)
  #:use-module ((fruix scripts text) #:select (printable))
  #:use-module (fruix store layout)
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 format)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-37)
  #:export (flag
            valued
            number-valued
            repeated
            run-command
            usage-error

            option-control-socket
            call-with-daemon))


;;
;; Options: an alist, with the other arguments as 'arguments'.
;;

(define (flag key . names)
  "Return an option called by any of @var{names}, a character or a string
each, that sets @var{key}, a symbol, to true."
  (option names #f #f
          (lambda (option name argument result)
            (acons key #t result))))

(define (valued key . names)
  "Like @code{flag}, for an option whose argument is the value of @var{key}."
  (option names #t #f
          (lambda (option name argument result)
            (acons key argument result))))

(define (number-valued key . names)
  "Like @code{valued}, for an argument that must be a natural number."
  (option names #t #f
          (lambda (option name argument result)
            (acons key
                   (if (string-every char-set:digit argument)
                       (string->number argument)
                       (usage-error "'~a' is not a number" argument))
                   result))))

(define (repeated key . names)
  "Like @code{valued}, for an option that may be given more than once: the
value of @var{key} is the list of all arguments."
  (option names #t #f
          (lambda (option name argument result)
            (acons key
                   (append (or (assq-ref result key) '()) (list argument))
                   result))))

;; Options of every subcommand.
(define %common-options
  (list (flag 'help #\h "help")
        (flag 'version #\V "version")))

;; Options of those that ask the daemon.
(define %daemon-options
  (list (valued 'socket "socket")
        (valued 'root "root")))

(define %daemon-help "
      --socket=ADDRESS   connect to the daemon at ADDRESS, a file name or URI
      --root=DIRECTORY   use the daemon whose files are under DIRECTORY")

(define %common-help "
  -h, --help             display this help and exit
  -V, --version          display version information and exit
")

(define-exception-type &usage-error &fruix-error
  make-usage-error
  usage-error?)

(define (usage-error template . arguments)
  "Leave the command, saying what is wrong with its arguments: @var{template}
with @var{arguments} put in as by @code{format}."
  (raise-exception
   (make-usage-error (apply format #f template arguments))))

(define (parse arguments options)
  (args-fold arguments options
             (lambda (option name argument result)
               (usage-error "unknown option '~a~a'"
                            (if (char? name) "-" "--") name))
             (lambda (argument result)
               (acons 'arguments
                      (append (assq-ref result 'arguments) (list argument))
                      result))
             '((arguments))))

(define (report-error name exception)
  "Tell people about EXCEPTION in the command NAME; return the exit code."
  (define lines
    (string-split (exception->text exception) #\newline))
  (format (current-error-port) "~a: ~a~%"
          name (string-join (map printable lines) "\n"))
  (cond ((usage-error? exception)
         (format (current-error-port) "Try '~a --help'.~%" name)
         2)
        ((and (protocol-error? exception)
              (memv (protocol-error-status exception) '(100 101)))
         (protocol-error-status exception))
        (else 1)))

(define* (run-command name arguments options help proc #:key (daemon? #t))
  "Parse @var{arguments}, a list of strings, by @var{options} and call
@var{proc} with the resulting alist and the list of other arguments; it
returns true or an exit code.  Return the exit code.  @var{name} is what to
call the command, @var{help} what @option{--help} prints, @var{daemon?}
whether it has the options that say which daemon to ask.  Errors are printed
for people."
  (define all-options
    (append options (if daemon? %daemon-options '()) %common-options))
  (define (run)
    (let ((result (parse arguments all-options)))
      (cond ((assq-ref result 'help)
             (display help)
             (when daemon?
               (display %daemon-help))
             (display %common-help)
             0)
            ((assq-ref result 'version)
             (format #t "fruix (Fruix) ~a~%" %version)
             0)
            (else
             (match (proc result (assq-ref result 'arguments))
               ((? integer? code) code)
               (_ 0))))))
  (with-exception-handler (lambda (exception)
                            (report-error name exception))
    run
    #:unwind? #t
    #:unwind-for-type &error))


;;
;; The daemon.
;;

(define (absolute file)
  (if (absolute-file-name? file)
      file
      (string-append (getcwd) "/" file)))

(define (option-layout options)
  (layout-from-environment #:root (and=> (or (assq-ref options 'root)
                                             (getenv "FRUIX_ROOT"))
                                         absolute)))

(define (call-with-daemon options proc)
  "Call @var{proc} with a connection to the daemon that @var{options} asks
for."
  (call-with-connection proc
                        (or (assq-ref options 'socket)
                            (and (assq-ref options 'root)
                                 (layout-socket (option-layout options))))
                        #:layout (option-layout options)))


(define (option-control-socket options)
  "Return the file name of the control socket of the daemon that @var{options}
asks for."
  (control-socket (or (assq-ref options 'socket)
                      (and (not (assq-ref options 'root))
                           (getenv "GUIX_DAEMON_SOCKET")))
                  (option-layout options)))
