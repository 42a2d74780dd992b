;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Have a script run by a static shell of the host's, Debian's package
;;; 'busybox-static', and show what it wrote.

(use-modules (fruix client))

(define (busybox? file status)
  (string=? "busybox" (basename file)))

(call-with-connection
 (lambda (daemon)
   (let* ((tools (add-to-store daemon "/usr/bin" #:name "tools"
                               #:select? busybox?))
          (script (add-text-to-store daemon "hi.sh" "echo hi > $out"))
          (hi (derivation daemon "hi" (string-append tools "/busybox")
                          (list "sh" script)
                          #:inputs (list tools script))))
     (build-derivations daemon (list hi))
     (display (derivation->output-path hi))
     (newline))))
