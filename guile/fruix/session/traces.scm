;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What a client hears of its builds, in the words that clients of
;;; guix-daemon look for.  Pure: from what has happened to texts.
;;;
;;; Lines that begin with "@ " are for programs.  A builder's words never get
;;; there unframed: the text in such a line has no line breaks.
;;; Code:

(define-module (fruix session traces)
  #:use-module (ice-9 match)
  #:use-module (rnrs bytevectors)
  #:export (started->trace
            log->frame
            failure->trace))

(define (started->trace drv system log-file pid)
  "Return the line that says that @var{pid} builds @var{drv}."
  (string-append "@ build-started " drv " - " system " " log-file " "
                 (number->string pid)))

(define (log->frame pid bytes)
  "Return @var{bytes}, a bytevector that the builder @var{pid} wrote, as a
list of bytevectors that tells it from what other builders write."
  (list (string->utf8
         (string-append "@ build-log " (number->string pid) " "
                        (number->string (bytevector-length bytes))
                        "\n"))
        bytes))

(define (one-line text)
  (string-map (lambda (char)
                (if (memv char '(#\newline #\return)) #\space char))
              text))

(define (failure->trace drv kind message)
  "Return the line that says that @var{drv} has failed, or @code{#f} where
there is none."
  (define (trace . reason)
    (string-append "@ build-failed " drv " - "
                   (one-line (string-concatenate reason))))
  (match kind
    ((or 'dependency 'cancelled 'nondeterministic) #f)
    ((or 'timeout 'cached) (trace (symbol->string kind)))
    ('rejected (trace "0 " message))
    (_ (trace "1 " message))))
