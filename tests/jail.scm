;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Jails are created, looked at, entered and removed; without them, each
;;; procedure says so.

(use-modules (fruix config)
             (fruix descriptors)
             (fruix jail)
             (fruix process)
             (ice-9 match)
             (srfi srfi-1)
             (srfi srfi-11)
             (srfi srfi-64)
             (tests sandbox-support)
             (tests support))

(define %freebsd? (eq? %platform 'freebsd))

(define %name (format #f "fruix-test-~a" (getpid)))

(define* (parameters #:optional (more '()))
  `((name . ,%name) (path . "/") ,@more))

(define (start expression out)
  "Start a process that evaluates EXPRESSION and writes the value to OUT."
  (spawn-process (or (getenv "GUILE") "guile")
                 `("guile" "--no-auto-compile"
                   "-L" ,(getenv "abs_top_srcdir")
                   ,(string-append (getenv "abs_top_srcdir")
                                   "/tests/run-expression.scm")
                   ,(object->string expression))
                 #:output out #:error 2))

(define (evaluate expression)
  (let-values (((text status)
                (output-of (lambda (out) (start expression out)))))
    (call-with-input-string text read)))

(test-begin "jail")

(test-group "without jails"
  (skip-unless (not %freebsd?) "FreeBSD has jails")
  (for-each (match-lambda
              ((call . thunk)
               (test-equal call
                 (list ENOSYS
                       (string-append call ": Function not implemented"))
                 (list (errno-of thunk) (message-of thunk)))))
            `(("jail_set" . ,(lambda () (jail-create (parameters))))
              ("jail_set" . ,(lambda () (call-with-jail (parameters) list)))
              ("jail_get" . ,(lambda () (jail-ref 1 'path)))
              ("jail_get" . ,(lambda () (find-jail %name)))
              ("jail_get" . ,jails)
              ("jail_attach" . ,(lambda () (jail-attach 1)))
              ("jail_remove" . ,(lambda () (jail-remove 1))))))

(test-group "with jails"
  (skip-unless (and %freebsd? %root?) "needs root on FreeBSD")

  (test-equal "a jail has the parameters that it was given"
    '("/" "localhost" 0 new #f #t #f)
    (call-with-jail (parameters '((host.hostname . "localhost")
                                  (children.max . 0)
                                  (vnet . new)
                                  (allow.set_hostname . #f)
                                  (allow.mlock . #t)))
      (lambda (id)
        (map (lambda (name) (jail-ref id name))
             '(path host.hostname children.max vnet allow.set_hostname
                    allow.mlock dying)))))

  (test-equal "an address is bytes" #vu8(127 0 0 1)
    (call-with-jail (parameters '((ip4.addr . #vu8(127 0 0 1))))
      (lambda (id) (jail-ref id 'ip4.addr))))

  (test-equal "it is found by its name and listed"
    (list #t (list %name "/" #f) #f)
    (let ((found (call-with-jail (parameters)
                   (lambda (id)
                     (let ((jail (find (lambda (jail) (= (jail-id jail) id))
                                       (jails))))
                       (list (eqv? (find-jail %name) id)
                             (list (jail-name jail) (jail-path jail)
                                   (jail-dying? jail))))))))
      (append found (list (find-jail %name)))))

  (test-equal "it is removed when an error leaves it" '(misc-error #f)
    (let ((key (key-of (lambda ()
                         (call-with-jail (parameters)
                           (lambda (id) (error "error")))))))
      (list key (find-jail %name))))

  (test-equal "a process can enter it" '(inside "inside")
    (call-with-jail (parameters '((host.hostname . "inside")))
      (lambda (id)
        (list 'inside
              (evaluate `(begin
                           (jail-attach ,id)
                           (gethostname)))))))

  (test-equal "but not with a directory open" EPERM
    (call-with-jail (parameters)
      (lambda (id)
        (evaluate `(let ((fd (open-fdes "/" O_RDONLY)))
                     (errno-of (lambda () (jail-attach ,id))))))))

  (test-equal "its processes are killed when it is removed"
    `(#f ,SIGKILL #t)
    (let-values (((id descriptor) (jail-create (parameters)))
                 ((in out) (make-pipe)))
      (let ((process (start `(begin
                               (jail-attach ,id)
                               (write 'ready)
                               (force-output)
                               (pause))
                            out)))
        (call-with-port (fdes->inport in) read-char)
        (let ((gone? (jail-remove id)))
          (for-each close-fdes (cons* out (if descriptor
                                              (list descriptor)
                                              '())))
          (let ((status (wait-process process)))
            (list gone? (status:term-sig status) (jail-remove id)))))))

  (test-equal "nothing of it is left" '()
    (filter (lambda (jail) (string=? (jail-name jail) %name)) (jails)))

  (test-equal "what is wrong is explained by the kernel"
    '("jail_set: unknown parameter: allow.nonsense: Invalid argument"
      "jail_set: fruix-none: No such file or directory"
      "jail_get: jail 999999 not found: No such file or directory"
      "jail_attach: jail 999999: Invalid argument")
    (map message-of
         (list (lambda () (jail-create '((name . "fruix-none")
                                         (allow.nonsense . #t))))
               (lambda () (jail-create '((name . "fruix-none")
                                         (path . "/nonsense"))))
               (lambda () (jail-ref 999999 'path))
               (lambda () (jail-attach 999999)))))

  (test-equal "a name is taken once" EEXIST
    (call-with-jail (parameters)
      (lambda (id) (errno-of (lambda () (jail-create (parameters)))))))

  (test-equal "a word that is no value is refused" 'wrong-type-arg
    (key-of (lambda () (jail-create '((vnet . nonsense)))))))

(test-end "jail")
