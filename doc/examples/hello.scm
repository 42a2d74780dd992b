;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; GNU Hello, for 'fruix build --file=hello.scm'.  The environment variable
;;; HELLO_SOURCE names its source, a tar archive.  The builder is a shell
;;; script beside this file; shell, compiler and make come from the host, by
;;; the daemon's option '--chroot-directory'.

(define %builder
  (string-append (dirname (current-filename)) "/hello-builder.sh"))

(lambda (daemon)
  (let ((builder (add-to-store daemon %builder))
        (source (add-to-store daemon (getenv "HELLO_SOURCE")
                              #:recursive? #f)))
    (derivation daemon "hello" builder '()
                #:environment `(("PATH" . "/usr/bin:/bin")
                                ("source" . ,source))
                #:inputs (list builder source))))
