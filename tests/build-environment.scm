;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; The builder's environment: defaults, derivation, directory, in that order.

(use-modules (fruix build environment)
             (fruix derivation)
             (srfi srfi-64))

(define (derivation-text outputs environment)
  (format #f "Derive([~a],[],[],\"x86_64-linux\",\"/gnu/store/~a-sh\",[],[~a])"
          outputs (make-string 32 #\a) environment))

(define %output
  (string-append "/gnu/store/" (make-string 32 #\b) "-x"))

(define %plain
  (format #f "(\"out\",\"~a\",\"\",\"\")" %output))
(define %fixed
  (format #f "(\"out\",\"~a\",\"sha256\",\"~a\")" %output
          (make-string 64 #\0)))

(define (environment-of outputs variables)
  (build-environment (string->derivation (derivation-text outputs variables))
                     #:store "/gnu/store" #:directory "/tmp/build" #:cores 3
                     #:lookup (lambda (name)
                                (and (string=? name "known") "host value"))))

(define %simple
  (environment-of %plain (format #f "(\"out\",\"~a\")" %output)))

(test-begin "build-environment")

(test-equal "exactly these variables, sorted"
  `(("HOME" . "/homeless-shelter")
    ("NIX_BUILD_CORES" . "3")
    ("NIX_BUILD_TOP" . "/tmp/build")
    ("NIX_STORE" . "/gnu/store")
    ("PATH" . "/path-not-set")
    ("PWD" . "/tmp/build")
    ("TEMP" . "/tmp/build")
    ("TEMPDIR" . "/tmp/build")
    ("TMP" . "/tmp/build")
    ("TMPDIR" . "/tmp/build")
    ("out" . ,%output))
  %simple)

(define %overriding
  (environment-of %plain (format #f "(\"PATH\",\"/bin\"),(\"PWD\",\"/\"),\
(\"impureEnvVars\",\"known unknown\"),(\"out\",\"~a\")" %output)))

(test-equal "a derivation overrides the defaults" "/bin"
  (assoc-ref %overriding "PATH"))
(test-equal "but not the build directory" "/tmp/build"
  (assoc-ref %overriding "PWD"))
(test-equal "an ordinary build gets none of the daemon's variables" #f
  (assoc-ref %overriding "known"))

(define %impure
  (environment-of %fixed (format #f "(\"impureEnvVars\",\"known\\n unknown\"),\
(\"known\",\"own\"),(\"out\",\"~a\")" %output)))

(test-equal "a fixed-output build gets what it names" '("host value" "")
  (map (lambda (name) (assoc-ref %impure name)) '("known" "unknown")))

(test-end "build-environment")
