;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Which systems' derivations a machine tries to build, and how.

(use-modules (fruix build)
             (fruix build platform)
             (fruix config)
             (fruix flag)
             (fruix store)
             (fruix store layout)
             (ice-9 textual-ports)
             (srfi srfi-64)
             (tests sandbox-support)
             (tests store-support)
             (tests support))

(define (socketcall allowed?)
  "Return what comes of that call in a build for i686-linux on a host where it
is ALLOWED? or not; #f if the kernel has no calls of that machine."
  (define (build store programs)
    (let* ((shell (add-static-shell! store))
           (drv (add-shell-derivation! store shell "sockets"
                                       "/programs/escape > $out"
                                       #:system "i686-linux"))
           (host (build-host #:socketcall? allowed?
                             #:directories `(("/programs" . ,programs)))))
      (perform-task! store host drv '() (const #t) (make-flag))
      (physical (store-layout store)
                (assoc-ref (query-derivation-outputs store drv) "out"))))
  (call-with-temporary-directory
   (lambda (directory)
     (copy-file (test-program "escape") (string-append directory "/escape"))
     (chmod (string-append directory "/escape") #o755)
     (call-with-temporary-store
      (lambda (store)
        (assoc-ref (report (call-with-input-file (build store directory)
                             get-string-all))
                   "i386 socketcall"))))
   #:mode #o755))

(test-begin "build-platform")

(test-assert "its own system"
  (buildable-system? "x86_64-linux" "x86_64-linux"))
(test-assert "another processor: an emulator may know it"
  (buildable-system? "x86_64-linux" "riscv64-linux"))
(test-assert "another kernel is refused"
  (not (buildable-system? "x86_64-linux" "x86_64-gnu")))
(test-assert "a system without a hyphen is refused"
  (not (buildable-system? "x86_64-linux" "linux")))
(test-equal "32-bit derivations see a 32-bit machine"
  '(#t #t #f #f)
  (map (lambda (host system)
         (pair? (memq '32-bit (system-personality host system))))
       '("x86_64-linux" "aarch64-linux" "x86_64-linux" "aarch64-linux")
       '("i686-linux" "armhf-linux" "x86_64-linux" "i686-linux")))

(test-equal "builders for x86 can hear of an old kernel"
  '(#t #t #f #f)
  (map (lambda (system impersonate?)
         (pair? (memq 'linux-2.6
                      (system-personality "x86_64-linux" system
                                          #:impersonate-linux-2.6?
                                          impersonate?))))
       '("x86_64-linux" "i686-linux" "x86_64-linux" "aarch64-linux")
       '(#t #t #f #t)))

(unless (string=? %system "x86_64-linux") (test-skip 1))
(test-assert "socketcall can be refused to builders for x86"
  (member (map socketcall '(#t #f)) '(("done" "ENOSYS") (#f #f))))

(test-end "build-platform")
