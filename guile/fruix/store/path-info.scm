;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What the database knows about a valid item.
;;; Code:

(define-module (fruix store path-info)
  #:use-module (srfi srfi-9)
  #:export (path-info
            path-info?
            path-info-path
            path-info-hash
            path-info-nar-size
            path-info-references
            path-info-deriver
            path-info-registration-time))

(define-record-type <path-info>
  (make-path-info path hash nar-size references deriver registration-time)
  path-info?
  (path path-info-path)                    ;store path
  (hash path-info-hash)                    ;SHA-256 of the archive, in base 16
  (nar-size path-info-nar-size)            ;bytes, or #f if unknown
  (references path-info-references)        ;sorted list of store paths
  (deriver path-info-deriver)              ;store path, or #f
  (registration-time path-info-registration-time)) ;seconds of the epoch

(define* (path-info path hash nar-size
                    #:key (references '()) deriver registration-time)
  "Return a @code{<path-info>} for @var{path}, a store path whose archive has
the SHA-256 @var{hash}, in base 16, and @var{nar-size} bytes.
@var{references} is a list of store paths, @var{deriver} one or @code{#f}, and
@var{registration-time} the seconds since the epoch, for which @code{#f}, to
whoever registers the item, stands for now."
  (make-path-info path hash nar-size references deriver registration-time))
