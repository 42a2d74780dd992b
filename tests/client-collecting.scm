;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; What the client says, byte for byte, to have garbage collected and the
;;; store verified and optimised.

(use-modules (fruix client)
             (fruix protocol wire)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests client-support))

(test-begin "client-collecting")
(sigaction SIGPIPE SIG_IGN)

(define all (- (expt 2 64) 1))
(define /a (list 2 #x612f))
(define deleted-a
  (apply hex %message-last 1 (append /a '(4096 0))))

(test-equal "what is alive, and what is dead" '((("/a")) #f (("/a")) #f)
  (append-map (lambda (action proc)
                (converse `((client ,(hex 20 action 0 0 all 0 0 0))
                            (daemon ,deleted-a))
                          proc))
              '(0 1) (list live-paths dead-paths)))
(test-equal "deletion of all that is dead" '((("/a") 4096) #f)
  (converse `((client ,(hex 20 2 0 0 all 0 0 0)) (daemon ,deleted-a))
            collect-garbage))
(test-equal "deletion of so much, and of more than there can be"
  '((("/a") 4096) #f (("/a") 4096) #f)
  (append-map (lambda (limit sent)
                (converse `((client ,(hex 20 2 0 0 sent 0 0 0))
                            (daemon ,deleted-a))
                          (lambda (daemon)
                            (collect-garbage daemon #:min-freed limit))))
              (list 0 (expt 2 70)) (list 0 all)))
(test-equal "what is no number of bytes costs nothing"
  '(("-1 is not a number of bytes" "1.5 is not a number of bytes"
     "\"1G\" is not a number of bytes" (("/a") 4096))
    #f)
  (converse `((client ,(hex 20 2 0 0 all 0 0 0)) (daemon ,deleted-a))
            (lambda (daemon)
              (define complaints
                (map (lambda (value)
                       (complaint (lambda ()
                                    (collect-garbage daemon
                                                     #:min-freed value))))
                     '(-1 1.5 "1G")))
              (apply values
                     (append complaints
                             (list (call-with-values
                                       (lambda () (collect-garbage daemon))
                                     list)))))))
(test-equal "deletion by name" '((("/a") 4096) #f)
  (converse `((client ,(apply hex 20 3 1 (append /a (list 0 all 0 0 0))))
              (daemon ,deleted-a))
            (lambda (daemon) (delete-paths daemon '("/a")))))
(test-equal "deletion refused" '((("no" 1)) #f)
  (converse `((client ,(apply hex 20 3 1 (append /a (list 0 all 0 0 0))))
              (daemon ,(hex %message-error 2 #x6f6e 1)))
            (lambda (daemon)
              (status-of (lambda () (delete-paths daemon '("/a")))))))
(test-equal "verification: all is well, or not" '((#t) #f (#f) #f)
  (append (converse `((client ,(hex 35 0 0)) (daemon ,(hex %message-last 0)))
                    verify-store)
          (converse `((client ,(hex 35 1 1)) (daemon ,(hex %message-last 1)))
                    (lambda (daemon)
                      (verify-store daemon #:check-contents? #t
                                    #:repair? #t)))))
(test-equal "optimisation, and what is said of it" '(("a\n") #f)
  (converse `((client ,(hex 34))
              (daemon ,(hex %message-next 2 #x0a61 %message-last 1)))
            (lambda (daemon)
              (call-with-output-string
                (lambda (port)
                  (parameterize ((current-build-output-port port))
                    (optimise-store daemon)))))))

(test-end "client-collecting")
