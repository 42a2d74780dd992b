;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The operations that a client may ask for: which number stands for what,
;;; how its arguments are read, what does it, and how the result is written.
;;;
;;; A number that is not here is an invalid operation, after which nobody
;;; knows where the next one begins.
;;; Code:

(define-module (fruix session operations)
  #:use-module ((fruix build builtin) #:select (%builtin-builders))
  #:use-module (fruix session additions)
  #:use-module (fruix session arguments)
  #:use-module (fruix session collecting)
  #:use-module (fruix session export)
  #:use-module (fruix session import)
  #:use-module (fruix session maintenance)
  #:use-module (fruix session queries)
  #:use-module (fruix session substitutes)
  #:use-module (fruix protocol wire)
  #:use-module (fruix session building)
  #:use-module (fruix session client)
  #:use-module (fruix session profile)
  #:use-module ((fruix session settings) #:select (change-settings))
  #:use-module (ice-9 match)
  #:use-module ((srfi srfi-1) #:select (alist-delete))
  #:use-module (srfi srfi-9)
  #:export (lookup-operation
            local-only?
            operation-name
            operation-arguments
            operation-procedure
            operation-result))

(define-record-type <operation>
  (make-operation name arguments procedure result)
  operation?
  (name operation-name)             ;symbol
  (arguments operation-arguments)   ;list of (CLIENT) -> value, in order
  (procedure operation-procedure)   ;(CLIENT argument ...) -> value
  (result operation-result))        ;(PORT value) -> unspecified

(define (write-nothing port value)
  *unspecified*)

(define (write-one port value)
  (write-int port 1))

(define (always value)
  "Return the procedure of an operation whose result is VALUE."
  (lambda _ value))

(define (set-options client changes)
  (set-client-settings! client
                        (change-settings
                         (client-settings client)
                         (if (client-remote? client)
                             (alist-delete 'keep-failed? changes)
                             changes)))
  ;; All that a client on another machine says about itself.
  (match (assq 'user-name changes)
    ((_ . name)
     (when (client-remote? client)
       (provide-profile-directory client name)))
    (#f #t)))

(define %octets (list octets-argument))
(define %path (list path-argument))
(define %paths (list paths-argument))

(define %table
  `((1 is-valid-path ,%octets ,query-valid? ,write-boolean)
    (3 has-substitutes ,%path ,query-substitute? ,write-boolean)
    (4 query-path-hash ,%path ,query-hash ,write-octets)
    (5 query-references ,%path ,query-item-references ,write-octets-list)
    (6 query-referrers ,%path ,query-referrers ,write-octets-list)
    (7 add-to-store
       ,(list octets-argument flag-argument boolean-argument octets-argument)
       ,add-archive ,write-octets)
    (8 add-text-to-store
       ,(list octets-argument contents-argument paths-argument)
       ,add-text ,write-octets)
    (9 build-paths ,(list paths-argument build-mode-argument)
       ,build-paths ,write-one)
    (10 ensure-path ,%path ,ensure-valid ,write-one)
    (11 add-temp-root ,%path ,keep-for-session ,write-one)
    (12 add-indirect-root ,%octets ,add-root ,write-one)
    (13 sync-with-gc () ,wait-for-collector ,write-one)
    (14 find-roots () ,query-roots ,write-octets-pairs)
    (16 export-path ,(list path-argument flag-argument)
        ,export-path ,write-one)
    (18 query-deriver ,%path ,query-deriver ,write-octets)
    (19 set-options ,(list options-argument) ,set-options ,write-nothing)
    (20 collect-garbage
        ,(list collection-argument paths-argument boolean-argument
               long-argument obsolete-arguments)
        ,collect-garbage ,write-collected)
    (21 query-substitutable-path-info
        ,%octets ,query-substitute-info ,write-substitutable)
    (22 query-derivation-outputs ,%path ,query-outputs ,write-octets-list)
    (23 query-all-valid-paths () ,query-all-valid-paths ,write-octets-list)
    (24 query-failed-paths () ,query-failed-paths ,write-octets-list)
    (25 clear-failed-paths ,(list octets-list-argument)
        ,forget-failures ,write-one)
    (26 query-path-info ,%path ,query-info ,write-path-info)
    (27 import-paths () ,import-paths ,write-octets-list)
    (28 query-derivation-output-names
        ,%path ,query-output-names ,write-octets-list)
    (29 query-path-from-hash-part
        ,%octets ,query-path-from-hash-part ,write-octets)
    (30 query-substitutable-path-infos
        ,%paths ,query-substitute-infos ,write-substitutables)
    (31 query-valid-paths ,%paths ,query-valid-paths ,write-octets-list)
    (32 query-substitutable-paths
        ,%paths ,query-substitute-paths ,write-octets-list)
    (33 query-valid-derivers ,%path ,query-derivers ,write-octets-list)
    (34 optimise-store () ,optimise ,write-one)
    (35 verify-store ,(list boolean-argument boolean-argument)
        ,verify ,write-boolean)
    (80 builtin-builders ()
        ,(always %builtin-builders) ,write-octets-list)
    (81 substitute-urls () ,query-substitute-urls ,write-octets-list)))

(define %operations
  (let ((operations (make-hash-table)))
    (for-each (match-lambda
                ((number . fields)
                 (hashv-set! operations number
                             (apply make-operation fields))))
              %table)
    operations))

(define (local-only? operation)
  "Return true if @var{operation} is not for clients on other machines, whose
users nobody knows: it would end whatever they ask for."
  (memq (operation-name operation) '(collect-garbage)))

(define (lookup-operation number)
  "Return the operation that @var{number}, an integer, stands for, or
@code{#f}."
  (hashv-ref %operations number))
