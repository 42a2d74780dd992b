;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Which systems' derivations a machine tries to build, and how.

(use-modules (fruix build platform)
             (srfi srfi-64))

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

(test-end "build-platform")
