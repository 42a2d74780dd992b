;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; A shell that sees the host's programs, read-only, and nothing else.  Root
;;; runs it as another user; an ordinary user needs a user namespace, which
;;; Linux has.

(use-modules (fruix sandbox))

(define root (mkdtemp "/tmp/box-XXXXXX"))

;; Where programs are on the host.  On many systems, some are links.
(define (names type)
  (filter (lambda (name)
            (eq? type (and=> (false-if-exception (lstat name)) stat:type)))
          '("/bin" "/gnu" "/lib" "/lib64" "/libexec" "/usr")))

(define who
  (if (zero? (getuid))
      '(#:user 65534 #:group 65534)
      `(#:mapping ((uid 1000 . ,(getuid)) (gid 1000 . ,(getgid))))))

(define box
  (apply sandbox
         #:root root
         #:mounts (map (lambda (name) (list name name 'read-only))
                       (names 'directory))
         #:symlinks (map (lambda (name) (list name (readlink name)))
                         (names 'symlink))
         #:environment '("PATH=/usr/bin:/bin")
         who))

(define (shell box script)
  (status:exit-val (run-in-sandbox box (list "/bin/sh" "-c" script))))

;; A sandbox for one program, and one for several.
(define results
  (list (shell box "id -u; ! touch /usr/note")
        (call-with-sandbox box
          (lambda (open)
            (shell open "echo hello > /tmp/note")
            (shell open "cat /tmp/note")))))

(rmdir root)
(exit (equal? results '(0 0)))
