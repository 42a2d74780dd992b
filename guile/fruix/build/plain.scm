;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Builders without a sandbox: ordinary processes that see all of the host,
;;; and write their outputs into the store itself.
;;;
;;; 1. Nothing but the outputs of this build bears their names meanwhile, or
;;;    afterwards: they move to the staging area before they are looked at.
;;; 2. An output that is valid is not touched: the builder is told to make a
;;;    stand-in.
;;; 3. It is over when the builder ends.  What a build user leaves running is
;;;    killed then; of the daemon's own user, only what is in the builder's
;;;    process group, as all else cannot be told from other processes.
;;; Code:

(define-module (fruix build plain)
  #:use-module ((fruix build directory) #:select (exists?))
  #:use-module (fruix build job)
  #:use-module (fruix build stand-ins)
  #:use-module (fruix build users)
  #:use-module (fruix config)
  #:use-module (fruix descriptors)
  #:use-module (fruix files)
  #:use-module (fruix octets)
  #:use-module (fruix process)
  #:use-module (fruix sandbox linux)
  #:use-module (fruix sandbox performing)
  #:use-module (fruix store)
  #:use-module (fruix store layout)
  #:use-module (fruix tree)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:export (call-with-plain-outputs
            plain-launcher))

;;;
;;; Outputs.
;;;

;; Builders are told that it is their home, so that they notice if they use it.
(define %no-home "/homeless-shelter")

(define (check-host job)
  (define store (store-directory (job-store job)))
  (define physical-store (layout-physical-store (store-layout (job-store job))))
  (when (file-exists? %no-home)
    (reject 'transient "`~a' exists; remove it, or builders may use it"
            %no-home))
  (unless (string=? store physical-store)
    (reject 'transient "builders without a sandbox do not find the store `~a', \
which is in `~a'"
            store (text->octets physical-store))))

(define (let-group-write directory group)
  "Let builders of @var{group} make items in the store @var{directory}, and only
these."
  (chown directory -1 group)
  (chmod directory #o1775))

(define (redirected job)
  "Return the outputs of @var{job} that the builder must not touch."
  (filter (lambda (path) (valid-path? (job-store job) path))
          (job-output-paths job)))

(define (output-names job)
  "Return an alist from the outputs of @var{job} to the names under which its
builder makes them."
  (define store (store-directory (job-store job)))
  (define valid (redirected job))
  (map (lambda (path)
         (cons path (if (member path valid)
                        (stand-in store (job-drv job) path)
                        path)))
       (job-output-paths job)))

(define (delete-outputs! names)
  "Delete what has @var{names}, absolute, in the store."
  (for-each (lambda (name)
              (when (exists? name)
                (call-with-directory (dirname name)
                  (lambda (fd) (delete-tree! fd (basename name))))))
            names))

(define (move! name new-name)
  "Rename the tree @var{name} to @var{new-name}, in another directory."
  (let ((status (lstat name)))
    (when (and (eq? 'directory (stat:type status))
               (not (zero? (geteuid))))
      ;; Only who may write to a directory may give it another parent.
      (chmod name (logior #o700 (logand #o7777 (stat:mode status)))))
    (rename-file name new-name)))

(define (move-outputs! names directory)
  "Move what the alist @var{names} maps outputs to into @var{directory}, under
the names of the outputs."
  (for-each (match-lambda
              ((path . name)
               (when (exists? name)
                 (move! name (string-append directory "/"
                                            (basename path))))))
            names))

(define (call-with-plain-outputs job user directory proc)
  "Call @var{proc} for it to run the builder of @var{job} without a sandbox, as
@var{user}, what @code{build-user} returned, or @code{#f}; then move the outputs
from the store into @var{directory}, and return what @var{proc} returned.  It
gets an alist of hash parts: those that the builder must see others instead of,
since these outputs are valid.  However it is left, nothing of the builder
remains in the store.  Raise a @code{&build-error} if builders cannot do without
a sandbox here."
  (define store (store-directory (job-store job)))
  (define names (output-names job))
  (define (clear!) (delete-outputs! (map cdr names)))
  (check-host job)
  (when user
    (let-group-write store (build-user-group user)))
  ;; Stand-ins, too, are there before anything refers to them.
  (for-each (lambda (name) (add-temp-root! (job-store job) name))
            (map cdr names))
  (clear!)
  (dynamic-wind
    (const #t)
    (lambda ()
      (let ((result (proc (replacements store (job-drv job)
                                        (redirected job)))))
        (move-outputs! names directory)
        result))
    (lambda ()
      (when user
        (kill-build-user user))
      (clear!))))

;;;
;;; The builder.
;;;

(define (platform-steps personality)
  "Return the steps of this system alone."
  (case %platform
    ((linux)
     `(("personality" ,(personality-flags personality))
       ("oom-score" 1000)
       ("drop-capabilities")))
    ((freebsd) '(("fixed-addresses")))))

(define (builder-steps store user directory personality output)
  "Return the plan by which a builder becomes what 'plain-launcher' says, and
writes to the port OUTPUT."
  `(("namespaces")
    ("session")
    ("descriptors" ,@(descriptor-numbers #f output output '()))
    ("umask" #o022)
    ("program-within" ,store)
    ("no-new-privileges")
    ,@(platform-steps personality)
    ,@(if user
          `(("credentials" ,(build-user-id user)
                           ,(build-user-group user)
                           ,@(build-user-supplementary-groups user)))
          '())
    ("chdir" ,directory)
    ("death-signal" ,SIGKILL)))

(define* (plain-launcher store #:key user directory environment personality
                         (replacements '()))
  "Return a procedure for @code{run-builder}, which runs a builder of the store
@var{store} without a sandbox: as @var{user}, what @code{build-user} returned or
@code{#f}, in @var{directory}, with the alist @var{environment} of octet
strings, and @var{personality} as for @code{sandbox}; @var{replacements} are an
alist of hash parts that it is told others instead of."
  (define (told text)
    (octets->bytevector (replace-hash-parts replacements text)))
  (define (entry pair)
    (told (string-append (car pair) "=" (cdr pair))))
  (define (start program arguments output)
    (call-with-step-errors
     (lambda ()
       (perform-plan program
                     (cons (basename program) (map told arguments))
                     (map entry environment)
                     (builder-steps store user directory personality
                                    output)))))
  (lambda (program arguments output proc)
    (let ((process (start program arguments output)))
      (dynamic-wind
        (const #t)
        (lambda () (call-with-process process proc))
        (lambda () (kill-process-group process))))))
