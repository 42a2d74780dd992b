;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The command fruix-daemon: from its options to a running daemon.
;;;
;;; Called as guix-daemon it says that it is that, since service files, test
;;; suites and scripts look at the name and the version.
;;; Code:

(define-module (fruix scripts fruix-daemon)
  #:use-module (fruix build)
  #:use-module (fruix config)
  #:use-module (fruix daemon)
  #:use-module (fruix daemon addresses)
  #:use-module (fruix errors)
  #:use-module (fruix scripts build-users)
  #:use-module (fruix scripts command-line)
  #:use-module (fruix scripts daemon-options)
  #:use-module (fruix session settings)
  #:use-module (fruix store layout)
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 format)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:export (main))

(define %usage-error 64)                ;EX_USAGE of sysexits.h

(define (program-name)
  (basename (first (command-line))))

(define (version-text)
  (if (string=? (program-name) "guix-daemon")
      (format #f "guix-daemon (GNU Guix) ~a~%provided by Fruix ~a~%"
              %guix-version %version)
      (format #f "fruix-daemon (Fruix) ~a~%" %version)))

(define (tell what)
  (display (match what
             ('help (daemon-help (program-name)))
             ('usage (daemon-usage (program-name)))
             ('version (version-text)))))

(define (warn template . arguments)
  (format (current-error-port) "~a: warning: ~?~%"
          (program-name) template arguments))


;;;
;;; The daemon that the options describe.
;;;

(define (directory text)
  (if (absolute-file-name? text)
      text
      (string-append (getcwd) "/" text)))

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

(define (host results users)
  "Return what this machine gives to builds, with USERS, a pool or #f."
  (build-host #:system (option-value results 'system %system)
              #:users users
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
              #:impersonate-linux-2.6?
              (option-value results 'impersonate-linux-2.6? #f)))

(define (usable-group results)
  "Return the entry of the build users' group, if there is one and this
process may become its members."
  (match (option-value results 'group)
    (#f #f)
    ((? (lambda _ (zero? (getuid))) name) (find-group name))
    (name
     (warn "not started by root: --build-users-group=~a has no effect" name)
     #f)))

(define (addresses results layout)
  (match (option-values results 'listen)
    (() `((unix ,(layout-socket layout))))
    (texts (map parse-address texts))))

(define (start results)
  (define guix-daemon? (string=? (program-name) "guix-daemon"))
  (let* ((layout (layout-from-environment
                  #:root (and=> (option-value results 'root) directory)))
         (group (usable-group results))
         (users (user-pool results group layout))
         (host (host results users)))
    (when (and (zero? (getuid)) (not users))
      (warn "started by root without --build-users-group: \
builds run as root, in user namespaces"))
    (run-daemon layout
                (lambda (store . arguments)
                  (apply perform-task! store host arguments))
                #:addresses (addresses results layout)
                #:build-group (and group (group:gid group))
                #:deduplicate? (option-value results 'deduplicate? #t)
                #:max-jobs (option-value results 'max-jobs 1)
                #:session-name (and guix-daemon?
                                    (eq? %platform 'linux)
                                    (program-name))
                #:settings (initial-settings results))))

(define (complain-of-usage exception)
  (format (current-error-port) "~a: ~a~%~
Try `~a --help' or `~a --usage' for more information.~%"
          (program-name) (exception->text exception)
          (program-name) (program-name)))

(define (main arguments)
  "Run the daemon that @var{arguments}, the command line without the program's
name, ask for, until a signal ends it.  Return the exit code: 0, or 1 if it
could not start, 64 if the arguments make no sense."
  (guard (exception ((usage-error? exception)
                     (complain-of-usage exception)
                     %usage-error)
                    ((or (fruix-error? exception)
                         (eq? (exception-kind exception) 'system-error))
                     (format (current-error-port) "~a: error: ~a~%"
                             (program-name) (exception->text exception))
                     1))
    (let ((results (parse-daemon-options arguments)))
      (match (option-value results 'tell)
        (#f (start results))
        (what (tell what)))
      0)))
