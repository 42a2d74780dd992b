;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Names that stand in for outputs.

(use-modules (fruix build stand-ins)
             (srfi srfi-64))

(define %drv
  (string-append "/gnu/store/" (make-string 32 #\a) "-x.drv"))
(define %output
  (string-append "/gnu/store/" (make-string 32 #\b) "-x"))

(test-begin "stand-ins")

;; As guix-daemon has it: of the SHA-256 of "rewrite:DRV:PATH", the first
;; digits in base 32.
(test-equal "the name is made from those of derivation and output"
  "/gnu/store/1kax60bvd2sdw1kz01myy33khfld5nmj-x"
  (stand-in "/gnu/store" %drv %output))

(define %replacements (replacements "/gnu/store" %drv (list %output)))

(test-equal "what a builder is told speaks of it, and of nothing else new"
  (string-append (stand-in "/gnu/store" %drv %output) "/bin:" %drv ":"
                 (stand-in "/gnu/store" %drv %output))
  (replace-hash-parts %replacements
                      (string-append %output "/bin:" %drv ":" %output)))

(test-equal "and back" (string-append %output "/bin")
  (replace-hash-parts
   (reverse-replacements %replacements)
   (string-append (stand-in "/gnu/store" %drv %output) "/bin")))

(test-equal "without outputs, nothing is replaced" %output
  (replace-hash-parts '() %output))

(test-end "stand-ins")
