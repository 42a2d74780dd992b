;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Looking around in a sandbox, expression by expression; after ";=>" is what
;;; Guile answers, on Linux.

(use-modules (fruix errors)
             (fruix process)
             (fruix sandbox))

;; A sandbox is a value.
(define box
  (sandbox #:root (mkdtemp "/tmp/box-XXXXXX")
           #:mounts '(("/usr" "/usr" read-only))
           #:symlinks '(("/bin" "usr/bin")
                        ("/lib" "usr/lib")
                        ("/lib64" "usr/lib64"))
           #:environment '("PATH=/usr/bin")
           #:mapping `((uid 1000 . ,(getuid)) (gid 1000 . ,(getgid)))))

;; What would be done for it: nothing by the host, and new namespaces.
(map car (sandbox-plan box))
;=> (host birth create enter program drop)
(assq-ref (sandbox-plan box) 'host)
;=> ()
(car (assq-ref (sandbox-plan box) 'birth))
;=> ("namespaces" "mount" "pid" "ipc" "uts" "net" "user")

;; The same on FreeBSD, which has no user namespaces.
(false-if-exception (sandbox-plan box #:system 'freebsd))
;=> #f

;; Open it, and run programs in it, one after the other.
(define open (open-sandbox box))
(run-in-sandbox open '("/bin/sh" "-c" "id; hostname; echo hello > /tmp/note"))
;=> 0
(run-in-sandbox open '("/bin/cat" "/tmp/note"))
;=> 0
(status:exit-val (run-in-sandbox open '("/bin/touch" "/usr/note")))
;=> 1

;; Or with one's hands free: this one would sleep for a minute.
(define process (spawn-in-sandbox open '("/bin/sleep" "60")))
(close-sandbox open)
(status:term-sig (wait-process process))
;=> 9

;; Save it; it is the same when it is read, but starts afresh.
(define saved (tmpfile))
(write box saved)
(seek saved 0 SEEK_SET)
(define again (sexp->sandbox (read saved)))
(equal? box again)
;=> #t
(status:exit-val (run-in-sandbox again '("/bin/cat" "/tmp/note")))
;=> 1

;; What cannot be says why.
(define (explain exception)
  (list (sandbox-error-step exception)
        (strerror (sandbox-error-errno exception))))
(with-exception-handler explain
  (lambda () (run-in-sandbox again '("/bin/none")))
  #:unwind? #t)
;=> ("execve" "No such file or directory")

(rmdir (cadr (assq 'root (cdr (sandbox->sexp box)))))
