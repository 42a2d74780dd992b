;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The second socket: what Fruix can tell about itself that clients of
;;; guix-daemon do not ask for.  Anybody who can connect may ask; nothing can
;;; be changed here.
;;; Code:

(define-module (fruix control)
  #:use-module ((fruix config) #:select (%version))
  #:use-module (fruix control wire)
  #:use-module (fruix errors)
  #:use-module (fruix scheduler loop)
  #:use-module (fruix store)
  #:use-module (fruix store layout)
  #:use-module ((fruix store path) #:select (derivation-path?
                                             direct-store-path?))
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:export (serve-control))

(define (derivations-of store path)
  (if (derivation-path? path)
      (list path)
      (valid-derivers store path)))

(define (log-files store path)
  "Return a list of the names of the logs of the builds of PATH, a derivation
or an output; there may be none."
  (define layout (store-layout store))
  (define (candidates drv)
    (let ((compressed (log-file-name layout drv)))
      (list compressed (string-drop-right compressed (string-length ".gz")))))
  (filter file-exists?
          (append-map candidates (derivations-of store path))))

;; A client's user and process, which nobody knows if it is remote.
(define client->datum
  (match-lambda
    ((-1 . _) '(remote))
    ((uid . pid) (list uid pid))))

(define (build->datum build)
  "Return BUILD, an entry of a snapshot, as the control protocol writes it."
  `(build ,@(filter-map
             (match-lambda
               ((_ . #f) #f)
               (('clients . clients)
                `(clients ,@(map client->datum clients)))
               ((key . value) (list key value)))
             build)))

(define (answer request store scheduler facts)
  (match request
    (('ps)
     `(ps ,@(map build->datum (snapshot scheduler))))
    (('log-file (? string? path))
     (if (direct-store-path? (store-directory store) path)
         `(log-file ,@(log-files store path))
         `(error ,(string-append "`" path "' is not in the store"))))
    (('status)
     `(status (version ,%version)
              (pid ,(getpid))
              (store ,(store-directory store))
              ,@(map (match-lambda ((name . value) (list name value)))
                     facts)))
    (_
     '(error "unknown request"))))

(define (safe-answer request store scheduler facts)
  (guard (exception (#t `(error ,(exception->text exception))))
    (answer request store scheduler facts)))

(define (serve-control port store scheduler facts)
  "Answer the requests on @var{port}, a binary input/output port, until it
ends or one of them is malformed.  @var{facts} is an alist from symbols to
plain data that @code{status} tells."
  (define (reply body)
    (write-message port 'fruix-control-reply body))
  (match (read-message port 'fruix-control)
    ((? eof-object?) #t)
    (#f (reply '(error "malformed request")))
    (request
     (reply (safe-answer request store scheduler facts))
     (serve-control port store scheduler facts))))
