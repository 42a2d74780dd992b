;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; A hostile program on FreeBSD gets at nothing of a sandbox of the same user
;;; that runs beside its own, or ran before it, whatever their network.

(use-modules (fruix config)
             (fruix descriptors)
             (fruix process)
             (fruix sandbox)
             (ice-9 match)
             ((ice-9 rdelim) #:select (read-line))
             (srfi srfi-1)
             (srfi srfi-11)
             (srfi srfi-64)
             (tests sandbox-support)
             (tests support))

;; What comes of each attempt of tests/neighbour.cc.
(define %defeats
  `((,EROFS "truncate an input")
    (,EXDEV "link to an input")
    (,EPERM "be root by an input" "make an input writable" "unmount /dev" "mount nullfs" "mount devfs"
     "mount procfs" "mount fdescfs" "log the calls of a process"
     "enter any jail" "remove any jail" "open a raw socket of IPv6"
     "change the routes" "limit others")
    (,ESRCH "signal a process" "trace a process" "see a process"
     "see the arguments of a process" "see the files of a process"
     "move to another processor a process")
    (,ECONNREFUSED "reach a local socket")
    (,ENOENT "see a jail" "find shared memory of System V" "find semaphores"
     "find a message queue" "find shared memory of POSIX")))

;; What comes of others, by the network; #f is for success.
(define %network-defeats
  `((none
     (,EPROTONOSUPPORT "open a raw socket of IPv6" "open a socket of IPv4"
      "open a socket of IPv6" "reach a server of the host"
      "reach it over IPv6"))
    (loopback
     (,ECONNREFUSED "reach a server of the host" "reach it over IPv6")
     (#f "open a socket of IPv4" "open a socket of IPv6"))
    (host
     (#f "open a socket of IPv4" "open a socket of IPv6"
      "reach a server of the host" "reach it over IPv6"))))

(define (listening family . address)
  "Return a port of the host that listens on ADDRESS."
  (let ((port (socket family SOCK_STREAM 0)))
    (apply bind port family address)
    (listen port 1)
    port))

(define (call-with-server proc)
  "Call PROC with the TCP port where the host listens."
  (let* ((tcp (listening AF_INET INADDR_LOOPBACK 0))
         (number (sockaddr:port (getsockname tcp)))
         (tcp6 (listening AF_INET6 1 number)))
    (dynamic-wind
      (const #t)
      (lambda () (proc number))
      (lambda () (for-each close-port (list tcp tcp6))))))

(define (make-targets directory)
  "Make what the hostile program shall not get at.  Nothing but the mount
protects the input."
  (define (file name) (string-append directory "/" name))
  (copy-file (test-program "neighbour") (file "store/item/set-id"))
  (chmod (file "store/item/set-id") #o4755)
  (call-with-output-file (file "store/item/input") newline)
  (chmod (file "store/item/input") #o777)
  (for-each mkdir (list (file "shared") (file "peer")))
  (for-each (lambda (name) (chown (file name) 35001 35001))
            '("store/item" "store/item/input" "shared")))

(define (hostile-sandbox directory root network)
  "Return a sandbox on ROOT with all that it could share with another."
  (sandbox #:root (string-append directory root)
           #:user 35001 #:group 35001 #:network network
           #:mounts `((,(string-append directory "/store/item")
                       "/item" read-only)
                      (,(string-append directory "/shared")
                       "/shared" read-write))))

(define (call-with-peer box proc)
  "Call PROC with the process ID of a program in BOX that has left things
behind."
  (call-with-sandbox box
    (lambda (open)
      (let-values (((in out) (make-pipe)))
        (let ((process (spawn-in-sandbox
                        open '("/item/neighbour" "leave" "600")
                        #:input #f #:output out))
              (port (fdes->inport in)))
          (close-fdes out)
          (test-equal "the other program left things behind" "leave: done"
            (read-line port))
          (close-port port)
          (proc (process-id process)))))))

(define (attack network root peer-root)
  "Return what comes of the attacks in a sandbox on ROOT while there is one on
PEER-ROOT, or after there was one if these are the same."
  (call-with-sandbox-directory
   (lambda (directory)
     (define (run peer)
       (call-with-server
         (lambda (port)
           (report
            (output-in-sandbox
             (hostile-sandbox directory root network) "/item/neighbour"
             `("neighbour" "/item/input"
               ,@(map number->string (list peer port))))))))
     (define peer-box (hostile-sandbox directory peer-root network))
     (make-targets directory)
     (if (string=? root peer-root)
         (begin
           (call-with-peer peer-box (const #t))
           (run (getpid)))
         (call-with-peer peer-box run)))))

(define (errors groups)
  "Return an alist from attempts to results for GROUPS."
  (append-map (match-lambda
                ((errno . attempts)
                 (map (lambda (what)
                        (cons what (if errno (strerror errno) "done")))
                      attempts)))
              groups))

(define (test-attacks network root peer-root)
  (define results (attack network root peer-root))
  ;; What depends on the network comes first, and wins.
  (define defeats
    (delete-duplicates
     (errors (append (assq-ref %network-defeats network) %defeats))
     (lambda (a b) (string=? (car a) (car b)))))
  (define (name what)
    (format #f "~a, ~a: ~a" network
            (if (string=? root peer-root) "after another" "beside another")
            what))
  (for-each (match-lambda
              ((what . result)
               (test-equal (name what) result (assoc-ref results what))))
            defeats)
  (test-equal (name "no attack is missing here") '()
    (remove (match-lambda ((what . _) (assoc what defeats))) results)))

(test-begin "neighbours")
(skip-unless (and (eq? %platform 'freebsd) %root?) "needs root on FreeBSD")
(if (and (eq? %platform 'freebsd) %root?)
    (begin
      (for-each (lambda (network) (test-attacks network "/root" "/peer"))
                '(none loopback host))
      (test-attacks 'none "/root" "/root"))
    (test-assert "attacks" #f))
(test-end "neighbours")
