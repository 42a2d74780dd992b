;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Having the daemon go through its whole store.  This takes long; what it
;;; finds goes to 'current-build-output-port' as text.
;;; Code:

(define-module (fruix client maintenance)
  #:use-module (fruix client connection)
  #:use-module (fruix protocol wire)
  #:export (verify-store
            optimise-store))

(define* (verify-store connection #:key check-contents? repair?)
  "Compare the store with its database, and with @var{check-contents?} also
all files with their hashes.  Return true if all is well in the end, and false
if something is still wrong, as Guix's procedure of this name does.  Items that
are gone, and to which no other refers, are struck from the database and do
not count.  @var{repair?} asks to fetch or build again what is damaged, which
only a trusted user may: others get a @code{&protocol-error}."
  (call-operation connection 35
                  (lambda (port)
                    (write-boolean port check-contents?)
                    (write-boolean port repair?))
                  (lambda (port)
                    (not (read-boolean port)))))

(define-operation (optimise-store) 34 read-done
  "Make equal files in the store one.  What came of it is said on
@code{current-build-output-port}.")
