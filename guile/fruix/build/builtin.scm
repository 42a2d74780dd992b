;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Builders that are not programs in the store: "builtin:download" and
;;; "builtin:git-download".  A program of Guix does their work, with the host's
;;; network and files, as the build user.
;;;
;;; That program takes only names in the store for the output, and the item's
;;; name must be where it is in those of items.  So the output is made as
;;; "o-NAME" in a directory whose name below the store has the length that
;;; makes this fit, and which nobody but the build user can enter.  Its parent
;;; is the daemon's: the build user, who may be running whatever a client
;;; wants, could put something else in the place of a directory of his in the
;;; store itself.  As the output is a fixed one, it is copied from there, and
;;; its hash must be right.
;;; Code:

(define-module (fruix build builtin)
  #:use-module (fruix agent)
  #:use-module (fruix agent options)
  #:use-module ((fruix build directory) #:select (exists?))
  #:use-module (fruix build job)
  #:use-module (fruix build users)
  #:use-module (fruix derivation)
  #:use-module (fruix descriptors)
  #:use-module (fruix files)
  #:use-module (fruix octets)
  #:use-module (fruix process)
  #:use-module (fruix store)
  #:use-module (fruix store layout)
  #:use-module ((fruix store path) #:select (store-path-name))
  #:use-module (fruix tree)
  #:use-module (srfi srfi-1)
  #:export (builtin?
            check-builtin
            output-namer
            call-with-output-directory
            output-in-place
            builtin-launcher
            %builtin-builders))

(define %prefix "builtin:")

(define %builtin-builders
  ;; The names of builtin builders, as clients ask for them.
  '("download" "git-download"))

(define (builtin? derivation)
  "Return true if the builder of @var{derivation} is none of its own."
  (string-prefix? %prefix (derivation-builder derivation)))

(define (check-builtin job)
  "Raise a @code{&build-error} unless the builtin builder of @var{job} exists
and fits its derivation."
  (define derivation (job-derivation job))
  (define name
    (string-drop (derivation-builder derivation) (string-length %prefix)))
  (unless (member name %builtin-builders)
    (reject 'failed "unsupported builtin builder `~a' of `~a'"
            name (job-drv job)))
  (unless (fixed-output-derivation? derivation)
    (reject 'failed "`~a' has a builtin builder, but no fixed output"
            (job-drv job))))

(define (environment job directory)
  "Return the environment of the program: the daemon's, and what the program
expects."
  (environment-with
   (cons* (string-append "NIX_STORE=" (store-directory (job-store job)))
          (string-append "TMPDIR=" (text->octets directory))
          (options->environment (job-option job 'agent-options '())))))

;; The name of the directory below the store, 30 characters: that of its
;; parent, a slash, and its own.
(define %parent-template ".fruix-XXXXXX")
(define %directory "output-directory")

(define (output-path job)
  (derivation-output-path
   (first (derivation-outputs (job-derivation job)))))

(define (output-file job directory)
  "Return the name under which the program makes the output of @var{job} in
@var{directory}."
  (string-append directory "/o-"
                 (store-path-name (store-directory (job-store job))
                                  (output-path job))))

(define (output-namer job directory)
  "Return a procedure that takes what the program which makes the output of
@var{job} in @var{directory} writes, a bytevector, and returns it with the
output's own name: clients tell by it what is downloaded.  A name that was
read in two parts stays."
  (let ((file (text->octets (output-file job directory))))
    (lambda (bytes)
      (let ((octets (bytevector->octets bytes)))
        (if (string-contains octets file)
            (octets->bytevector
             (octets-replace octets file (output-path job)))
            bytes)))))

(define (output-in-place job directory)
  "Give the output of @var{job} in @var{directory} the base name that an item
has; nobody runs any more who could do something there."
  (let ((file (output-file job directory)))
    (when (exists? file)
      (rename-file file
                   (string-append directory "/"
                                  (basename (output-path job)))))))

(define (make-output-directory parent owner)
  "Make a directory for an output in PARENT, a file name, of which OWNER, a
pair of user and group id, sees nothing else; return its file name."
  (let ((directory (string-append parent "/" %directory)))
    (chmod parent #o711)
    (mkdir directory #o700)
    (chown directory (car owner) (cdr owner))
    directory))

(define (call-with-output-directory job owner proc)
  "Call @var{proc} with the name of a new directory for the output of
@var{job}, which belongs to @var{owner}, a pair of user and group id, and is
deleted afterwards."
  (define store (job-store job))
  (define physical-store (layout-physical-store (store-layout store)))
  (define parent
    (mkdtemp (string-append physical-store "/" %parent-template)))
  (dynamic-wind
    (const #t)
    (lambda ()
      (add-temp-root! store
                      (string-append (store-directory store) "/"
                                     (basename parent)))
      (proc (make-output-directory parent owner)))
    (lambda ()
      (call-with-directory physical-store
        (lambda (fd) (delete-tree! fd (basename parent)))))))

(define (start job user directory place output)
  "Start the program that does the work of the builtin builder of @var{job} in
the build directory @var{directory} as @var{user}, a build user or @code{#f},
to make its output in the directory @var{place}, and to write to the port
@var{output}; return the process."
  (apply spawn-process
         (or (find-guix)
             (reject 'transient
                     "building `~a' needs the program `guix', which is not \
there" (job-drv job)))
         (list "guix" "perform-download"
               (physical (store-layout (job-store job)) (job-drv job))
               (output-file job place))
         #:environment (environment job directory)
         #:directory directory
         #:input #f #:output output #:error output
         #:session? #t #:no-new-privileges? #t #:death-signal SIGKILL
         (if user
             (list #:user (build-user-id user)
                   #:group (build-user-group user)
                   #:groups (build-user-supplementary-groups user))
             '())))

(define (builtin-launcher job user directory place)
  "Return a procedure for @code{run-builder} that does the work of the builtin
builder of @var{job} in the build directory @var{directory} as @var{user}, a
build user or @code{#f}, and makes the output in the directory @var{place}.  In
the end all that it has started is dead."
  (lambda (program arguments output proc)
    (let ((process (start job user directory place output)))
      (dynamic-wind
        (const #t)
        (lambda () (call-with-process process proc))
        (lambda () (kill-process-group process))))))
