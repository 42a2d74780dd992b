;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The network that a builder sees, and the files that tell about it.
;;;
;;; An ordinary builder has a loopback interface, and nobody to talk to.  One
;;; that makes a fixed output, which cannot be anything but what was asked for,
;;; may talk to the outside:
;;;
;;; 1. On Linux through a network of its own.  In that of the host it would
;;;    reach abstract sockets, and could hand its files to others that outlive
;;;    it.
;;; 2. On FreeBSD, which has no such sockets, in the network of the host.
;;; Code:

(define-module (fruix build network)
  #:use-module (fruix build host)
  #:use-module (fruix build job)
  #:use-module (fruix build network-pool)
  #:use-module (fruix config)
  #:use-module (fruix derivation)
  #:use-module (fruix errors)
  #:use-module (fruix files)
  #:use-module (fruix message)
  #:use-module (fruix sandbox outside)
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 match)
  #:use-module ((ice-9 textual-ports) #:select (get-string-all))
  #:use-module ((srfi srfi-1) #:select (append-map find))
  #:use-module (srfi srfi-9)
  #:export (call-with-build-network
            build-network-kind
            build-network-descriptor
            build-network-process
            build-network-files
            build-network-mounts
            hosts-for-gateways))

(define-record-type <build-network>
  (make-build-network kind descriptor process files mounts)
  build-network?
  (kind build-network-kind)             ;loopback | host, as for 'sandbox'
  (descriptor build-network-descriptor) ;of one that was made before | #f
  (process build-network-process)       ;whose network it is instead | #f
  (files build-network-files)           ;list, as for 'sandbox'
  (mounts build-network-mounts))        ;likewise

(define %loopback-hosts
  "127.0.0.1 localhost\n::1 localhost\n")

(define (hosts-file text)
  `("/etc/hosts" ,text #o644))

(define (host-files . names)
  "Return read-only mounts of those of the files @var{names} that the host
has."
  (append-map (lambda (name)
                (if (file-exists? name)
                    (list (list (canonicalize-path name) name 'read-only))
                    '()))
              names))

(define (with-hosts kind process files mounts)
  "Return a network of @var{kind} and @var{process} whose builder sees
@var{files} and @var{mounts}, and an @file{/etc/hosts} in any case."
  (make-build-network kind #f process
                      (if (find (match-lambda
                                  ((_ target _) (string=? target "/etc/hosts")))
                                mounts)
                          files
                          (cons (hosts-file %loopback-hosts) files))
                      mounts))

(define (host-view kind)
  "Return a network of @var{kind} whose builder sees the files of the host."
  (with-hosts kind #f '()
              (host-files "/etc/hosts" "/etc/nsswitch.conf"
                          "/etc/resolv.conf" "/etc/services")))

;;;
;;; A network of its own.
;;;

(define %gateways
  `(("127.0.0.1" . ,%outside-gateway)
    ("::1" . ,%outside-gateway-6)))

(define (gateways-line line)
  "Return @var{line}, of a file such as @file{/etc/hosts}, with the gateway for
the loopback address that it begins with."
  (let* ((start (or (string-skip line char-set:blank) 0))
         (end (or (string-index line char-set:blank start)
                  (string-length line)))
         (gateway (assoc-ref %gateways (substring line start end))))
    (if gateway
        (string-append (substring line 0 start) gateway (substring line end))
        line)))

(define (hosts-for-gateways text)
  "Return @var{text}, the contents of the host's @file{/etc/hosts}, for a
network in which the host's loopback interface is behind the gateways of
@ref{fruix sandbox outside}."
  (string-join (map gateways-line (string-split text #\newline)) "\n"))

(define (host-hosts)
  "Return the contents of the host's @file{/etc/hosts}, or what should be
there."
  (if (file-exists? "/etc/hosts")
      (call-with-input-file "/etc/hosts" get-string-all)
      %loopback-hosts))

(define %resolver
  `("/etc/resolv.conf" ,(format #f "nameserver ~a~%" %outside-name-server)
    #o644))

(define (outside-build-network network host-loopback?)
  "Return what a builder in @var{network} sees, an outside network."
  (define process (outside-network-process network))
  (define names (host-files "/etc/nsswitch.conf" "/etc/services"))
  (if host-loopback?
      (make-build-network 'host #f process
                          (list (hosts-file (hosts-for-gateways (host-hosts)))
                                %resolver)
                          names)
      (with-hosts 'host process (list %resolver)
                  (append (host-files "/etc/hosts") names))))

(define (open-network job directory host-loopback? identity)
  "Return an outside network for @var{job}, or @code{#f}, having told why there
is none."
  (mkdir directory #o700)
  (guard (exception ((sandbox-error? exception)
                     (publish job
                              `(note ,(format #f "`~a' is built without \
network: ~a" (job-drv job) (exception->octets exception))))
                     #f))
    (apply open-outside-network directory #:host-loopback? host-loopback?
           identity)))

(define (call-with-outside job area identity proc)
  (define host-loopback?
    (not (build-host-isolate-host-loopback? (job-host job))))
  (let ((network (open-network job (string-append area "/network")
                               host-loopback? identity)))
    (if network
        (dynamic-wind
          (const #t)
          (lambda () (proc (outside-build-network network host-loopback?)))
          (lambda () (close-outside-network network)))
        (proc (host-view 'loopback)))))

;;;
;;; None.
;;;

(define (call-with-loopback host proc)
  (define (call descriptor)
    (proc (make-build-network 'loopback descriptor #f
                              (list (hosts-file %loopback-hosts)) '())))
  (match (build-host-networks host)
    (#f (call #f))
    (pool (call-with-pooled-network pool call))))

;;;
;;; Any.
;;;

(define (call-with-build-network job area identity proc)
  "Call @var{proc} with the network of the builder of @var{job}, and return what
@var{proc} returned.  @var{area} is the file name of its chroot area, and
@var{identity} a list of keyword arguments of @code{sandbox}: as whom it runs.
Clients are told if it has no outside although it should."
  (cond ((not (fixed-output-derivation? (job-derivation job)))
         (call-with-loopback (job-host job) proc))
        ((eq? %platform 'linux)
         (call-with-outside job area identity proc))
        (else
         (proc (host-view 'host)))))
