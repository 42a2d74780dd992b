;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Further groups of the user in a user namespace: newgidmap maps those that
;;; /etc/subgid gives away, and those alone.

(use-modules (fruix build host)
             (fruix build sandbox)
             (fruix process)
             (fruix sandbox)
             (fruix sandbox plan)
             (fruix sandbox spec)
             (ice-9 match)
             (srfi srfi-1)
             (srfi srfi-11)
             (srfi srfi-64)
             (tests daemon-support)
             (tests sandbox-support)
             (tests support))

;; newgidmap wants to know the name of who calls it.
(define %user
  (false-if-exception (getpwnam "daemon")))

(define %busybox "/bin/busybox")

;; A group that the user is in, and one that it is not.
(define %group 61010)
(define %other-group 61011)

(define %obstacle
  (cond ((not (can-run-apart?)) "needs root on Linux")
        ((not (find-program "newgidmap")) "there is no newgidmap")
        ((not (file-exists? %busybox)) "there is no busybox")
        ((not %user) "there is no user called daemon")
        (else #f)))

(define (apart subgid user)
  "Return the command that executes another as USER, who is in %GROUP, where
SUBGID is /etc/subgid."
  `("unshare" "--mount" "sh" "-ec"
    "mount --bind \"$0\" /etc/subgid; exec \"$@\"" ,subgid
    "setpriv" ,(format #f "--reuid=~a" (passwd:uid user))
    ,(format #f "--regid=~a" (passwd:gid user))
    ,(format #f "--groups=~a" %group) "--"))

(define (run-in-groups subordinates groups script)
  "Run the shell SCRIPT in a sandbox whose mapping has GROUPS besides that of
its user, to whom /etc/subgid gives SUBORDINATES.  Return what it wrote."
  (call-with-sandbox-directory
   (lambda (directory)
     (define (file name) (string-append directory "/" name))
     (define box
       (with-field (simple-sandbox 'rootless directory) 'mapping
                   `((uid 30001 . ,(passwd:uid %user))
                     (gid 30000 . ,(passwd:gid %user))
                     ,@groups)))
     (chown (file "root") (passwd:uid %user) -1)
     (copy-file %busybox (file "store/item/busybox"))
     (call-with-output-file (file "subgid")
       (lambda (port)
         (for-each (lambda (group)
                     (format port "~a:~a:1~%" (passwd:name %user) group))
                   subordinates)))
     (chmod (file "subgid") #o644)
     (let-values (((text status)
                   (output-of
                    (lambda (out)
                      (start-script
                       'root "run-sandbox.scm"
                       (list (write-datum (sandbox->sexp box) (file "box"))
                             "/gnu/store/item/busybox" "sh" "-c" script)
                       out #:through (apart (file "subgid") %user))))))
       text))))

(define %use
  "b=/gnu/store/item/busybox; $b id -G; cd /tmp; : > file
$b chgrp 40000 file 2> /dev/null; $b stat -c %g file
echo; $b tail -n 1 /proc/self/gid_map | $b tr -s ' '")

(define %mapped "30000 40000\n40000\n\n 40000 40000 1\n")
(define %alone "30000 65534\n30000\n\n 30000 30000 1\n")

(define (map-steps . facts)
  "Return the steps that map IDs, where FACTS hold."
  (define plan
    (sandbox-plan (sandbox #:root "/box"
                           #:mapping '((uid 30001 . 1000) (gid 30000 . 100)
                                       (gid 40000 . 108)))
                  #:system 'linux #:facts facts))
  (filter (match-lambda
            ((name . _) (member name '("user-map" "lock-mounts"))))
          (plan-steps plan 'birth 'create)))

(define (test-groups)
  (test-equal "a group of the user is there, and files can be given to it"
    %mapped
    (run-in-groups (list %group) `((gid 40000 . ,%group)) %use))
  (test-equal "one that is not given away is nobody's" %alone
    (run-in-groups (list %other-group) `((gid 40000 . ,%group)) %use))
  (test-equal "none is mapped that the sandbox does not name" %alone
    (run-in-groups (list %group) '() %use))
  (test-equal "one that the user is not in may be mapped, but is not joined"
    "30000 65534\n30000\n\n 40000 40000 1\n"
    (run-in-groups (list %other-group) `((gid 40000 . ,%other-group)) %use)))

(test-begin "sandbox-groups")
(test-equal "builders are in the group that may use KVM"
  `(#:mapping ((uid 30001 . ,(geteuid)) (gid 30000 . ,(getegid))
               (gid 40000 . 108)))
  (builder-identity (build-host #:kvm-group 108) #f))
(test-equal "further groups are asked for where somebody maps them"
  '((("user-map" "30001 1000 1" "30000 100 1"
      "/newgidmap" "30000" "100" "1" "40000" "108" "1")
     ("lock-mounts" "30001 30001 1" "30000 30000 1"
      "30000 30000 1\n40000 40000 1"))
    (("user-map" "30001 1000 1" "30000 100 1")
     ("lock-mounts" "30001 30001 1" "30000 30000 1")))
  (list (map-steps '(newgidmap . "/newgidmap"))
        (map-steps '(newgidmap . #f))))
(if %obstacle
    (begin
      (test-skip 1)
      (test-assert (string-append "groups (" %obstacle ")") #f))
    (test-groups))
(test-end "sandbox-groups")
