;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; A store on a read-only mount, as on Guix System, and one on another file
;;; system than the trees of builds: a real daemon, where nobody else sees the
;;; mounts.

(use-modules (ice-9 match)
             (srfi srfi-64)
             (tests daemon-support)
             (tests support))

;; $0 is the daemon, $1 its root.  It is asked to build a copy of a file, and
;; ended.
(define %serve "
\"$0\" --root=\"$1\" $options 2> \"$1/errors\" & pid=$!
while kill -0 $pid 2> /dev/null && ! grep -qs listening \"$1/errors\"
do sleep 0.05; done
item=`\"${0%-daemon}\" build --root=\"$1\" --file=\"$1/build.scm\" \
  2> \"$1/log\"` || true
test -n \"$item\" && cat \"$1$item\"
kill $pid 2> /dev/null || sed 's/.*error: //' \"$1/errors\"
wait $pid || true
")

(define %prepare "
mkdir -p \"$1/gnu/store\"
echo contents > \"$1/file\"
cat > \"$1/builder\" <<EOF
#!/bin/sh
cat \\$file > \\$out
EOF
chmod +x \"$1/builder\"
cat > \"$1/build.scm\" <<EOF
(lambda (daemon)
  (let ((file (add-to-store daemon \"$1/file\"))
        (builder (add-to-store daemon \"$1/builder\")))
    (derivation daemon \"copy\" builder '()
                #:environment (list (cons \"PATH\" \"/usr/bin:/bin\")
                                    (cons \"file\" file))
                #:inputs (list file builder))))
EOF
options='--build-users=40000:40000'
for directory in /bin /lib /lib64 /usr/bin /usr/lib
do if test -e $directory
   then options=\"$options --chroot-directory=$directory\"; fi; done
")

(define (try-with-store mounting)
  "Return what a daemon does after the shell commands MOUNTING."
  (call-with-temporary-directory
   (lambda (root)
     (run-apart (string-append %prepare mounting %serve) root))
   #:mode #o755))

(test-begin "store-writable")
(skip-unless (can-run-apart?) "needs root and mount namespaces")

(test-equal "a read-only mount is written through, and stays what it is"
  '("contents" "touch: read-only")
  (call-with-temporary-directory
   (lambda (root)
     (run-apart (string-append %prepare "
mount --bind \"$1/gnu/store\" \"$1/gnu/store\"
mount -o remount,bind,ro \"$1/gnu/store\"
" %serve "
touch \"$1/gnu/store/x\" 2> /dev/null || echo touch: read-only
umount \"$1/gnu/store\"
")
                 root))
   #:mode #o755))

(test-assert "a read-only file system stays read-only, and that is said"
  (match (try-with-store "
mount -t tmpfs -o ro tmpfs \"$1/gnu/store\"
")
    ((line) (string-suffix? "cannot be written to" line))))

(test-assert "so does a directory below the mount"
  (match (try-with-store "
mount --bind \"$1/gnu\" \"$1/gnu\"
mount -o remount,bind,ro \"$1/gnu\"
")
    ((line) (string-contains line "is read-only, and stays so: mount_set"))))

(test-equal "a store on a file system of its own" '("contents")
  (try-with-store "mount -t tmpfs tmpfs \"$1/gnu/store\""))

(test-end "store-writable")
