;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; How the arguments of operations are read: each procedure takes a client
;;; and returns the next argument that it sent.  What is no valid argument is
;;; a violation of the protocol, as guix-daemon has it: an error, after which
;;; the connection is closed.
;;; Code:

(define-module (fruix session arguments)
  #:use-module (fruix protocol wire)
  #:use-module (fruix session client)
  #:use-module (fruix session settings)
  #:use-module (fruix session turns)
  #:use-module (fruix sorted-set)
  #:use-module ((fruix store) #:select (store-directory))
  #:use-module ((fruix store path) #:select (direct-store-path?))
  #:use-module (ice-9 match)
  #:export (check-store-path
            boolean-argument
            build-mode-argument
            collection-argument
            contents-argument
            flag-argument
            long-argument
            obsolete-arguments
            octets-argument
            octets-list-argument
            options-argument
            path-argument
            paths-argument))

;; Largest text that a client may add in one piece, in bytes.
(define %contents-limit (* 64 1024 1024))

(define (check-store-path client path raise)
  "Return @var{path}, an octet string, if it names an item of the store that
@var{client} uses; else call @var{raise} with a @code{format} template and its
argument."
  (unless (direct-store-path? (store-directory (client-store client)) path)
    (raise "path `~a' is not in the store" path))
  path)

(define (boolean-argument client)
  "Return the boolean that @var{client} sent."
  (read-boolean (client-port client)))

(define (flag-argument client)
  "Return whether @var{client} sent exactly 1."
  (= 1 (read-int (client-port client))))

(define (int-argument client)
  "Return the integer, below 2^32, that @var{client} sent."
  (read-int (client-port client)))

(define (build-mode-argument client)
  "Return the build mode that @var{client} sent: @code{normal}, @code{repair}
or @code{check}.  Repairing is for trusted clients.  Those before version 0x0f
know no modes."
  (match (if (>= (client-minor client) #xf) (int-argument client) 0)
    (0 'normal)
    (1 (if (client-trusted? client)
           'repair
           (violation "repairing is a privileged operation")))
    (2 'check)
    (mode (violation "invalid build mode ~a" mode))))

(define (long-argument client)
  "Return the integer, below 2^64, that @var{client} sent."
  (read-long (client-port client)))

(define (collection-argument client)
  "Return what @var{client} wants of the garbage collector: @code{return-live},
@code{return-dead}, @code{delete-dead} or @code{delete-specific}."
  (match (int-argument client)
    (0 'return-live)
    (1 'return-dead)
    (2 'delete-dead)
    (3 'delete-specific)
    (action (violation "invalid garbage collector action ~a" action))))

(define (obsolete-arguments client)
  "Skip the integers that @var{client} sends to a collector of old, and return
nothing of use."
  (int-argument client)
  (when (>= (client-minor client) 5)
    (int-argument client)
    (int-argument client)))

(define (octets-argument client)
  "Return the octet string that @var{client} sent, of at most 64 KiB."
  (read-octets (client-port client)))

(define (octets-list-argument client)
  "Return the list of octet strings that @var{client} sent."
  (read-octets-list (client-port client)
                    (lambda () (take-turn! client))))

(define (contents-argument client)
  "Return what @var{client} sent, a bytevector of at most 64 MiB."
  (read-bytes (client-port client) %contents-limit
              (lambda () (take-turn! client))))

(define (path-argument client)
  "Return the store path that @var{client} sent."
  (check-store-path client (octets-argument client) violation))

(define (paths-argument client)
  "Return the store paths that @var{client} sent, sorted and without
duplicates."
  (let ((paths (octets-list-argument client)))
    (for-each (lambda (path) (check-store-path client path violation)) paths)
    (sorted-set paths)))

(define (options-argument client)
  "Return the changes of settings that @var{client} sent."
  (read-settings (client-port client) (client-minor client)))
