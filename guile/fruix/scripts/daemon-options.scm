;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The options of fruix-daemon: those of guix-daemon, and the few of its own.
;;; They say what is wanted, nothing is looked at here.
;;;
;;; An option that does not exist is a matter of usage; a value that makes no
;;; sense is an error like any other at start-up, as for guix-daemon.
;;; Code:

(define-module (fruix scripts daemon-options)
  #:use-module (fruix config)
  #:use-module (fruix errors)
  #:use-module (fruix scripts command-line)
  #:use-module (ice-9 match)
  #:export (parse-daemon-options
            daemon-help
            daemon-usage))

;;;
;;; Values.
;;;

(define (natural name text)
  (or (and (not (string-null? text))
           (string-every char-set:digit text)
           (string->number text 10))
      (fail "--~a: `~a' is not a natural number" name text)))

(define (rounds->repeat name text)
  (max 0 (- (natural name text) 1)))

(define (yes-or-no name text)
  (match (and text (string-downcase text))
    ((or #f "yes") #t)
    ("no" #f)
    (_ (fail "--~a: `~a' is neither `yes' nor `no'" name text))))

(define (absolute name text)
  (if (absolute-file-name? text)
      (string-append "/" (string-trim-both text #\/))
      (fail "--~a: `~a' is not an absolute file name" name text)))

(define (directory-pair name text)
  "Return a pair of names, in builds and on the host, for TEXT."
  (match (string-index text #\=)
    (#f (cons (absolute name text) (absolute name text)))
    (index
     (cons (absolute name (string-take text index))
           (absolute name (string-drop text (+ index 1)))))))

(define (user-pairs name text)
  (map (lambda (pair)
         (match (string-split pair #\:)
           ((uid gid) (cons (natural name uid) (natural name gid)))
           (_ (fail "--~a: `~a' is not UID:GID" name pair))))
       (string-split text #\,)))

(define (log-compression name text)
  (match text
    ((or "gzip" "none") (string->symbol text))
    ;; Service files ask for it; clients find the log in either format.
    ("bzip2" 'gzip)
    (_ (fail "--~a: `~a' is not available" name text))))

(define (word name text)
  text)


;;;
;;; The table.
;;;

(define (flag names key value documentation)
  "Return an option without argument that gives KEY the VALUE."
  (make-option names 'none #f key (lambda _ value) documentation))

(define (valued names placeholder key parse documentation)
  "Return an option whose argument PARSE makes the value of KEY."
  (make-option names 'required placeholder key parse documentation))

(define (switch name key documentation)
  "Return an option that is on, or has yes or no as its argument."
  (make-option (list name) 'optional "yes|no" key yes-or-no documentation))

(define (ending names documentation)
  "Return an option that lets the command tell something and end."
  (make-option names 'last #f 'tell
               (lambda (name argument) (string->symbol name))
               documentation))

(define %options
  (list
   (valued '("system") "SYSTEM" 'system word
           (string-append "build for SYSTEM, such as " %system))
   (valued '(#\c "cores") "N" 'cores natural
           "let each build use N processors; 0 means all")
   (valued '(#\M "max-jobs") "N" 'max-jobs natural
           "run at most N builds at a time, for all clients")
   (valued '("timeout") "SECONDS" 'timeout natural
           "end builds that take longer than SECONDS; 0 means never")
   (valued '("max-silent-time") "SECONDS" 'max-silent-time natural
           "end builds that write nothing for SECONDS; 0 means never")
   (flag '("disable-chroot") 'chroot? #f
         "let builds see the whole system: they are not reproducible then")
   (valued '("chroot-directory") "DIR|INSIDE=DIR" 'directories directory-pair
           "let builds see DIR, under the name INSIDE; may be repeated")
   (valued '("build-users-group") "GROUP" 'group word
           "build as the members of GROUP")
   (valued '("build-users") "UID:GID[,UID:GID]..." 'users user-pairs
           "build as these users, which need no account")
   (flag '("no-substitutes") 'substitutes? #f
         "do not use substitutes, whatever clients want")
   (valued '("substitute-urls") "URLS" 'substitute-urls word
           "look for substitutes at URLS, separated by spaces")
   (flag '("no-offload") 'offload? #f
         "do not offload builds to other machines")
   (flag '("no-build-hook") 'offload? #f #f)
   (flag '("cache-failures") 'cache-failures? #t
         "remember builds that failed, and do not try them again")
   (valued '("rounds") "N" 'repeat rounds->repeat
           "build each derivation N times, and compare the results")
   (flag '("lose-logs") 'keep-logs? #f
         "keep no build logs")
   (valued '("log-compression") "TYPE" 'log-compression log-compression
           "compress build logs with TYPE: gzip or none")
   (flag '("disable-log-compression") 'log-compression 'none #f)
   (switch "discover" 'discover?
           "look for substitute servers on the local network")
   (flag '("disable-deduplication") 'deduplicate? #f
         "do not share the contents of equal files in the store")
   (flag '("disable-store-optimization") 'deduplicate? #f #f)
   (flag '("impersonate-linux-2.6") 'impersonate-linux-2.6? #t
         "let builds see Linux 2.6")
   (switch "gc-keep-outputs" 'keep-outputs?
           "keep the outputs of live derivations")
   (switch "gc-keep-derivations" 'keep-derivations?
           "keep the derivations of live outputs, which is the default")
   (valued '("listen") "SOCKET" 'listen word
           "listen on SOCKET, an absolute file name, HOST, or HOST:PORT; may \
be repeated")
   (valued '("root") "DIR" 'root word
           "keep store, state, logs and configuration below DIR")
   (flag '("debug") 'verbosity 4
         "begin sessions with much to tell")
   (flag '("isolate-host-loopback") 'isolate-host-loopback? #t
         "keep fixed-output builds from the loopback interface of this \
machine")
   (flag '("no-socketcall") 'socketcall? #f
         "let builds for 32-bit x86 open no sockets whose family cannot be \
checked")
   (ending '(#\? "help") "display this help and exit")
   (ending '("usage") "display a short usage message and exit")
   (ending '(#\V "version") "display version information and exit")))

(define (parse-daemon-options arguments)
  "Return what @var{arguments}, a list of strings, ask for, as the alist of
@code{parse-command-line}.  Its keys are those of @code{(fruix session
settings)} and @code{(fruix build host)}, and:

@table @code
@item tell
@code{help}, @code{usage} or @code{version}: only tell that.
@item max-jobs
A number.
@item directories
A pair of the names of a directory, in builds and on the host; each time.
@item group
The name of the build users' group.
@item users
A list of pairs of user and group id; each time.
@item keep-logs?
@code{#f}, if there are to be no logs.
@item listen
An address to listen on; each time.
@item root
The directory that everything lies below.
@end table

Raise a @code{&usage-error} or, for a value that makes no sense, another
@code{&fruix-error}."
  (parse-command-line %options arguments))

(define (daemon-help name)
  "Return the text of @option{--help} for the daemon, called @var{name}."
  (help-text name "\
Build derivations, and keep the store, for the clients that connect."
             %options))

(define (daemon-usage name)
  "Return the text of @option{--usage} for the daemon, called @var{name}."
  (usage-text name %options))
