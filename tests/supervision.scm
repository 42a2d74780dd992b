;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; What a builder that is watched writes, how it ends, and that it cannot
;;; keep whoever watches it.

(use-modules (fruix build supervision)
             (fruix config)
             (fruix descriptors)
             (fruix process)
             (rnrs bytevectors)
             (srfi srfi-64)
             (tests support))

(define* (watch script #:key (in (const #t)) (limits '()))
  "Watch the shell SCRIPT, and return what it wrote and how it ended.  IN is
called with the descriptor from which that was read."
  (call-with-values make-pipe
    (lambda (input output)
      (let ((process (spawn-process "sh" (list "sh" "-c" script)
                                    #:input #f #:output output))
            (texts '()))
        (close-fdes output)
        (let ((ending (apply supervise process input
                             (lambda (bytes)
                               (set! texts (cons (utf8->string bytes) texts)))
                             limits)))
          (in input)
          (close-fdes input)
          (list (string-concatenate-reverse texts)
                (if (integer? ending) (status:exit-val ending) ending)))))))

(test-begin "supervision")

(test-equal "what is written, and the exit code" '("one\ntwo\n" 3)
  (watch "echo one; echo two; exit 3"))

(test-equal "what is written at the end" '("last\n" 0)
  (watch "exec 2>&1; (sleep 0.1; echo last) & wait"))

(test-equal "who closes its output is waited for" '("" 4)
  (watch "exec >&-; sleep 0.2; exit 4"))

(test-equal "silence ends" '("x\n" (silence 1))
  (watch "echo x; sleep 30" #:limits '(#:max-silent-time 1)))

;; Who may open the pipe can take back what poll has promised.
(test-assert "reading does not wait"
  (let ((flags #f))
    (watch "echo x" #:in (lambda (log) (set! flags (fcntl log F_GETFL))))
    (logtest O_NONBLOCK flags)))

(skip-unless (eq? %platform 'linux) "needs /proc/self/fd")
(test-equal "who takes back what it wrote is stopped all the same"
  '(timeout 2)
  (cadr (watch "exec 3< /proc/self/fd/1
for n in 1 2 3; do cat <&3 > /dev/null & done
while :; do echo x; done" #:limits '(#:timeout 2))))

(test-end "supervision")
