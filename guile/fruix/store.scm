;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The store: what the rest of Fruix and users' programs import.
;;;
;;;   (call-with-store (layout-from-environment)
;;;     (lambda (store)
;;;       (add-text! store "hello.txt" (string->utf8 "hello\n") '())))
;;; Code:

(define-module (fruix store)
  #:use-module (fruix store adding)
  #:use-module (fruix store census)
  #:use-module (fruix store collector)
  #:use-module (fruix store derivations)
  #:use-module (fruix store directories)
  #:use-module (fruix store failed-paths)
  #:use-module (fruix store handle)
  #:use-module (fruix store importing)
  #:use-module (fruix store lock)
  #:use-module (fruix store optimising)
  #:use-module (fruix store path-info)
  #:use-module (fruix store query)
  #:use-module (fruix store registration)
  #:use-module (fruix store roots)
  #:use-module (fruix store staging)
  #:use-module (fruix store verification)
  #:re-export (;; Opening.
               open-store
               close-store!
               sync-store!
               call-with-store
               call-without-reserve
               store?
               store-layout
               store-directory

               ;; What is there.
               path-info
               path-info?
               path-info-path
               path-info-hash
               path-info-nar-size
               path-info-references
               path-info-deriver
               path-info-registration-time
               valid-path?
               valid-paths
               all-valid-paths
               query-path-info
               references
               referrers
               valid-derivers
               query-derivation-outputs
               path-from-hash-part
               closure

               read-derivation
               derivation-hash

               ;; What becomes so.
               add-text!
               call-with-store-restorer
               import-item!
               register-items!
               call-withdrawing
               store-staging
               call-with-staged
               staged-file
               staging-descriptor
               staging-links-descriptor
               move-into-store!
               path-lock-file
               lock-paths
               unlock-paths!
               call-holding-locks
               call-with-path-lock

               ;; What is not.
               failed-paths
               failed-path?
               record-failed-paths!
               clear-failed-paths!

               ;; All of it.
               verify-store!
               damaged-items
               optimise-store!

               ;; Roots.
               add-temp-root!
               call-with-temporary-roots
               add-indirect-root!
               find-roots
               make-profile-directory

               ;; What goes.
               live-paths
               dead-paths
               collect-garbage!
               delete-paths!))
