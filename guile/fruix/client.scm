;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; A build daemon's services as procedures, for scripts and at the REPL.
;;;
;;;   (call-with-connection
;;;    (lambda (daemon)
;;;      (let ((file (add-text-to-store daemon "hello.txt" "hello\n")))
;;;        (path-info-nar-size (query-path-info daemon file)))))
;;;
;;; Any daemon that speaks the protocol will do.  Strings are ordinary
;;; strings.  What the daemon refuses, or fails to build, is a
;;; &protocol-error with its message and status; what is wrong on this side is
;;; a &fruix-error.  Both are in (fruix errors).
;;; Code:

(define-module (fruix client)
  #:use-module (fruix client collecting)
  #:use-module (fruix client connection)
  #:use-module (fruix client control)
  #:use-module (fruix client derivations)
  #:use-module (fruix client items)
  #:use-module (fruix client maintenance)
  #:use-module (fruix client options)
  #:use-module (fruix client queries)
  #:re-export (open-connection
               close-connection
               call-with-connection
               connection?
               connection-version
               connection-layout
               current-build-output-port

               set-build-options

               valid-path?
               references
               referrers
               requisites
               query-path-info
               path-info?
               path-info-path
               path-info-deriver
               path-info-hash
               path-info-references
               path-info-registration-time
               path-info-nar-size
               query-derivation-outputs
               valid-derivers
               path-from-hash-part
               find-roots
               log-file
               built-in-builders

               add-text-to-store
               add-to-store
               export-path
               add-temp-root
               add-indirect-root

               live-paths
               dead-paths
               collect-garbage
               delete-paths
               verify-store
               optimise-store

               derivation
               store-derivation?
               derivation-file-name
               derivation->output-path
               derivation->output-paths
               build-things
               build-derivations))
