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
  #:use-module (fruix scripts command-line)
  #:use-module ((fruix scripts text) #:select (printable text->size))
  #:use-module (fruix store layout)
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 format)
  #:use-module (ice-9 match)
  #:export (flag
            valued
            number-valued
            size-valued
            run-command

            option-control-socket
            call-with-daemon)
  #:re-export (option-values
               usage-error))


;;
;; Options.
;;

(define (flag key . names)
  "Return an option called by any of @var{names}, characters and then strings,
that sets @var{key}, a symbol, to true."
  (make-option names 'none #f key (const #t) #f))

(define (valued key . names)
  "Like @code{flag}, for an option whose argument is a value of @var{key}."
  (make-option names 'required #f key
               (lambda (name argument) argument)
               #f))

(define (number-valued key . names)
  "Like @code{valued}, for an argument that must be a natural number."
  (make-option names 'required #f key
               (lambda (name argument)
                 (match (string->number argument)
                   ((? natural? number) number)
                   (_ (usage-error "'~a' is not a number" argument))))
               #f))

(define (size-valued key . names)
  "Like @code{valued}, for an argument that must be a size such as 20G; the
value is in bytes."
  (make-option names 'required #f key
               (lambda (name argument)
                 (or (text->size argument)
                     (usage-error "'~a' is not a size" argument)))
               #f))

(define (natural? value)
  (and (exact-integer? value) (>= value 0)))

;; Options of every subcommand.
(define %common-options
  (list (make-option '(#\h "help") 'last #f 'help (const #t) #f)
        (make-option '(#\V "version") 'last #f 'version (const #t) #f)))

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
@var{proc} with the resulting alist and the list of operands; it returns true
or an exit code.  Return the exit code.  @var{name} is what to call the command,
@var{help} what @option{--help} prints, @var{daemon?} whether it has the options
that say which daemon to ask.  Errors are printed for people."
  (define all-options
    (append options (if daemon? %daemon-options '()) %common-options))
  (define (run)
    (let ((results (parse-command-line all-options arguments 'operands)))
      (cond ((option-value results 'help)
             (display help)
             (when daemon?
               (display %daemon-help))
             (display %common-help)
             0)
            ((option-value results 'version)
             (format #t "fruix (Fruix) ~a~%" %version)
             0)
            (else
             (match (proc results (option-values results 'operands))
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
asks for, which must be of this machine."
  (define address
    (or (assq-ref options 'socket)
        (and (not (assq-ref options 'root))
             (getenv "GUIX_DAEMON_SOCKET"))))
  (or (control-socket address (option-layout options))
      (fail "'~a' is no daemon of this machine" address)))
