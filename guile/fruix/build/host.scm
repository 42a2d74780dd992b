;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What the machine and its administrator give to every build: fixed when
;;; the daemon starts.
;;; Code:

(define-module (fruix build host)
  #:use-module (fruix build network-pool)
  #:use-module (fruix config)
  #:use-module (srfi srfi-9)
  #:export (build-host
            build-host-system
            build-host-users
            build-host-kvm-group
            build-host-networks
            build-host-directories
            build-host-log-compression
            build-host-max-jobs
            build-host-cache-failures?
            build-host-chroot?
            build-host-isolate-host-loopback?
            build-host-socketcall?
            build-host-impersonate-linux-2.6?))

(define-record-type <build-host>
  (make-build-host system users kvm-group networks directories
                   log-compression max-jobs cache-failures? chroot?
                   isolate-host-loopback? socketcall?
                   impersonate-linux-2.6?)
  build-host?
  (system build-host-system)                    ;string: x86_64-linux
  (users build-host-users)                      ;user pool, or #f
  (kvm-group build-host-kvm-group)              ;integer, or #f
  (networks build-host-networks)                ;network pool, or #f
  (directories build-host-directories)          ;list of (INSIDE . OUTSIDE)
  (log-compression build-host-log-compression)  ;gzip, none, or #f: no logs
  (max-jobs build-host-max-jobs)                ;integer, 0: build nothing
  (cache-failures? build-host-cache-failures?)  ;Boolean
  (chroot? build-host-chroot?)                  ;Boolean
  (isolate-host-loopback?                       ;Boolean
   build-host-isolate-host-loopback?)
  (socketcall? build-host-socketcall?)          ;Boolean
  (impersonate-linux-2.6?                       ;Boolean
   build-host-impersonate-linux-2.6?))

(define* (build-host #:key (system %system) users kvm-group (directories '())
                     (log-compression 'gzip) (max-jobs 1) cache-failures?
                     (chroot? #t) isolate-host-loopback? (socketcall? #t)
                     impersonate-linux-2.6?)
  "Return a description of what this machine gives to builds: @var{system}, the
system type that it builds for; @var{users}, a pool of build users made by
@code{make-user-pool}, or @code{#f} to build in a user namespace as the daemon's
own user; @var{kvm-group}, the group of the daemon's own that may use
@file{/dev/kvm}, or @code{#f}; @var{directories}, an alist of extra
directories, names in the sandbox to names on the host; @var{log-compression},
@code{gzip}, @code{none}, or @code{#f} to keep no logs; @var{max-jobs}, 0 if
this machine builds nothing for clients that do not ask for it;
@var{cache-failures?}, whether what failed is not tried again.

Without @var{chroot?}, builders are ordinary processes that see all of the host.
With @var{isolate-host-loopback?}, those that make a fixed output cannot reach
what listens on the host's loopback interface only, on Linux.  Without
@var{socketcall?}, those for 32-bit x86 cannot open sockets by that system call,
which does not show of which family.  With @var{impersonate-linux-2.6?},
builders for x86 hear of a kernel of the 2.6 series."
  (make-build-host system users kvm-group
                   ;; A user namespace needs a network that it owns.
                   (and users (make-network-pool))
                   directories log-compression max-jobs cache-failures?
                   chroot? isolate-host-loopback? socketcall?
                   impersonate-linux-2.6?))
