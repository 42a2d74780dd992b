;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Builders that make fixed outputs reach the outside, and no others do.

(use-modules (fruix build)
             (fruix build network)
             (fruix config)
             (fruix flag)
             (fruix store)
             (fruix store layout)
             (ice-9 match)
             (ice-9 textual-ports)
             (ice-9 threads)
             (rnrs bytevectors)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests sandbox-support)
             (tests store-support)
             (tests support))

(define (call-with-web-server proc)
  "Call PROC with the port of a server on the host's loopback interface that
answers every request with hello."
  (let ((listener (socket PF_INET (logior SOCK_STREAM SOCK_CLOEXEC) 0)))
    (bind listener AF_INET INADDR_LOOPBACK 0)
    (listen listener 5)
    (call-with-new-thread
     (lambda ()
       (let loop ()
         (match (accept listener)
           ((connection . _)
            (let drain ()
              (unless (member (get-line connection) '("\r" "" ))
                (drain)))
            (display "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"
                     connection)
            (close-port connection)
            (loop))))))
    (proc (sockaddr:port (getsockname listener)))))

(define %user (+ 50000 (modulo (getpid) 5000)))

(define* (host store users? #:key isolate?)
  (build-host
   #:users (and users?
                (make-user-pool
                 (list (build-user %user %user))
                 (string-append (layout-state-directory (store-layout store))
                                "/userpool")))
   #:isolate-host-loopback? isolate?))

(define (build store host drv)
  "Build DRV; return the result, what the builder wrote, and the notes."
  (define events '())
  (define result
    (perform-task! store host drv '()
                       (lambda (event) (set! events (cons event events)))
                       (make-flag)))
  (define (all name)
    (filter-map (match-lambda
                  ((kind value) (and (eq? kind name) value))
                  (_ #f))
                (reverse events)))
  (list (match result
          (('failed kind _) kind)
          (result result))
        (string-concatenate (map utf8->string (all 'log)))
        (all 'note)))

(define (children)
  (call-with-input-file "/proc/thread-self/children" get-string-all))

(define (test-mode label users? port)
  (define-syntax-rule (test-equal* what expected actual)
    (test-equal (string-append label ": " what) expected actual))
  (call-with-temporary-store
   (lambda (store)
     (define shell (add-static-shell! store))
     (define (fetching name host)
       (add-shell-derivation!
        store shell name
        (format #f "wget -q -O $out http://~a:~a/x" host port)
        #:hash (sha256-of "hello")))
     (define fixed
       (lambda* (name script #:key isolate?)
         (build store (host store users? #:isolate? isolate?)
                (add-shell-derivation! store shell name
                                       (string-append script
                                                      "; echo -n hello > $out")
                                       #:hash (sha256-of "hello")))))
     (define before (children))
     (test-equal* "what the host's loopback interface has can be fetched"
       '(built "" ())
       (build store (host store users?) (fetching "named" "localhost")))
     (test-equal* "but not in isolation" 'transient
       (first (build store (host store users? #:isolate? #t)
                     (fetching "isolated" "10.0.2.2"))))
     (test-equal* "nor by another builder" 'failed
       (first
        (build store (host store users?)
               (add-shell-derivation!
                store shell "ordinary"
                (format #f "wget -q -O $out http://127.0.0.1:~a/" port)))))
     (test-equal* "names are asked of the gateway" "nameserver 10.0.2.3\n"
       (second (fixed "resolver" "cat /etc/resolv.conf")))
     (test-equal* "the builder is alone" "/proc/1\n"
       (second (fixed "alone" "echo /proc/[0-9]*")))
     (test-equal* "in isolation, hosts are those of this one"
       (call-with-input-file "/etc/hosts" get-string-all)
       (second (fixed "hosts" "cat /etc/hosts" #:isolate? #t)))
     (test-equal* "no process is left" before (children)))))

(define (call-without-slirp thunk)
  "Call THUNK while there is no slirp4netns."
  (define config (resolve-module '(fruix config)))
  (define found %slirp4netns)
  (define path (getenv "PATH"))
  (dynamic-wind
    (lambda ()
      (module-set! config '%slirp4netns "/none/slirp4netns")
      (setenv "PATH" "/none"))
    thunk
    (lambda ()
      (module-set! config '%slirp4netns found)
      (setenv "PATH" path))))

(define (test-without label users?)
  (test-equal (string-append label ": without slirp4netns, there is no network, \
and a note")
    '(built "127.0.0.1\n" #t)
    (call-with-temporary-store
     (lambda (store)
       (define shell (add-static-shell! store))
       (define drv
         (add-shell-derivation! store shell "none" "\
ip -4 addr | grep -o 'inet [^/]*' | cut -d' ' -f2; echo -n hello > $out"
                                #:hash (sha256-of "hello")))
       (match (call-without-slirp
               (lambda () (build store (host store users?) drv)))
         ((result log (note))
          (list result log
                (string=? note
                          (format #f "`~a' is built without network: no \
slirp4netns" drv)))))))))

(define %labels
  (cond ((not (eq? %platform 'linux)) '())
        ((zero? (getuid)) '(("build users" #t) ("user namespace" #f)))
        (else '(("user namespace" #f)))))

(test-begin "build-network")

(test-equal "loopback addresses become gateways, and nothing else does"
  "10.0.2.2 localhost a127.0.0.1
\t10.0.2.2\tlocalhost
fd00::2 localhost
ff02::1 all
127.0.0.10 other
# 127.0.0.1 comment
10.0.2.2"
  (hosts-for-gateways "127.0.0.1 localhost a127.0.0.1
\t127.0.0.1\tlocalhost
::1 localhost
ff02::1 all
127.0.0.10 other
# 127.0.0.1 comment
127.0.0.1"))

(for-each (match-lambda ((label users?) (test-without label users?)))
          %labels)

(skip-unless (not %no-outside) %no-outside)
(if %no-outside
    (test-assert "networks of builders" #f)
    (call-with-web-server
     (lambda (port)
       (for-each (match-lambda
                   ((label users?) (test-mode label users? port)))
                 %labels))))
(test-end "build-network")
