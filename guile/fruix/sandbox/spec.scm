;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What a sandbox is: a record of plain values that says what a program will
;;; see, on any system.  It can be printed, compared with 'equal?', saved and
;;; read again.  What the values must be is in (fruix sandbox check), and is
;;; checked when the record is made.
;;; Code:

(define-module (fruix sandbox spec)
  #:use-module (fruix base16)
  #:use-module (fruix hash)
  #:use-module (fruix sandbox check)
  #:use-module (ice-9 match)
  #:use-module (rnrs bytevectors)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:use-module (srfi srfi-9 gnu)
  #:export (sandbox
            sandbox?
            sandbox-root
            sandbox-mounts
            sandbox-directories
            sandbox-files
            sandbox-symlinks
            sandbox-devices?
            sandbox-proc?
            sandbox-network
            sandbox-user
            sandbox-group
            sandbox-supplementary-groups
            sandbox-mapping
            sandbox-host-name
            sandbox-domain-name
            sandbox-environment
            sandbox-directory
            sandbox-program-directory
            sandbox-limits
            sandbox-limit
            sandbox-personality
            sandbox-hardening
            %sandbox-prefix
            root->name
            sandbox->sexp
            sexp->sandbox))

(define-record-type <sandbox>
  (%make-sandbox root mounts directories files symlinks devices? proc?
                 network user group supplementary-groups mapping host-name
                 domain-name environment directory program-directory limits
                 personality hardening)
  sandbox?
  (root        sandbox-root)          ;string
  (mounts      sandbox-mounts)        ;((SOURCE TARGET ACCESS) ...)
  (directories sandbox-directories)   ;((NAME MODE) ...)
  (files       sandbox-files)         ;((NAME CONTENTS MODE) ...)
  (symlinks    sandbox-symlinks)      ;((NAME TARGET) ...)
  (devices?    sandbox-devices?)      ;Boolean
  (proc?       sandbox-proc?)         ;Boolean
  (network     sandbox-network)       ;none | loopback | host
  (user        sandbox-user)          ;integer, inside
  (group       sandbox-group)         ;integer, inside
  (supplementary-groups sandbox-supplementary-groups) ;integers
  (mapping     sandbox-mapping)       ;#f | ((uid IN . OUT) (gid IN . OUT) ...)
  (host-name   sandbox-host-name)     ;string
  (domain-name sandbox-domain-name)   ;string
  (environment sandbox-environment)   ;("NAME=value" ...)
  (directory   sandbox-directory)     ;string
  (program-directory sandbox-program-directory) ;string | #f
  (limits      sandbox-limits)        ;((RESOURCE . VALUE) ...)
  (personality sandbox-personality)   ;symbols
  (hardening   sandbox-hardening))    ;symbols

(define %fields
  `((root ,sandbox-root)
    (mounts ,sandbox-mounts)
    (directories ,sandbox-directories)
    (files ,sandbox-files)
    (symlinks ,sandbox-symlinks)
    (devices? ,sandbox-devices?)
    (proc? ,sandbox-proc?)
    (network ,sandbox-network)
    (user ,sandbox-user)
    (group ,sandbox-group)
    (supplementary-groups ,sandbox-supplementary-groups)
    (mapping ,sandbox-mapping)
    (host-name ,sandbox-host-name)
    (domain-name ,sandbox-domain-name)
    (environment ,sandbox-environment)
    (directory ,sandbox-directory)
    (program-directory ,sandbox-program-directory)
    (limits ,sandbox-limits)
    (personality ,sandbox-personality)
    (hardening ,sandbox-hardening)))

(define (mapped mapping id)
  "Return what @var{mapping} says that @var{id}, @code{uid} or @code{gid}, is
inside, or @code{#f}."
  (match mapping
    ((('uid uid . _) ('gid gid . _) . _) (if (eq? id 'uid) uid gid))
    (_ #f)))

(define (check-options options)
  "Refuse what is in @var{options}, a list of keywords and values, beyond the
fields of a sandbox."
  (match options
    (() #t)
    (((? keyword? name) _ . rest)
     (unless (assq (keyword->symbol name) %fields)
       (refuse-field (keyword->symbol name) "no such option"))
     (check-options rest))
    ((other . _)
     (refuse-field 'sandbox "no such option: ~s" other))))

(define* (sandbox #:key root (mounts '()) (directories '(("/tmp" #o1777)))
                  (files '()) (symlinks '()) (devices? #t) (proc? #t)
                  (network 'loopback) mapping (user (mapped mapping 'uid))
                  (group (mapped mapping 'gid)) (supplementary-groups '())
                  (host-name "localhost") (domain-name "(none)")
                  (environment '()) (directory "/") program-directory
                  (limits '()) (personality '(fixed-addresses))
                  (hardening '(system-calls set-id-bits keyring
                                    abstract-sockets))
                  #:allow-other-keys #:rest options)
  "Return a sandbox, a value that describes what a program will see.

@var{root} is an existing empty directory of one's own, where its root is put
together.  Inside there are

@itemize
@item @var{mounts}, a list of @code{(@var{source} @var{target} @var{access})}
where @var{access} is @code{read-only} or @code{read-write}; @var{source} is a
file or directory of the host, and no symbolic link;
@item @var{directories}, a list of @code{(@var{name} @var{mode})},
@var{files}, a list of @code{(@var{name} @var{contents} @var{mode})}, which
mounts cover, and @var{symlinks}, a list of @code{(@var{name} @var{target})},
which are made in what is mounted;
@item with @var{devices?}, the usual device nodes in @file{/dev}, and with
@var{proc?}, @file{/proc} where the system has it;
@item as @var{network} says, @code{none}, a @code{loopback} interface of its
own, or the @code{host}'s network.
@end itemize

The program runs in @var{directory} as @var{user}, @var{group} and
@var{supplementary-groups}, integers.  These are IDs of the host, and becoming
them needs root; or else @var{mapping} is @code{((uid @var{inside}
. @var{outside}) (gid @var{inside} . @var{outside}) ...)}, for an ordinary user
with the IDs @var{outside}, on systems that have user namespaces.  Groups after
the first are some of that user's others, which the program is in as well; where
newgidmap(1) may not map them, they look like those of a stranger.  The program
sees @var{environment}, a list of @code{\"NAME=value\"} in this very order, and
must, once symbolic links are resolved, lie in @var{program-directory} unless
that is @code{#f}.

@var{limits} is a list of @code{(@var{resource} . @var{value})}.  All that runs
in the sandbox together may use @code{memory} and @code{storage}, in bytes, the
latter for what is written outside of mounts; so many @code{processes}, and the
time of so many @code{cpus}.  Each process may use @code{address-space},
@code{core}, @code{data}, @code{file-size} and @code{stack}, in bytes,
@code{cpu} seconds, and as many @code{open-files}.  Core dumps are not made
unless @code{core} says so, and with @code{system-calls} below nothing inside
changes that.  Where the host has nothing that could hold limits
for all together, @code{sandbox-shortcomings} tells what holds instead.

@var{personality} is a list of @code{fixed-addresses}, @code{32-bit} and
@code{linux-2.6}, and @var{hardening} one of @code{system-calls}, which keeps
out system calls that builds have no use for and attackers have,
@code{set-id-bits}, by which no file can get such bits either, @code{sockets}, by
which with @code{32-bit}, too, there is no socketcall(2), @code{keyring} and
@code{abstract-sockets}, which detach from the host's; all of these but
@code{fixed-addresses} only concern Linux.

Raise a @code{&sandbox-error} that names the field if a value is not of these
shapes."
  (check-options options)
  (check-fields
   `((root . ,root) (mounts . ,mounts) (directories . ,directories)
     (files . ,files) (symlinks . ,symlinks) (devices? . ,devices?)
     (proc? . ,proc?) (network . ,network) (user . ,user) (group . ,group)
     (supplementary-groups . ,supplementary-groups) (mapping . ,mapping)
     (host-name . ,host-name) (domain-name . ,domain-name)
     (environment . ,environment) (directory . ,directory)
     (program-directory . ,program-directory) (limits . ,limits)
     (personality . ,personality) (hardening . ,hardening)))
  (%make-sandbox root mounts directories files symlinks devices? proc?
                 network user group supplementary-groups mapping host-name
                 domain-name environment directory program-directory limits
                 personality hardening))

(define (sandbox-limit box resource)
  "Return the limit of @var{box} on @var{resource}, a symbol, or @code{#f}."
  (assq-ref (sandbox-limits box) resource))

;; By this what a crash leaves can be told from what is others'.
(define %sandbox-prefix "fruix-")

(define (root->name root)
  "Return the name that the jail of a sandbox on @var{root}, a string, bears:
one for each root, so that there is one sandbox on it at a time."
  (string-append
   %sandbox-prefix
   (string-take (bytevector->base16-string
                 (bytevector-hash 'sha256 (string->utf8 root)))
                16)))

(define (sandbox->sexp box)
  "Return a list that @code{write} and @code{read} preserve, for
@code{sexp->sandbox}: @code{(sandbox (@var{field} @var{value}) ...)}."
  `(sandbox ,@(map (match-lambda
                     ((name get) (list name (get box))))
                   %fields)))

(define (sexp->sandbox sexp)
  "Return the sandbox that @var{sexp} stands for, a list as returned by
@code{sandbox->sexp}; fields may be missing.  Raise a @code{&sandbox-error} if
it is none."
  (match sexp
    (('sandbox ((? symbol? names) values) ...)
     (apply sandbox
            (append-map (lambda (name value)
                          (list (symbol->keyword name) value))
                        names values)))
    (_ (refuse-field 'sandbox "none: ~s" sexp))))

(set-record-type-printer! <sandbox>
  (lambda (box port)
    (write (sandbox->sexp box) port)))
