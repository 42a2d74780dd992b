;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; An answer to a question about the system: true; a string or an integer
;;; that is more than a mere yes; or (no . REASON) or (unknown . REASON),
;;; where REASON is a string.
;;; Code:

(define-module (fruix doctor answers)
  #:use-module (fruix errors)
  #:use-module (fruix probe)
  #:use-module (ice-9 match)
  #:export (no
            unknown
            yes?
            answer->text
            attempt
            try
            root-only))

(define (no template . arguments)
  "Return the answer no, for the reason that @var{template} gives with
@var{arguments} put in as by @code{format}."
  (cons 'no (apply format #f template arguments)))

(define (unknown template . arguments)
  "Return the answer that it cannot be told, for a reason as for @code{no}."
  (cons 'unknown (apply format #f template arguments)))

(define (yes? answer)
  "Return true if @var{answer} is a yes, or more than that."
  (not (pair? answer)))

(define (one-line text)
  (string-map (lambda (char)
                (if (char-set-contains? char-set:iso-control char)
                    #\space
                    char))
              text))

(define (answer->text answer)
  "Return the line of text, without its end, that stands for @var{answer}."
  (match answer
    (#t "yes")
    ((kind . reason) (format #f "~a (~a)" kind (one-line reason)))
    (value (one-line (format #f "~a" value)))))

(define (exception->reason exception reasons)
  (or (and (eq? 'system-error (exception-kind exception))
           (assv-ref reasons
                     (system-error-errno
                      (cons 'system-error (exception-args exception)))))
      (exception->text exception)))

(define* (attempt thunk #:key (otherwise no) (reasons '()))
  "Return the answer that @var{thunk} returns; or, if it raises an error, the
answer that @var{otherwise}, @code{no} or @code{unknown}, makes of what the
error says, or of the reason that the alist @var{reasons} has for its errno."
  (with-exception-handler
      (lambda (exception)
        (otherwise "~a" (exception->reason exception reasons)))
    thunk
    #:unwind? #t
    #:unwind-for-type &error))

(define* (try name #:optional (subject "") #:key (reasons '()))
  "Return the answer to whether the probe @var{name} succeeds on
@var{subject} (@pxref{fruix probe}), with @var{reasons} as for
@code{attempt}."
  (attempt (lambda ()
             (probe name subject)
             #t)
           #:reasons reasons))

(define (root-only thunk)
  "Return the answer that @var{thunk}, which is called for root only, returns."
  (if (zero? (geteuid))
      (thunk)
      (no "needs root")))
