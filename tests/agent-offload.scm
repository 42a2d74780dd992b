;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Builds on other machines: what 'guix offload', played by a stand-in, can
;;; answer to an offer, and what becomes of a build that it has accepted.

(use-modules (fruix agent offload)
             (fruix errors)
             (fruix flag)
             (fruix thread)
             (ice-9 exceptions)
             (ice-9 match)
             (srfi srfi-64)
             (tests agent-support))

(reserve-stack!)
(sigaction SIGPIPE SIG_IGN)

(test-begin "agent-offload")

(define (run-and-close build . arguments)
  "Run BUILD as @code{run-remote-build!} with ARGUMENTS does, and close it."
  (dynamic-wind
    (const #t)
    (lambda () (apply run-remote-build! build arguments))
    (lambda () (close-remote-build! build))))

(call-with-stand-in
 (lambda (program)
   (call-with-pool
    (lambda (pool)
      (let ((offer (lambda* (name note #:rest arguments)
                     (apply offer-build pool "x86_64-linux"
                            (item (string-append "x-" name ".drv"))
                            '("kvm" "big-parallel") note arguments))))
        (test-equal "offers can be declined and postponed, by one agent"
          '((decline ("arguments x86_64-linux 0 0 0\n"
                      "1 x86_64-linux kvm,big-parallel\n"))
            (postpone ("0 x86_64-linux kvm,big-parallel\n")))
          (list (noting (lambda (note)
                          (offer "decline" note #:local? #t)))
                (noting (lambda (note)
                          (offer "postpone" note)))))

        (test-refused "refused: another answer" "# perhaps"
          (offer "odd" (const #t)))
        (test-refused "refused: an agent that dies" "exit code 3"
          (offer "dies" (const #t)))
        (test-refused "refused: a feature with a blank in it" "its request"
          (offer-build pool "x86_64-linux" (item "x-accept.drv") '("a b")
                       (const #t)))

        (for-each
         (match-lambda
           ((name status)
            (test-equal (string-append "an accepted build can " name)
              (list status
                    '("inputs /a /b \n" "outputs /c \n" "end? #t\n")
                    "building\n")
              (let* ((build (offer name (const #t)))
                     (log '())
                     (number (remote-build-process-id build)))
                (match (noting
                        (lambda (note)
                          (run-and-close
                           build '("/a" "/b") '("/c")
                           (lambda (octets) (set! log (cons octets log)))
                           note)))
                  ((status notes)
                   (list (status:exit-val status) notes
                         (string-concatenate-reverse log))))))))
         '(("accept" 0) ("fail" 100)))

        (test-equal "an accepted build can be cancelled, and is dead"
          '(cancelled #f)
          (let* ((build (offer "sleep" (const #t)))
                 (number (remote-build-process-id build))
                 (flag (make-flag)))
            (start-thread (lambda () (usleep 300000) (flag-set! flag)))
            (let ((kind (kind-of (lambda ()
                                   (run-and-close
                                    build '() '() (const #t) (const #t)
                                    #:cancellation (flag-event flag))))))
              (list kind
                    (catch 'system-error
                      (lambda () (kill number 0) #t)
                      (const #f))))))

        (test-equal "an accepted build can take too long"
          `(timeout ,(format #f "building of `~a' timed out after 1 seconds"
                             (item "x-sleep.drv")))
          (guard (exception ((build-error? exception)
                             (list (build-error-kind exception)
                                   (fruix-error-message exception))))
            (run-and-close (offer "sleep" (const #t) #:timeout 1)
                           '() '() (const #t) (const #t)))))))))

(test-end "agent-offload")
