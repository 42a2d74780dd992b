;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; The group of the build users, in a system with accounts made for the test:
;;; a real daemon, where nobody else sees them.

(use-modules (fruix build users)
             (fruix flag)
             (fruix mailbox)
             (fruix process)
             (fruix thread)
             (ice-9 match)
             (ice-9 threads)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests daemon-support)
             (tests support))

;; $1 is the root of the daemon, $2 lines for the table of groups.
(define %accounts "
cp /etc/passwd \"$1/passwd\"; cp /etc/group \"$1/group\"
echo fruix-test-1:x:41001:41000::/:/bin/false >> \"$1/passwd\"
echo \"$2\" >> \"$1/group\"
mount --bind \"$1/passwd\" /etc/passwd
mount --bind \"$1/group\" /etc/group
")

(define %serve "
\"$0\" --root=\"$1\" $options --build-users-group=fruix-test \\
  2> \"$1/errors\" & pid=$!
while kill -0 $pid 2> /dev/null && ! grep -qs listening \"$1/errors\"
do sleep 0.05; done
")

(define %stop "
kill $pid 2> /dev/null || sed 's/.*error: //' \"$1/errors\"
wait $pid || true
")

(define %build "
options=
for directory in /bin /lib /lib64 /usr/bin /usr/lib
do if test -e $directory
   then options=\"$options --chroot-directory=$directory\"; fi; done
cat > \"$1/builder\" <<EOF
#!/bin/sh
id -u > \\$out; id -g >> \\$out; id -G >> \\$out
EOF
chmod +x \"$1/builder\"
cat > \"$1/build.scm\" <<EOF
(lambda (daemon)
  (let ((builder (add-to-store daemon \"$1/builder\")))
    (derivation daemon \"identity\" builder '()
                #:environment '((\"PATH\" . \"/usr/bin:/bin\"))
                #:inputs (list builder))))
EOF
")

(define (try groups)
  "Return what the daemon says that is started with the lines GROUPS in the
table of groups, if it does not start."
  (call-with-temporary-directory
   (lambda (root)
     (run-apart (string-append %accounts %serve %stop) root groups))
   #:mode #o755))

(test-begin "build-users")
(skip-unless (can-run-apart?) "needs root and mount namespaces")

(test-equal "builders have the user, the group and the groups of a member"
  '("41001" "41000" "41000 41002" "0 41000 1775")
  (call-with-temporary-directory
   (lambda (root)
     (run-apart (string-append %accounts %build %serve "
cat \"$1\"`\"${0%-daemon}\" build --root=\"$1\" --file=\"$1/build.scm\" \\
  2> \"$1/log\"` || cat \"$1/log\"
stat -c '%u %g %a' \"$1/gnu/store\"
" %stop)
                root
                "fruix-test:x:41000:fruix-test-1
fruix-test-also:x:41002:fruix-test-1"))
   #:mode #o755))

(test-equal "a group that there is not"
  '("the build users' group `fruix-test' does not exist")
  (try "other:x:41000:"))
(test-equal "a group without members"
  '("the build users' group `fruix-test' has no members")
  (try "fruix-test:x:41000:"))
(test-equal "a member that there is not"
  '("`nobody-here', in the build users' group `fruix-test', has no account")
  (try "fruix-test:x:41000:fruix-test-1,nobody-here"))

(test-equal "an ordinary user's daemon goes on without" '(#t #t)
  (call-with-temporary-directory
   (lambda (root)
     (chown root 41001 41000)
     (match (run-apart (string-append "
setpriv --reuid 41001 --regid 41000 --clear-groups \\
  \"$0\" --root=\"$1\" --build-users-group=fruix-test \\
  2> \"$1/errors\" & pid=$!
while kill -0 $pid 2> /dev/null && ! grep -qs listening \"$1/errors\"
do sleep 0.05; done
cat \"$1/errors\"
" %stop)
                       root)
       ((warning listening . _)
        (list (->bool (string-contains warning "has no effect"))
              (->bool (string-contains listening "listening"))))))
   #:mode #o755))

(test-equal "root is told as what builds run" '(#t #t)
  (map (lambda (options words)
         (call-with-temporary-directory
          (lambda (root)
            (->bool
             (string-contains
              (car (run-apart (string-append "
\"$0\" --root=\"$1\" " options " 2> \"$1/errors\" & pid=$!
while kill -0 $pid 2> /dev/null && ! grep -qs listening \"$1/errors\"
do sleep 0.05; done
cat \"$1/errors\"
" %stop)
                              root))
              words)))))
       '("" "--disable-chroot")
       '("in user namespaces" "see the whole system")))

;; Nobody else has these users.
(define %pool-users
  (map (lambda (id) (build-user id id)) '(41011 41012)))

(define (start-build pool client started)
  "Start a thread that has a build user of POOL for CLIENT, and puts into the
mailbox STARTED a pair of that and of a thunk that makes it end."
  (start-thread
   (lambda ()
     (call-with-build-user pool client (make-flag)
       (lambda (user)
         (let ((go (make-mailbox)))
           (mailbox-put! started
                         (cons client (lambda () (mailbox-put! go 'go))))
           (mailbox-get! go)))))))

(define (await-waiting pool number)
  (wait-until (lambda ()
                (= number (length ((@@ (fruix build users) user-pool-waiting)
                                   pool))))))

(test-equal "who has none gets the next user, though others wait for longer"
  '(many many few many many many)
  (call-with-temporary-directory
   (lambda (directory)
     (let* ((pool (make-user-pool %pool-users directory))
            (started (make-mailbox))
            (many (map (lambda (_) (start-build pool 'many started))
                       (iota 5))))
       (await-waiting pool 3)
       (let ((few (start-build pool 'few started)))
         (await-waiting pool 4)
         (let ((order (let loop ((left 6) (running '()) (order '()))
                        (if (zero? left)
                            (begin
                              (for-each (lambda (end) (end)) running)
                              (reverse order))
                            (match (mailbox-get! started)
                              ((client . end)
                               (match (cons end running)
                                 ((last first)
                                  (first)
                                  (loop (- left 1) (list last)
                                        (cons client order)))
                                 (running
                                  (loop (- left 1) running
                                        (cons client order))))))))))
           (for-each join-thread (cons few many))
           order))))))

;; As another daemon, or this one's builders without a sandbox, may leave them.
(call-with-temporary-directory
 (lambda (directory)
   (define pool
     (make-user-pool (list-head %pool-users 1)
                     (string-append directory "/pool")))
   (define user (build-user-id (car %pool-users)))
   (define* (use proc #:key confined?)
     (call-with-build-user pool 'client (make-flag) proc
                           #:confined? confined?))
   (define (ending process)
     (status:term-sig (wait-process process)))
   (define before (start-accomplice directory user))
   (unless (accomplice-of? before user)
     (test-skip 2))
   (test-equal "who has become a build user before is not there in a build"
     SIGKILL
     (use (lambda (user) (ending before)) #:confined? #t))
   (test-equal "nor who becomes one meanwhile, after a build without a sandbox"
     SIGKILL
     (ending (use (lambda (user)
                    (start-accomplice directory (build-user-id user)))))))
 #:mode #o755)

(test-end "build-users")
