;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The command fruix-daemon: from its options, which are those of guix-daemon
;;; as far as they have a meaning here, to a running daemon.
;;; Code:

(define-module (fruix scripts fruix-daemon)
  #:use-module (fruix build)
  #:use-module (fruix config)
  #:use-module (fruix daemon)
  #:use-module (fruix errors)
  #:use-module (fruix session settings)
  #:use-module (fruix store layout)
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 format)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-37)
  #:export (main))

(define %usage-error 64)                ;EX_USAGE of sysexits.h

(define (usage-error template . arguments)
  (format (current-error-port) "fruix-daemon: ~?~%~
Try `fruix-daemon --help' for more information.~%" template arguments)
  (exit %usage-error))

(define (show-help)
  (display "\
Usage: fruix-daemon [OPTION]...
Build derivations, and keep the store, for the clients that connect.

      --system=SYSTEM    build for SYSTEM
  -c, --cores=N          let each build use N processors; 0 means all
  -M, --max-jobs=N       run at most N builds at a time, for all clients
      --timeout=SECONDS  end builds that take longer than SECONDS
      --max-silent-time=SECONDS
                         end builds that write nothing for SECONDS
      --chroot-directory=DIR, --chroot-directory=INSIDE=DIR
                         let builds see DIR, under the name INSIDE
      --build-users-group=GROUP
                         build as the members of GROUP
      --build-users=UID:GID[,UID:GID]...
                         build as these users, which need no account
      --no-substitutes   do not use substitutes; there are none yet
      --substitute-urls=URLS
                         accepted for the day when there are
      --lose-logs        keep no build logs
      --log-compression=TYPE
                         compress build logs with TYPE: gzip or none
      --listen=SOCKET    listen on SOCKET, an absolute file name; may be
                         repeated
      --root=DIR         keep store, state, logs and configuration below DIR
      --debug            begin sessions with much to tell
      --help             display this help and exit
      --version          display version information and exit
"))

(define (show-version)
  (format #t "fruix-daemon (Fruix) ~a~%" %version))

;;;
;;; Options.
;;;

(define (natural name text)
  (or (and (string-every char-set:digit text)
           (string->number text 10))
      (usage-error "--~a: `~a' is not a natural number" name text)))

(define (absolute name text)
  (if (absolute-file-name? text)
      (string-append "/" (string-trim-both text #\/))
      (usage-error "--~a: `~a' is not an absolute file name" name text)))

(define (existing name text)
  "Return the canonical name of the file TEXT: links are for us to follow, not
for the builds."
  (absolute name text)
  (catch 'system-error
    (lambda () (canonicalize-path text))
    (lambda _ (fail "--~a: `~a' does not exist" name text))))

(define (directory-pair name text)
  "Return a pair of names, in builds and on the host, for TEXT."
  (match (string-index text #\=)
    (#f (cons (absolute name text) (existing name text)))
    (index
     (cons (absolute name (string-take text index))
           (existing name (string-drop text (+ index 1)))))))

(define (user-pairs name text)
  (map (lambda (pair)
         (match (string-split pair #\:)
           ((uid gid) (build-user (natural name uid) (natural name gid)))
           (_ (usage-error "--~a: `~a' is not UID:GID" name pair))))
       (string-split text #\,)))

(define (log-compression name text)
  (match text
    ((or "gzip" "none") (string->symbol text))
    (_ (fail "--~a: `~a' is unknown" name text))))

(define (word name text)
  text)

(define (directory name text)
  (if (absolute-file-name? text)
      text
      (string-append (getcwd) "/" text)))

;; An option's handler takes the alist of results so far.

(define* (value-option names key parse #:key repeated?)
  "Return the option called NAMES with an argument that PARSE makes the value
of KEY; the values of one that may be REPEATED? are gathered."
  (option names #t #f
          (lambda (opt name text results)
            (let ((value (parse name text)))
              (if repeated?
                  (alist-cons key
                              (append (or (assq-ref results key) '())
                                      (list value))
                              (alist-delete key results))
                  (alist-cons key value results))))))

(define (flag-option names key value)
  (option names #f #f
          (lambda (opt name text results)
            (alist-cons key value results))))

(define (ending-option names show)
  (option names #f #f
          (lambda _
            (show)
            (exit 0))))

(define %options
  (list (value-option '("system") 'system word)
        (value-option '(#\c "cores") 'cores natural)
        (value-option '(#\M "max-jobs") 'max-jobs natural)
        (value-option '("timeout") 'timeout natural)
        (value-option '("max-silent-time") 'max-silent-time natural)
        (value-option '("chroot-directory") 'directories directory-pair
                      #:repeated? #t)
        (value-option '("build-users-group") 'group word)
        (value-option '("build-users") 'users user-pairs)
        (flag-option '("no-substitutes") 'substitutes? #f)
        (value-option '("substitute-urls") 'substitute-urls word)
        (flag-option '("lose-logs") 'log-compression #f)
        (value-option '("log-compression") 'log-compression log-compression)
        (value-option '("listen") 'sockets absolute
                      #:repeated? #t)
        (value-option '("root") 'root directory)
        (flag-option '("debug") 'verbosity 4)
        (ending-option '("help") show-help)
        (ending-option '("version") show-version)))

(define (parse-options arguments)
  (args-fold arguments %options
             (lambda (opt name text results)
               (usage-error "unknown option `~a~a'"
                            (if (char? name) "-" "--") name))
             (lambda (operand results)
               (usage-error "`~a' is too much" operand))
             '()))

(define* (result results key #:optional default)
  (match (assq key results)
    ((_ . value) value)
    (#f default)))

;;;
;;; The daemon that they describe.
;;;

(define (groups-of name)
  "Return the numbers of all groups that have the user NAME as a member."
  (setgrent)
  (let loop ((ids '()))
    (match (getgrent)
      (#f
       (endgrent)
       (reverse ids))
      (group
       (loop (if (member name (group:mem group))
                 (cons (group:gid group) ids)
                 ids))))))

(define (group-users name)
  "Return the members of the group NAME as build users, in all their groups."
  (define group
    ;; Guile has two ways to say that there is none.
    (catch #t
      (lambda () (getgrnam name))
      (lambda _ (fail "the build users' group `~a' does not exist" name))))
  (when (null? (group:mem group))
    (fail "the build users' group `~a' has no members" name))
  (map (lambda (member)
         (build-user (passwd:uid (getpwnam member)) (group:gid group)
                     (groups-of member)))
       (group:mem group)))

(define (build-users results layout)
  (match (append (result results 'users '())
                 (match (result results 'group)
                   (#f '())
                   (group (group-users group))))
    (() #f)
    (users
     (make-user-pool users (string-append (layout-state-directory layout)
                                          "/userpool")))))

(define (initial-settings results)
  (override %default-settings
            (filter-map (lambda (name) (assq name results))
                        '(cores max-silent-time substitute-urls substitutes?
                          timeout verbosity))))

(define (start results)
  (let* ((layout (layout-from-environment #:root (result results 'root)))
         (host (build-host
                #:system (result results 'system %system)
                #:users (build-users results layout)
                #:directories (result results 'directories '())
                #:log-compression (result results 'log-compression 'gzip)
                #:max-jobs (result results 'max-jobs 1))))
    (run-daemon layout
                (lambda (store . arguments)
                  (apply perform-task! store host arguments))
                #:sockets (result results 'sockets
                                  (list (layout-socket layout)))
                #:max-jobs (result results 'max-jobs 1)
                #:settings (initial-settings results))))

(define (main arguments)
  "Run the daemon that @var{arguments}, the command line without the program's
name, ask for, until a signal ends it.  Return the exit code: 0, or 1 if it
could not start.  Exit with 64 if the arguments make no sense."
  (guard (exception ((or (fruix-error? exception)
                         (eq? (exception-kind exception) 'system-error))
                     (format (current-error-port) "fruix-daemon: error: ~a~%"
                             (exception->text exception))
                     1))
    (start (parse-options arguments))
    0))
