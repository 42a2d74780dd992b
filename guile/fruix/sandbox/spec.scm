;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What a sandbox is: a record of plain values that says what a program will
;;; see, on any system.  It can be printed, compared with 'equal?', saved and
;;; read again.
;;;
;;; Invariants of every <sandbox>, checked when it is made:
;;;
;;; 1. Names inside are absolute and clean: no empty, '.' or '..' component,
;;;    and not the root itself.
;;; 2. No two mounts have the same target.
;;; 3. The program never runs as user or group 0 as seen inside.
;;; 4. Where the program must lie can be told only with /proc.
;;; Code:

(define-module (fruix sandbox spec)
  #:use-module (fruix errors)
  #:use-module (ice-9 match)
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
            sandbox-personality
            sandbox->sexp
            sexp->sandbox))

(define-record-type <sandbox>
  (%make-sandbox root mounts directories files symlinks devices? proc?
                 network user group supplementary-groups mapping host-name
                 domain-name environment directory program-directory limits
                 personality)
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
  (mapping     sandbox-mapping)       ;#f | ((uid IN . OUT) (gid IN . OUT))
  (host-name   sandbox-host-name)     ;string
  (domain-name sandbox-domain-name)   ;string
  (environment sandbox-environment)   ;("NAME=value" ...)
  (directory   sandbox-directory)     ;string
  (program-directory sandbox-program-directory) ;string | #f
  (limits      sandbox-limits)        ;((RESOURCE SOFT HARD) ...)
  (personality sandbox-personality))  ;symbols

(define (clean-name? name)
  "Return true if @var{name} is absolute and has only proper components."
  (and (string? name)
       (string-prefix? "/" name)
       (not (string-index name #\nul))
       (every (lambda (component)
                (not (member component '("" "." ".."))))
              (string-split (string-drop name 1) #\/))))

(define (check what valid? value)
  (unless (valid? value)
    (fail "sandbox: invalid ~a: ~s" what value)))

(define (id? value)
  (and (exact-integer? value) (< 0 value (- (expt 2 32) 1))))

(define mount?
  (match-lambda
    (((? string?) (? clean-name?) (or 'read-only 'read-write)) #t)
    (_ #f)))

(define directory?
  (match-lambda
    (((? clean-name?) (? exact-integer?)) #t)
    (_ #f)))

(define file?
  (match-lambda
    (((? clean-name?) (? string?) (? exact-integer?)) #t)
    (_ #f)))

(define symlink?
  (match-lambda
    (((? clean-name?) (? string?)) #t)
    (_ #f)))

(define limit?
  (match-lambda
    (((? symbol?) (? exact-integer?) (? exact-integer?)) #t)
    (_ #f)))

(define (personality? value)
  (memq value '(32-bit fixed-addresses linux-2.6)))

(define mapping?
  (match-lambda
    (#f #t)
    ((('uid (? id?) . (? exact-integer?)) ('gid (? id?) . (? exact-integer?)))
     #t)
    (_ #f)))

(define (duplicate names)
  "Return an element of @var{names} that occurs twice, or @code{#f}."
  (let loop ((names (sort names string<?)))
    (match names
      ((a b . _) (if (string=? a b) a (loop (cdr names))))
      (_ #f))))

(define (check-sandbox box)
  "Raise @code{&fruix-error} unless @var{box} keeps the invariants; return
it."
  (define (check-each what valid? values)
    (for-each (lambda (value) (check what valid? value)) values))
  (check "root" clean-name? (sandbox-root box))
  (check "directory" clean-name? (sandbox-directory box))
  (check "user" id? (sandbox-user box))
  (check "group" id? (sandbox-group box))
  (check "mapping" mapping? (sandbox-mapping box))
  (check "network" (lambda (x) (memq x '(none loopback host)))
         (sandbox-network box))
  (check-each "supplementary group" id? (sandbox-supplementary-groups box))
  (check-each "mount" mount? (sandbox-mounts box))
  (check-each "directory" directory? (sandbox-directories box))
  (check-each "file" file? (sandbox-files box))
  (check-each "symbolic link" symlink? (sandbox-symlinks box))
  (check-each "limit" limit? (sandbox-limits box))
  (check-each "personality" personality? (sandbox-personality box))
  (when (and (sandbox-program-directory box) (not (sandbox-proc? box)))
    (fail "sandbox: a program directory needs /proc"))
  (let ((target (duplicate (map second (sandbox-mounts box)))))
    (when target
      (fail "sandbox: two mounts on ~s" target)))
  box)

(define (mapped mapping id)
  "Return what @var{mapping} says that @var{id}, @code{uid} or @code{gid}, is
inside, or @code{#f}."
  (and=> (and=> mapping (lambda (mapping) (assq-ref mapping id))) car))

(define* (sandbox #:key root (mounts '()) (directories '()) (files '())
                  (symlinks '()) (devices? #t) (proc? #t) (network 'loopback)
                  mapping (user (mapped mapping 'uid))
                  (group (mapped mapping 'gid)) (supplementary-groups '())
                  (host-name "localhost") (domain-name "(none)")
                  (environment '()) (directory "/tmp") program-directory
                  (limits '((core 0 0)))
                  (personality '(fixed-addresses)))
  "Return a sandbox, a value that describes what a program will see.

@var{root} is an existing empty directory, where its root is put together.
Inside there are

@itemize
@item @var{mounts}, a list of @code{(@var{source} @var{target} @var{access})}
where @var{access} is @code{read-only} or @code{read-write}; @var{source} is a
file name of the host, none below @var{root}; a symbolic link is copied;
@item @var{directories}, a list of @code{(@var{name} @var{mode})},
@var{files}, a list of @code{(@var{name} @var{contents} @var{mode})}, which
mounts cover, and @var{symlinks}, a list of @code{(@var{name} @var{target})},
which are made in what is mounted;
@item with @var{devices?}, the usual device nodes in @file{/dev}, and with
@var{proc?}, @file{/proc};
@item as @var{network} says, @code{none}, a @code{loopback} interface of its
own, or the @code{host}'s network.
@end itemize

The program runs in @var{directory} as @var{user}, @var{group} and
@var{supplementary-groups}, integers.  These are IDs of the host, and becoming
them needs root; or else @var{mapping} is @code{((uid @var{inside}
. @var{outside}) (gid @var{inside} . @var{outside}))}, for an ordinary user
with the IDs @var{outside}, on systems that have user namespaces.  It sees
@var{environment}, a list of @code{\"NAME=value\"} in this very order, and
must, once symbolic links are resolved, lie in @var{program-directory} unless
that is @code{#f}.  Its @var{limits} are a list of @code{(@var{resource}
@var{soft} @var{hard})}, -1 being none, with the resources
@code{address-space}, @code{core}, @code{cpu}, @code{data}, @code{file-size},
@code{open-files}, @code{processes} and @code{stack}; @var{personality} is a
list of @code{fixed-addresses}, @code{32-bit} and @code{linux-2.6}, which only
Linux knows.

Raise a @code{&fruix-error} if a value is not of these shapes."
  (check-sandbox
   (%make-sandbox root mounts directories files symlinks devices? proc?
                  network user group supplementary-groups mapping host-name
                  domain-name environment directory program-directory limits
                  personality)))

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
    (personality ,sandbox-personality)))

(define (sandbox->sexp box)
  "Return a list that @code{write} and @code{read} preserve, for
@code{sexp->sandbox}: @code{(sandbox (@var{field} @var{value}) ...)}."
  `(sandbox ,@(map (match-lambda
                     ((name get) (list name (get box))))
                   %fields)))

(define (sexp->sandbox sexp)
  "Return the sandbox that @var{sexp} stands for, a list as returned by
@code{sandbox->sexp}.  Raise a @code{&fruix-error} if it is none."
  (match sexp
    (('sandbox ((? symbol? names) values) ...)
     (check "field" (lambda (name) (assq name %fields))
            (or (find (lambda (name) (not (assq name %fields))) names)
                'root))
     (apply sandbox
            (append-map (lambda (name value)
                          (list (symbol->keyword name) value))
                        names values)))
    (_ (fail "not a sandbox: ~s" sexp))))

(set-record-type-printer! <sandbox>
  (lambda (box port)
    (write (sandbox->sexp box) port)))
