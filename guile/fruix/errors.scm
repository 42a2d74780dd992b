;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The conditions that Fruix raises.
;;;
;;; System calls raise 'system-error', as Guile's own do.  What Fruix itself
;;; has to say is a &fruix-error: a message for people, and fields for
;;; programs.  They are raised low and caught at three places: the session
;;; turns them into protocol errors, the builder into failed builds, the
;;; commands into a message and an exit code.
;;; Code:

(define-module (fruix errors)
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 format)
  #:use-module (ice-9 match)
  #:export (&fruix-error
            make-fruix-error
            fruix-error?
            fruix-error-message

            &protocol-error
            make-protocol-error
            protocol-error?
            protocol-error-status

            &build-error
            make-build-error
            build-error?
            build-error-kind

            &sandbox-error
            make-sandbox-error
            sandbox-error?
            sandbox-error-field
            sandbox-error-step
            sandbox-error-errno

            fail
            on-failure
            call-with-closing-port
            unless-errno
            passing-error?
            call-catching
            call-naming
            exception->text
            write-warning))

(define-exception-type &fruix-error &error
  make-fruix-error
  fruix-error?
  (message fruix-error-message))                  ;string

;; What the other side of a connection did wrong, or said went wrong.
(define-exception-type &protocol-error &fruix-error
  make-protocol-error
  protocol-error?
  (status protocol-error-status))                 ;integer, 1 by default

;; Why a derivation could not be built.  KIND is one of: rejected (bad input,
;; nothing was run), failed (the builder), output (what it left behind),
;; unrepeatable (another round left something else behind), timeout, transient
;; (worth another try), cancelled.
(define-exception-type &build-error &fruix-error
  make-build-error
  build-error?
  (kind build-error-kind))

;; Why there is no sandbox: the field of its description that is at fault, or
;; the step that failed, with the errno; what does not apply is #f.
(define-exception-type &sandbox-error &fruix-error
  make-sandbox-error
  sandbox-error?
  (field sandbox-error-field)                     ;symbol | #f
  (step sandbox-error-step)                       ;string | #f
  (errno sandbox-error-errno))                    ;integer | #f

(define (fail template . arguments)
  "Raise a @code{&fruix-error} whose message is @var{template}, a string, with
@var{arguments} put in as by @code{format}."
  (raise-exception (make-fruix-error (apply format #f template arguments))))

(define (on-failure clean-up thunk)
  "Call @var{thunk} and return what it returned; if it raises, call
@var{clean-up}, a thunk, before the exception goes on."
  (with-exception-handler
      (lambda (exception)
        (clean-up)
        (raise-exception exception))
    thunk
    #:unwind? #t))

(define (call-with-closing-port port proc)
  "Call @var{proc} with @var{port}, close that however @var{proc} is left, and
return what @var{proc} returned."
  (dynamic-wind
    (const #t)
    (lambda () (proc port))
    (lambda () (close-port port))))

(define (unless-errno errnos default thunk)
  "Call @var{thunk} and return what it returned; @var{default} if it raises a
@code{system-error} with one of @var{errnos}, a list of integers."
  (catch 'system-error
    thunk
    (lambda arguments
      (if (memv (system-error-errno arguments) errnos)
          default
          (apply throw arguments)))))

;; For want of descriptors or memory, or because of a signal.
(define %passing-errnos (list EINTR EMFILE ENFILE ENOMEM))

(define (passing-error? exception)
  "Return true if @var{exception} says nothing about what was to be looked at
or changed, but only that this was not possible in that moment."
  (case (exception-kind exception)
    ((system-error)
     (memv (system-error-errno (cons 'system-error
                                     (exception-args exception)))
           %passing-errnos))
    ((out-of-memory) #t)
    (else #f)))

(define (call-catching thunk)
  "Call @var{thunk} and return a thunk that returns its value, or raises what
it raised."
  (with-exception-handler
      (lambda (exception)
        (lambda () (raise-exception exception)))
    (lambda ()
      (let ((value (thunk)))
        (const value)))
    #:unwind? #t))

(define (call-naming subject thunk)
  "Call @var{thunk} and return what it returned; have a @code{system-error}
that it raises name @var{subject}, a string: those of Guile's own procedures
often name nothing."
  (catch 'system-error
    thunk
    (lambda (key who template arguments . rest)
      (apply throw key who "~a: ~a"
             (list subject (apply format #f template arguments)) rest))))

(define (exception->text exception)
  "Return what @var{exception}, any condition object, has to tell people: a
string without a trailing newline."
  (if (fruix-error? exception)
      (fruix-error-message exception)
      (match (exception-args exception)
        ;; The shape of what Guile itself throws.
        (((? string? who) (? string? template) (? list? arguments) . _)
         (string-append who ": " (apply format #f template arguments)))
        ((#f (? string? template) (? list? arguments) . _)
         (apply format #f template arguments))
        (arguments
         (format #f "~a: ~s" (exception-kind exception) arguments)))))

(define (write-warning template . arguments)
  "Write what @code{format} makes of @var{template} and @var{arguments} as a
line to @code{current-warning-port}.  Where that cannot be written, it is lost:
who warns has something else to do, which must not be left undone."
  (false-if-exception
   (format (current-warning-port) "fruix: ~?~%" template arguments)))
