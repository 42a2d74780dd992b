;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The directory for a user's profiles, which every user finds there after
;;; having talked to the daemon once.
;;; Code:

(define-module (fruix session profile)
  #:use-module (fruix message)
  #:use-module ((fruix octets) #:select (text->octets))
  #:use-module (fruix session client)
  #:use-module ((fruix store) #:select (store-layout))
  #:use-module ((fruix store directories) #:select (make-profile-directory))
  #:use-module ((fruix thread) #:select (with-lock))
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 match)
  #:use-module ((ice-9 threads) #:select (make-mutex))
  #:export (provide-profile-directory))

;; getpwuid(3) and getpwnam(3) have one result for all threads.
(define %password-mutex (make-mutex))

(define (lookup-user user)
  "Return the name and the number of USER, either of which it is, as a pair;
#f if there is no such user."
  (catch 'misc-error
    (lambda ()
      (with-lock %password-mutex
        (let ((entry (getpw user)))
          (cons (passwd:name entry) (passwd:uid entry)))))
    (const #f)))

(define (trouble-with-directory layout user)
  "Create the directory of USER; return a text that says why there is none,
or #f."
  (match (lookup-user user)
    ((name . uid)
     (guard (exception (#t (exception->octets exception)))
       (and (not (make-profile-directory layout name uid))
            (format #f "cannot give user ~a a directory for profiles"
                    (text->octets name)))))
    (#f
     (and (string? user)
          (format #f "there is no user `~a' here" user)))))

(define (provide-profile-directory client user)
  "Make sure that @var{user}, a user's ID or name, has a directory of profiles
and owns it, or tell @var{client} why not.  An ID without a name has none, and
needs none."
  (let ((trouble (trouble-with-directory (store-layout (client-store client))
                                         user)))
    (when trouble
      (send-text client trouble 1))))
