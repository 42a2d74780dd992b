;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The operations that add items to the store, and that keep items there.
;;; Code:

(define-module (fruix session additions)
  #:use-module ((fruix descriptors) #:select (read-descriptor!))
  #:use-module (fruix errors)
  #:use-module ((fruix hash) #:select (lookup-hash-algorithm))
  #:use-module (fruix message)
  #:use-module (fruix protocol wire)
  #:use-module (fruix record-lock)
  #:use-module (fruix session archives)
  #:use-module (fruix session client)
  #:use-module (fruix store)
  #:use-module (fruix store layout)
  #:use-module (ice-9 binary-ports)
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 match)
  #:use-module (rnrs bytevectors)
  #:export (add-text
            add-archive
            keep-for-session
            add-root
            wait-for-collector
            forget-failures))

(define (add-text client name contents references)
  "Make the bytevector @var{contents} a store item called @var{name} with
@var{references}, and return its path."
  (add-text! (client-store client) name contents references))

;; Bytes of a large archive that are read at once.
(define %chunk-size (expt 2 18))

(define (archive-reader port receive)
  "Return a thunk for @code{take-archive} that reads from PORT, a socket: what is
in the port's buffer, and then from its descriptor, unless RECEIVE, called with
that, does so itself and returns how many bytes it got."
  (define ahead? #t)
  (define chunk (delay (make-bytevector %chunk-size)))
  (define (read-ahead)
    (match (get-bytevector-some port)
      ((? eof-object?) (connection-lost))
      (bytes (values bytes (bytevector-length bytes)))))
  (define (read-chunk)
    (match (receive (fileno port))
      (#f (match (read-descriptor! (fileno port) (force chunk))
            (0 (connection-lost))
            (size (values (force chunk) size))))
      (0 (connection-lost))
      (_ (read-chunk))))
  (lambda ()
    (if ahead?
        (begin
          (set! ahead? #f)
          (read-ahead))
        (read-chunk))))

;; If BODY fails, nobody knows where the archive ends: a violation.
(define-syntax-rule (strictly body)
  (guard (exception (#t (violation "~a" (exception->octets exception))))
    body))

(define (add-archive client name fixed? recursive? algorithm)
  "Make the tree whose archive @var{client} sends next a store item called
@var{name}, and return its path, which follows from the hash by
@var{algorithm} of the archive, or of the file that it must hold unless
@var{recursive?} is true.  Clients that do not say @var{fixed?} mean a SHA-256
of the archive."
  (let ((algorithm (lookup-hash-algorithm (if fixed? algorithm "sha256"))))
    (unless algorithm
      (violation "unknown hash algorithm"))
    (call-with-store-restorer
     (client-store client) name
     (lambda (restorer)
       (define port (client-port client))
       (define (receive descriptor)
         (strictly (receive! client restorer descriptor)))
       (take-archive port restorer (archive-reader port receive)
                     (lambda (bytes size)
                       (strictly (restore! client restorer bytes size)))))
     #:recursive? (or recursive? (not fixed?))
     #:algorithm algorithm)))

(define (keep-for-session client path)
  "Keep @var{path} from being collected, whether or not it exists yet."
  (add-temp-root! (client-store client) path))

(define (add-root client file)
  "Make the symbolic link @var{file}, whose name counts from the root
directory, a root of the collector."
  (when (string-index file #\nul)
    (fail "a file name cannot have a NUL byte in it"))
  (add-indirect-root! (client-store client) file))

(define (wait-for-collector client)
  "Wait until no collector decides what is garbage."
  (call-with-file-lock (layout-gc-lock (store-layout (client-store client)))
                       'shared
                       (const #t)))

(define (forget-failures client paths)
  "Forget that builds of @var{paths}, or of the outputs of derivations among
them, have failed; @code{*} stands for all."
  (clear-failed-paths! (client-store client) paths))
