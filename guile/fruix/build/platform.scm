;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Which systems' derivations this machine can build: pure.
;;; Code:

(define-module (fruix build platform)
  #:use-module (ice-9 match)
  #:export (buildable-system?
            system-personality))

(define (thirty-two-bit? host system)
  (match (list host system)
    (("x86_64-linux" "i686-linux") #t)
    (("aarch64-linux" "armhf-linux") #t)
    (_ #f)))

(define (kernel system)
  "Return the part of @var{system} behind the first hyphen, or @code{#f}."
  (and=> (string-index system #\-)
         (lambda (index) (substring system (+ index 1)))))

(define (buildable-system? host system)
  "Return true if a machine of system type @var{host}, such as
@code{\"x86_64-linux\"}, may try to run a builder for @var{system}: another
processor is worth a try, since the kernel may know an emulator for it, another
kernel is not."
  (and (kernel system)
       (equal? (kernel host) (kernel system))))

(define* (system-personality host system #:key impersonate-linux-2.6?)
  "Return the personality of a builder for @var{system} on a machine of system
type @var{host}, as @code{sandbox} takes it: a list of symbols.  Builders find
things at the same addresses each time.  With @var{impersonate-linux-2.6?},
those for x86 hear of a kernel of the 2.6 series."
  `(,@(if (thirty-two-bit? host system) '(32-bit) '())
    ,@(if (and impersonate-linux-2.6?
               (member system '("i686-linux" "x86_64-linux")))
          '(linux-2.6)
          '())
    fixed-addresses))
