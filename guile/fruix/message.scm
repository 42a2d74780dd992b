;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What people are told, on its way to a client: octets.
;;;
;;; Where a message of ours names paths, these are octets as they came over the
;;; wire; so it is put together from octets, and names of files, which are text,
;;; are encoded before they become a part of it.  What the system says is text.
;;; Code:

(define-module (fruix message)
  #:use-module (fruix errors)
  #:use-module (fruix octets)
  #:export (message->octets
            exception->octets))

(define (message->octets message)
  "Return @var{message} as an octet string.  If all of its characters are bytes,
it is one."
  (if (string-every (lambda (char) (char<=? char #\xff)) message)
      message
      (text->octets message)))

(define (exception->octets exception)
  "Return what @code{exception->text} says of @var{exception}, as an octet
string."
  ((if (fruix-error? exception) message->octets text->octets)
   (exception->text exception)))
