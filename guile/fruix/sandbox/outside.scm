;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Networks of their own for sandboxes, from which the outside can be reached
;;; without being in the network of the host.
;;;
;;;   program -- tap0 -- ferry == slirp4netns -- the host's network
;;;
;;; slirp4netns is an ordinary program there: it opens connections for what it
;;; is told by frames.  It has no privileges, and a sandbox of its own, from
;;; which it sees little of the host but the network.  The frames come to it
;;; over a socket, as those of a virtual machine would, and all versions since
;;; 1.2.0 know that.  What opens the device of the interface, and holds the
;;; network, is fruix-ferry, which only carries frames.
;;; Code:

(define-module (fruix sandbox outside)
  #:use-module (fruix config)
  #:use-module (fruix descriptors)
  #:use-module (fruix errors)
  #:use-module (fruix files)
  #:use-module (fruix process)
  #:use-module (fruix sandbox)
  #:use-module (fruix sandbox performing)
  #:use-module (ice-9 match)
  #:use-module ((ice-9 textual-ports) #:select (get-string-all))
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:export (%outside-gateway
            %outside-gateway-6
            %outside-name-server
            open-outside-network
            outside-network-process
            close-outside-network))

;; What slirp4netns takes for granted.
(define %address "10.0.2.100")
(define %netmask "255.255.255.0")
(define %outside-gateway "10.0.2.2")
(define %outside-name-server "10.0.2.3")
(define %mtu 1500)
(define %address-6 "fd00::80")
(define %outside-gateway-6 "fd00::2")

(define-record-type <outside-network>
  (make-outside-network slirp ferry)
  outside-network?
  (slirp outside-network-slirp)                   ;<open-sandbox>
  (ferry outside-network-process))                ;<process>

(define (refuse template . arguments)
  (raise-exception
   (make-sandbox-error (apply format #f template arguments)
                       'network "outside" #f)))

;;;
;;; IPv6, as far as the host has it.
;;;

(define (host-scopes)
  "Return the scopes of the IPv6 addresses of the host, a list of strings;
@code{#f} if it has no IPv6."
  (catch 'system-error
    (lambda ()
      (map (lambda (line) (fourth (string-tokenize line)))
           (remove string-null?
                   (string-split (call-with-input-file "/proc/net/if_inet6"
                                   get-string-all)
                                 #\newline))))
    (const #f)))

(define (ipv6-steps scopes)
  "Return the steps that make an interface one for IPv6, too, with a route to
the outside only if some of @var{scopes} go beyond a link: global, site."
  (if scopes
      `(("address6" "tap0" ,%address-6 64)
        ,@(if (any (lambda (scope) (member scope scopes)) '("00" "40"))
              `(("default-route6" "tap0" ,%outside-gateway-6))
              '()))
      '()))

;;;
;;; slirp4netns.
;;;

(define (find-slirp)
  "Return the file name of slirp4netns, without symbolic links."
  (match (if (file-exists? %slirp4netns)
             %slirp4netns
             (find-program (basename %slirp4netns)))
    (#f (refuse "no slirp4netns"))
    (file (canonicalize-path file))))

;; Where programs and their libraries are.
(define %program-directories
  '("/bin" "/gnu/store" "/lib" "/lib32" "/lib64" "/usr"))

(define (types names)
  "Return @var{names}, of files that may not exist, as two lists: those of
directories and those of symbolic links."
  (define (has-type? type)
    (lambda (name)
      (catch 'system-error
        (lambda () (eq? type (stat:type (lstat name))))
        (const #f))))
  (values (filter (has-type? 'directory) names)
          (filter (has-type? 'symlink) names)))

(define (program-mounts program directories)
  "Return mounts of @var{directories}, and of the one that the file
@var{program} is in, unless it is in one of these."
  (map (lambda (directory) (list directory directory 'read-only))
       (if (any (lambda (directory)
                  (string-prefix? (string-append directory "/") program))
                directories)
           directories
           (cons (dirname program) directories))))

(define (resolver-mounts)
  "Return the mount of the file that names the host's name servers."
  (catch 'system-error
    (lambda ()
      `((,(canonicalize-path "/etc/resolv.conf") "/etc/resolv.conf"
         read-only)))
    (const '())))

;; Inside; clients have another name for it.
(define %socket "/run/slirp/socket")

(define (slirp-sandbox program directory identity)
  "Return the sandbox for @var{program}, slirp4netns, with its root and its
socket in @var{directory}; @var{identity} is a list of keyword arguments."
  (call-with-values (lambda () (types %program-directories))
    (lambda (directories links)
      (apply sandbox
             #:root (string-append directory "/root")
             #:mounts `((,(string-append directory "/socket")
                         ,(dirname %socket) read-write)
                        ,@(resolver-mounts)
                        ,@(program-mounts program directories))
             #:symlinks (map (lambda (link) (list link (readlink link)))
                             links)
             #:directories '()
             #:network 'host
             identity))))

(define (slirp-arguments scopes host-loopback?)
  `("slirp4netns" "--target-type=bess" "--enable-seccomp"
    ,(format #f "--mtu=~a" %mtu)
    ,@(if scopes '("--enable-ipv6") '())
    ,@(if host-loopback? '() '("--disable-host-loopback"))
    ,%socket))

(define (start-slirp program directory owner identity arguments)
  "Start @var{program} and return its sandbox, which is open, and its process."
  (for-each (lambda (name)
              (mkdir (string-append directory name) #o700))
            '("/root" "/socket"))
  (chown (string-append directory "/socket") (car owner) (cdr owner))
  (let ((open (open-sandbox (slirp-sandbox program directory identity))))
    (on-failure (lambda () (close-sandbox open))
      (lambda ()
        (values open
                (spawn-in-sandbox open arguments #:program program
                                  #:input #f #:output #f #:error #f))))))

;; How long slirp4netns may take to listen, and how long to wait before trying
;; again, in milliseconds.
(define %patience 10000)
(define %pause 2)

(define (connect-to socket file process)
  "Connect @var{socket} to @var{file}, as soon as @var{process} listens there."
  (let loop ((left %patience))
    (match (catch 'system-error
             (lambda () (connect socket AF_UNIX file))
             (lambda arguments (system-error-errno arguments)))
      ((? (lambda (errno) (memv errno (list ENOENT ECONNREFUSED))))
       (unless (process-running? process)
         (refuse "slirp4netns ended"))
       (when (<= left 0)
         (refuse "slirp4netns does not listen"))
       (wait-milliseconds %pause)
       (loop (- left %pause)))
      ((? integer? errno)
       (refuse "slirp4netns: ~a" (strerror errno)))
      (_ socket))))

(define SOCK_SEQPACKET 5)

(define (call-with-slirp-socket directory slirp proc)
  "Call @var{proc} with a socket that is connected with the process @var{slirp},
whose own is in @var{directory}, and close it."
  ;; The names of sockets are short, so begin in the directory.
  (call-with-directory (string-append directory "/socket")
    (lambda (descriptor)
      (call-with-closing-port
          (socket AF_UNIX (logior SOCK_SEQPACKET SOCK_CLOEXEC) 0)
        (lambda (socket)
          (proc (connect-to socket (format #f "/proc/self/fd/~a/~a"
                                           descriptor (basename %socket))
                            slirp)))))))

;;;
;;; The ferry, and with it the network.
;;;

(define (identity-map id)
  (format #f "~a ~a 1" id id))

(define (interface-steps scopes host-loopback?)
  "Return the steps that make the interface of a network, which becomes
descriptor 1, and configure it."
  `(,@(if host-loopback? '() '(("loopback-up")))
    ("tap" "tap0" 1)
    ;; It is alone: there is nobody to detect, or to ask for routes.
    ("network-setting" "ipv6/conf/tap0/accept_dad" "0")
    ("network-setting" "ipv6/conf/tap0/accept_ra" "0")
    ,@(if host-loopback?
          '(("network-setting" "ipv4/conf/tap0/route_localnet" "1"))
          '())
    ("interface-up" "tap0" ,%mtu ,%address ,%netmask)
    ("default-route" ,%outside-gateway)
    ,@(ipv6-steps scopes)))

(define (ferry-plan socket owner mapped? interface)
  "Return the plan of a process that makes a network and then is the ferry
between that and @var{socket}; the steps @var{interface} make its interface."
  `(("namespaces" "net" ,@(if mapped? '("user") '()))
    ,@(if mapped?
          `(("user-map" ,(identity-map (car owner))
                        ,(identity-map (cdr owner))))
          '())
    ("session")
    ("descriptors" ,(fileno socket) -1 -1)
    ,@interface
    ("drop-capabilities")
    ,@(if mapped? '() `(("credentials" ,(car owner) ,(cdr owner))))
    ("no-new-privileges")
    ("system-calls")
    ("death-signal" ,SIGKILL)))

(define (start-ferry plan)
  (call-with-step-errors
   (lambda ()
     (call-with-closing-port (open %ferry-file (logior O_RDONLY O_CLOEXEC))
       (lambda (executable)
         (perform-plan %ferry-file '("fruix-ferry") '() plan
                       #:executable (fileno executable)))))))

;;;
;;; Both.
;;;

(define* (open-outside-network directory #:key user group mapping
                               (host-loopback? #t))
  "Make a network from which the outside can be reached, and return it.  Frames
for it go through slirp4netns, on Linux only.  It is there for sandboxes, by
@code{outside-network-process}, until @code{close-outside-network}, or until the
thread ends that called this.

@var{directory} is the name of an empty directory of one's own.  What serves the
network runs as @var{user} and @var{group}, integers, or as an ordinary user
with @var{mapping}; these are as for @code{sandbox}, and so must be those of
sandboxes that are put into the network.

The network has the interface @code{tap0}, the gateway
@code{%outside-gateway}, or @code{%outside-gateway-6} where the host has IPv6,
and the name server @code{%outside-name-server}, all strings.  With
@var{host-loopback?}, the gateway also stands for the host itself: what listens
on its loopback interface is reached there, and, since the network has no
loopback interface then, at @code{127.0.0.1}.

Raise a @code{&sandbox-error} if there is no slirp4netns, or if it or the
interface does not work; nothing is left then."
  (define program (find-slirp))
  (define scopes (host-scopes))
  (define owner
    (match mapping
      ((('uid _ . uid) ('gid _ . gid) . _) (cons uid gid))
      (#f (cons user group))))
  (define (start identity)
    (start-slirp program directory owner identity
                 (slirp-arguments scopes host-loopback?)))
  (define (ferry-on socket)
    (start-ferry (ferry-plan socket owner (and mapping #t)
                             (interface-steps scopes host-loopback?))))
  (call-with-values
      (lambda ()
        (start (if mapping
                   (list #:mapping mapping)
                   (list #:user user #:group group))))
    (lambda (open slirp)
      (on-failure (lambda () (close-sandbox open))
        (lambda ()
          (make-outside-network
           open
           (call-with-slirp-socket directory slirp ferry-on)))))))

(define (close-outside-network network)
  "Put an end to @var{network}, which @code{open-outside-network} returned, and
to what serves it.  What is in its directory is the caller's to delete."
  (kill-process (outside-network-process network) SIGKILL)
  (wait-process (outside-network-process network))
  (close-sandbox (outside-network-slirp network)))
