;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; The daemon on FreeBSD, which builds in jails: builds side by side, and what
;;; is left when it is killed.

(use-modules (fruix config)
             (fruix jail)
             (fruix mount)
             (fruix process)
             (fruix protocol wire)
             (fruix store layout)
             (ice-9 match)
             (ice-9 threads)
             (srfi srfi-64)
             (tests daemon-support)
             (tests support)
             (tests worker-client))

(define %builds (append %build-users %host-directories '("--max-jobs=2")))

(define (log-of port drv)
  "Build DRV and return what the builder wrote."
  (set-options port #:print-build-trace 0)
  (call-with-values (lambda () (request port read-int 9 (list drv) 0))
    (lambda (result log data) (string-concatenate log))))

(define (left-below root)
  "Return what jails and mounts there are below the directory ROOT."
  (define (below? name) (string-prefix? (string-append root "/") name))
  (append (filter below? (map jail-path (jails)))
          (filter below? (map mount-target (mounts)))))

(define (kill-while-building root)
  "Kill a daemon under ROOT in the midst of a build; return whether its builder
ends, and whether mounts are left."
  (call-with-values (lambda () (start-daemon root %builds))
    (lambda (process output)
      (let ((daemon (make-daemon (make-layout #:root root) process)))
        (call-with-client daemon
          (lambda (port)
            (let ((builder (start-build port
                                        (add-script port "sleeper"
                                                    "sleep 1000"))))
              (kill-process process SIGKILL)
              (wait-process process)
              (close-port output)
              (list (wait-until (lambda () (not (running? builder))))
                    (pair? (left-below root))))))))))

(define (start-again root)
  "Start a daemon under ROOT, and stop it; return what is left below ROOT."
  (call-with-values (lambda () (start-daemon root %builds))
    (lambda (process output)
      (let ((left (left-below root)))
        (kill-process process SIGTERM)
        (wait-process process)
        (close-port output)
        left))))

(test-begin "daemon-freebsd")
(skip-unless (and (eq? %platform 'freebsd) (zero? (getuid)))
             "needs FreeBSD, and root")

(test-assert "two builds side by side, with users of their own"
  (call-with-daemon
   (lambda (daemon)
     (define (build name)
       (call-with-client daemon
         (lambda (port)
           (map string->number
                (string-tokenize
                 (log-of port
                         (add-script port name "\
id -u; date +%s; sleep 3; date +%s; echo > $out")))))))
     (match (par-map build '("one" "two"))
       (((user start end) (other other-start other-end))
        (and (not (= user other))
             (< (max start other-start) (min end other-end))))))
   #:prepare install-shell
   #:options %builds))

(test-equal "a daemon that is killed: its builder dies, the next one clears up"
  '((#t #t) ())
  (call-with-temporary-directory
   (lambda (root)
     (install-shell (make-layout #:root root))
     (let ((killed (kill-while-building root)))
       (list killed (start-again root))))
   #:mode #o755))

(test-end "daemon-freebsd")
