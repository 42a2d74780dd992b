;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; What a client finds of a failed build when the daemon is another ordinary
;;; user: a real daemon, and the command.

(use-modules (srfi srfi-64)
             (tests daemon-support)
             (tests support))

;; $1 is the root of the daemon, $2 are options of setpriv for it.
(define %script "
exec 2> /dev/null
daemon='setpriv --reuid 41021 --regid 41021 --clear-groups'
client='setpriv --reuid 41022 --regid 41022 --clear-groups'
chown 41021 \"$1\"
options=
for directory in /bin /lib /lib64 /usr/bin /usr/lib
do if test -e $directory
   then options=\"$options --chroot-directory=$directory\"; fi; done
$daemon $2 \"$0\" --root=\"$1\" $options 2> \"$1/errors\" & pid=$!
while kill -0 $pid && ! grep -qs listening \"$1/errors\"
do sleep 0.05; done
cat > \"$1/builder\" <<EOF
#!/bin/sh
mkdir sub closed
echo contents > sub/file
echo > closed/file
chmod 6755 sub/file
chmod 0 closed
exit 1
EOF
chmod 755 \"$1/builder\"
cat > \"$1/build.scm\" <<EOF
(lambda (daemon)
  (let ((builder (add-to-store daemon \"$1/builder\")))
    (derivation daemon \"fails\" builder '()
                #:environment '((\"PATH\" . \"/usr/bin:/bin\"))
                #:inputs (list builder))))
EOF
$client \"${0%-daemon}\" build --root=\"$1\" --file=\"$1/build.scm\" \\
  --keep-failed 2> \"$1/log\" || true
kill $pid
wait $pid || true
cd \"`sed -n 's/^note: keeping build directory .\\(.*\\).$/\\1/p' \"$1/log\"`\"
grep -c 'may not give files away' \"$1/log\" || true
stat -c '%u %a' . sub sub/file closed
$client cat sub/file
")

(define (try options)
  "Return what there is to see if the daemon is started by setpriv(1) with
OPTIONS."
  (call-with-temporary-directory
   (lambda (root) (run-apart %script root options))
   #:mode #o755))

(test-begin "keep-failed")
(skip-unless (can-run-apart?) "needs root and mount namespaces")

(test-equal "who may give files away gives them to the client"
  '("0" "41022 755" "41022 755" "41022 755" "41022 0" "contents")
  (try "--inh-caps +chown --ambient-caps +chown"))
(test-equal "who may not lets the client read them"
  '("1" "41021 755" "41021 755" "41021 755" "41021 0" "contents")
  (try ""))

(test-end "keep-failed")
