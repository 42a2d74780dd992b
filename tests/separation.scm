;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Keyrings and abstract sockets are not shared.

(use-modules (fruix config)
             (fruix process)
             (srfi srfi-1)
             (srfi srfi-11)
             (srfi srfi-64)
             (tests sandbox-support)
             (tests support))

(define (plan steps out)
  `(("namespaces") ("descriptors" -1 ,out ,out) ,@steps))

(define (escape steps . arguments)
  "Return what tests/escape says to ARGUMENTS after STEPS, as an alist."
  (let-values (((text status)
                (output-of
                 (lambda (out)
                   (perform-plan (test-program "escape")
                                 (cons "escape" arguments) '()
                                 (plan steps out))))))
    (report text)))

(define (fault steps)
  "Return the call, object and errno of what STEPS raise, or #f."
  (catch 'system-error
    (lambda ()
      (wait-process
       (perform-plan "/bin/true" '("true") '() (plan steps -1)))
      #f)
    (lambda (key who template arguments errno)
      (list who (first arguments) (first errno)))))

;;; Keyrings.

(define (keyring steps)
  (escape steps "keyring"))

(define (test-keyrings)
  (define ours (keyring '()))
  (define keyrings? (not (equal? (assoc-ref ours "keyring") "ENOSYS")))
  (unless keyrings? (test-skip 2))
  (test-equal "a session keyring is inherited" ours (keyring '()))
  (test-assert "but not after this step"
    (let ((one (keyring '(("new-keyring"))))
          (other (keyring '(("new-keyring")))))
      (and (equal? (assoc-ref one "keyring") "done")
           (not (equal? one ours))
           (not (equal? one other)))))
  (test-equal "without keyrings in the kernel, there is nothing to do" #f
    (fault '(("no-new-privileges") ("system-calls")
             ("new-keyring")))))

(define (test-exhaustion)
  (define user `("credentials" ,%plain-user ,%plain-user))
  (test-equal "without room for a keyring"
    `("exhaust: EDQUOT" ("new-keyring: keyctl" "Disk quota exceeded" ,EDQUOT))
    (call-with-escape (list user) '("exhaust")
      (lambda (line)
        ;; The kernel grants everybody a first one.
        (list line (fault `(,user ("new-keyring") ("new-keyring"))))))))

;;; Abstract sockets.

(define %scoped '(("no-new-privileges") ("abstract-sockets")))

(define (test-scope)
  (define name (format #f "fruix-separation-~a" (getpid)))
  (call-with-escape '() (list "listen" name)
    (lambda (line)
      (test-equal "an abstract socket is there" "listen: done" line)
      (test-equal "it is reached" '(("connect" . "done"))
        (escape '() "connect" name))
      (test-equal "but not after this step" '(("connect" . "EPERM"))
        (escape %scoped "connect" name)))))

(define (test-without-scopes)
  (test-equal "a kernel that knows no scopes"
    '("abstract-sockets: landlock" "create_ruleset")
    (take (fault %scoped) 2)))

(define (test-faults)
  (test-equal "without promising not to gain privileges"
    `("abstract-sockets: landlock" "restrict_self" ,EPERM)
    (fault `(("credentials" ,%plain-user ,%plain-user)
             ("abstract-sockets")))))

(test-begin "separation")
(if (eq? %platform 'linux)
    (let ((scopes? (>= (landlock-version) 6)))
      (test-keyrings)
      (if scopes? (test-scope) (test-without-scopes))
      (skip-unless %root? "needs root, to become a user without keys")
      (test-exhaustion)
      (unless scopes? (test-skip 1))
      (test-faults))
    (test-equal "no Landlock elsewhere" 0 (landlock-version)))
(test-end "separation")
