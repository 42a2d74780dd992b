;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Run a program in a sandbox, for tests that need to be another user:
;;; run-sandbox.scm FILE PROGRAM ARGUMENT..., FILE holding the sandbox.
;;; Code:

(use-modules (fruix sandbox)
             (ice-9 match))

(match (command-line)
  ((_ file program . arguments)
   (exit (status:exit-val
          (run-in-sandbox
           (sexp->sandbox (call-with-input-file file read))
           arguments #:program program #:input #f)))))
