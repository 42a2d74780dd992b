;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The operations that look at the store and change nothing in it.  Each
;;; takes a client and its arguments, and returns the result.
;;; Code:

(define-module (fruix session queries)
  #:use-module (fruix errors)
  #:use-module (fruix session arguments)
  #:use-module (fruix protocol wire)
  #:use-module (fruix session client)
  #:use-module (fruix store)
  #:export (query-valid?
            query-hash
            query-info
            query-item-references
            query-referrers
            query-deriver
            query-derivers
            query-outputs
            query-output-names
            query-valid-paths
            query-all-valid-paths
            query-path-from-hash-part
            query-failed-paths
            query-roots
            write-path-info))

(define (query-valid? client path)
  "Return whether @var{path}, which a careless @var{client} may have taken
from anywhere, is a valid store item."
  (valid-path? (client-store client) (check-store-path client path fail)))

(define (query-info client path)
  "Return the @code{<path-info>} of @var{path}, a store path."
  (or (query-path-info (client-store client) path)
      (fail "path `~a' is not valid" path)))

(define (query-hash client path)
  "Return the SHA-256 hash of the archive of @var{path}, in base 16."
  (path-info-hash (query-info client path)))

(define (query-item-references client path)
  "Return the references of @var{path}, sorted."
  (references (client-store client) path))

(define (query-referrers client path)
  "Return the items that refer to @var{path}, sorted; none if it is not
valid."
  (referrers (client-store client) path))

(define (query-deriver client path)
  "Return the derivation that @var{path} was built from, or the empty string."
  (or (path-info-deriver (query-info client path)) ""))

(define (query-derivers client path)
  "Return all valid derivations that have @var{path} as an output."
  (valid-derivers (client-store client) path))

(define (query-outputs client drv)
  "Return the output paths of @var{drv}, sorted."
  (sort (map cdr (query-derivation-outputs (client-store client) drv))
        string<?))

(define (query-output-names client drv)
  "Return the names of the outputs of @var{drv}, sorted."
  (map car (query-derivation-outputs (client-store client) drv)))

(define (query-valid-paths client paths)
  "Return those of @var{paths} that are valid."
  (valid-paths (client-store client) paths))

(define (query-all-valid-paths client)
  "Return all valid items of the store."
  (all-valid-paths (client-store client)))

(define (query-path-from-hash-part client part)
  "Return the item whose hash part is @var{part}, 32 characters, or the empty
string."
  (or (path-from-hash-part (client-store client) part) ""))

(define (query-failed-paths client)
  "Return the outputs whose build is remembered to have failed."
  (failed-paths (client-store client)))

(define (query-roots client)
  "Return an alist from names of root files to the items that they hold."
  (find-roots (client-store client)))

(define (write-path-info port info)
  "Write @var{info}, a @code{<path-info>}, on @var{port}."
  (write-octets port (or (path-info-deriver info) "") (path-info-hash info))
  (write-octets-list port (path-info-references info))
  (write-int port (path-info-registration-time info))
  (write-long port (or (path-info-nar-size info) 0)))
