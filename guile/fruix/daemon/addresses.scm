;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What the daemon can be told to listen on: the name of a socket's file, or
;;; a host and a port.
;;; Code:

(define-module (fruix daemon addresses)
  #:use-module (fruix errors)
  #:use-module (ice-9 match)
  #:export (parse-address))

;; What clients connect to for a URI guix://HOST.
(define %default-port 44146)

(define (parse-port text address)
  (let ((number (and (<= 1 (string-length text) 5)
                     (string-every char-set:digit text)
                     (string->number text))))
    (if (and number (<= 1 number 65535))
        number
        (fail "`~a' in the address `~a' is not the number of a port"
              text address))))

(define (split-host text)
  "Return the host in TEXT, and the text of its port or #f.  A host with
several colons is an IPv6 address."
  (match (list (string-prefix? "[" text) (string-index text #\])
               (string-index text #\:) (string-rindex text #\:))
    ((#t (? integer? end) _ _)
     (let ((rest (string-drop text (+ end 1))))
       (values (substring text 1 end)
               (cond ((string-null? rest) #f)
                     ((string-prefix? ":" rest) (string-drop rest 1))
                     (else rest)))))
    ((#f _ (? integer? first) (? (lambda (last) (eqv? first last))))
     (values (string-take text first) (string-drop text (+ first 1))))
    (_ (values text #f))))

(define (parse-address text)
  "Return the address that @var{text} stands for: @code{(unix @var{file})} for
an absolute file name, or else @code{(tcp @var{host} @var{port})} for
@samp{@var{host}} or @samp{@var{host}:@var{port}}, where an IPv6 address may
stand in brackets.  Raise a @code{&fruix-error} if it is none of these."
  (if (absolute-file-name? text)
      `(unix ,text)
      (call-with-values (lambda () (split-host text))
        (lambda (host port)
          (when (string-null? host)
            (fail "`~a' is no address to listen on" text))
          `(tcp ,host ,(if port (parse-port port text) %default-port))))))
