;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Signatures: having 'guix authenticate' sign hashes of exported items and
;;; verify those of items to import.
;;;
;;; Signatures are octets, and so are the messages of errors: each part of the
;;; talk is preceded by its length.
;;; Code:

(define-module (fruix agent authenticate)
  #:use-module (fruix agent conversation)
  #:use-module (fruix agent pool)
  #:use-module (fruix base16)
  #:use-module (fruix errors)
  #:use-module (fruix octets)
  #:use-module (ice-9 match)
  #:export (sign-hash
            verify-signature))

;; Seconds that an answer may take.
(define %timeout 120)

;; Bytes of a signature or message.
(define %size-limit 65536)

(define (counted octets)
  (format #f "~a:~a" (string-length octets) octets))

(define (read-number agent end)
  "Return the number that AGENT replies, followed by the character END."
  (let ((text (agent-read-through! agent end)))
    (or (and (<= 1 (string-length text) 5)
             (string-every (string->char-set "0123456789") text)
             (string->number text 10))
        (fail "`guix authenticate' sent `~a' for a number" text))))

(define (read-answer agent)
  "Return the code and the octets of the answer of AGENT, as a pair."
  (let* ((code (read-number agent #\space))
         (size (read-number agent #\:)))
    (when (> size %size-limit)
      (fail "`guix authenticate' sent ~a bytes" size))
    (cons code (agent-read! agent size))))

(define (ask pool purpose command . arguments)
  "Return what an agent answers to COMMAND with ARGUMENTS, octet strings."
  (define request
    (string-append (string-join (cons command (map counted arguments)))
                   "\n"))
  (match (call-with-agent pool '("authenticate") '()
           (lambda (agent)
             (begin-talk! agent #:timeout %timeout)
             (agent-send! agent request)
             (read-answer agent))
           #:reply-numbers '(1) #:purpose purpose)
    ((0 . octets) octets)
    ((code . message)
     (fail "cannot ~a: ~a" purpose (string-trim-right message)))))

(define (sign-hash pool key-file hash)
  "Return the signature of @var{hash}, the bytevector of a SHA-256, by the
secret key in @var{key-file}, a file name; the public one is beside it.  The
signature is an octet string, the text of a canonical S-expression.  Use an
agent of @var{pool}.  Raise a @code{&fruix-error} if there is none, or it
cannot sign."
  (ask pool "sign exported store items" "sign"
       (text->octets key-file) (bytevector->base16-string hash)))

(define (verify-signature pool signature)
  "Return the hash that @var{signature}, an octet string, signs: a bytevector.
Use an agent of @var{pool}.  Raise a @code{&fruix-error} if there is none, or
if it does not find the signature valid and by an authorized key."
  (let ((hash (ask pool "verify signatures" "verify" signature)))
    (or (false-if-exception (base16-string->bytevector hash))
        (fail "`guix authenticate' sent `~a' for a hash" hash))))
