;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The daemon that the options of fruix-daemon describe.
;;; Code:

(define-module (fruix scripts service)
  #:use-module ((fruix alist) #:select (override))
  #:use-module (fruix build)
  #:use-module ((fruix build users) #:select (user-pool-ids))
  #:use-module (fruix config)
  #:use-module (fruix daemon)
  #:use-module (fruix errors)
  #:use-module (fruix scripts build-users)
  #:use-module (fruix scripts command-line)
  #:use-module (fruix session settings)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:export (serve))

(define (existing pair)
  "Return PAIR, of names of a directory in builds and on the host, with the
canonical name of the latter: links are for us to follow, not for the builds."
  (match pair
    ((inside . outside)
     (cons inside
           (catch 'system-error
             (lambda () (canonicalize-path outside))
             (lambda _
               (fail "--chroot-directory: `~a' does not exist" outside)))))))

(define (initial-settings results)
  "Return the settings of new sessions."
  (override %default-settings
            (filter-map (lambda (name) (assq name results))
                        '(cores max-silent-time timeout verbosity repeat
                          substitutes? substitute-urls offload? keep-outputs?
                          keep-derivations? discover?))))

(define (kvm-group)
  "Return the group that may use /dev/kvm, if this process is in it and it is
not its first one, or #f."
  (match (false-if-exception (group:gid (getgrnam "kvm")))
    (#f #f)
    ((? (lambda (group) (= group (getegid)))) #f)
    (group (and (memv group (vector->list (getgroups))) group))))

(define (host results users)
  "Return what this machine gives to builds, with USERS, a pool or #f."
  (build-host #:system (option-value results 'system %system)
              #:users users
              #:kvm-group (kvm-group)
              #:directories (map existing
                                 (option-values results 'directories))
              #:log-compression (and (option-value results 'keep-logs? #t)
                                     (option-value results 'log-compression
                                                   'gzip))
              #:max-jobs (option-value results 'max-jobs 1)
              #:cache-failures? (option-value results 'cache-failures? #f)
              #:chroot? (option-value results 'chroot? #t)
              #:isolate-host-loopback?
              (option-value results 'isolate-host-loopback? #f)
              #:socketcall? (option-value results 'socketcall? #t)
              #:impersonate-linux-2.6?
              (option-value results 'impersonate-linux-2.6? #f)))

(define (usable-group results warn)
  "Return the entry of the build users' group, if there is one and this
process may become its members."
  (match (option-value results 'group)
    (#f #f)
    ((? (lambda _ (zero? (getuid))) name) (find-group name))
    (name
     (warn "not started by root: --build-users-group=~a has no effect" name)
     #f)))

(define (serve results layout listeners name warn)
  "Serve the store of @var{layout} on @var{listeners}, which
@code{call-with-listeners} gave, as the options in @var{results} want it, until
a signal ends that.  @var{name} is what the daemon is called; @var{warn} is
called with a format string and arguments about what is odd."
  (let* ((group (usable-group results warn))
         (users (user-pool results group layout))
         (host (host results users)))
    (when (and (zero? (getuid)) (not users))
      (warn "started by root without --build-users-group: \
builds run as root, ~a"
            (if (option-value results 'chroot? #t)
                "in user namespaces"
                "and see the whole system")))
    (run-daemon layout listeners
                (lambda (store . arguments)
                  (apply perform-task! store host arguments))
                #:build-group (and group (group:gid group))
                #:builders (if users (user-pool-ids users) '())
                #:deduplicate? (option-value results 'deduplicate? #t)
                #:max-jobs (option-value results 'max-jobs 1)
                #:session-name (and (string=? name "guix-daemon")
                                    (eq? %platform 'linux)
                                    name)
                #:settings (initial-settings results))))
