;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; FreeBSD's jails, under the names that FreeBSD has for their parameters
;;; (jail(8)).
;;;
;;; A jail made here is there until it is removed.  Where the kernel has jail
;;; descriptors, since FreeBSD 15, it does not outlive the program either: it
;;; goes, with its processes, when the last copy of its descriptor is closed.
;;; Elsewhere it is found again by its name.
;;;
;;; On another system every procedure that deals with jails raises a
;;; 'system-error' with ENOSYS that names the missing call.
;;; Code:

(define-module (fruix jail)
  #:use-module ((fruix primitives) #:select (define-system-primitives))
  #:use-module (ice-9 match)
  #:use-module (rnrs bytevectors)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:export (jail?
            jail-id
            jail-name
            jail-path
            jail-dying?
            jails
            find-jail
            jail-create
            jail-ref
            jail-attach
            jail-remove
            call-with-jail))

(define-system-primitives "jail_set" %jail-set)
(define-system-primitives "jail_get" %jail-get %find-jail %list-jails)
(define-system-primitives "jail_attach" %jail-attach)
(define-system-primitives "jail_remove" %jail-remove)

;; A jail that there was when somebody looked.
(define-record-type <jail>
  (make-jail id name path dying?)
  jail?
  (id     jail-id)                      ;integer
  (name   jail-name)                    ;string
  (path   jail-path)                    ;string: its root directory
  (dying? jail-dying?))                 ;boolean: it was removed

(define (jails)
  "Return the list of all jails, in the order of their IDs, as @code{<jail>}
records.  One that was removed is listed as long as something of it is left,
such as a network connection.  Raise a @code{system-error} on failure
(jail_get(2))."
  (map (lambda (fields) (apply make-jail fields))
       (%list-jails)))

(define (find-jail name)
  "Return the ID, an integer, of the jail called @var{name}, a string, or
@code{#f} if there is none or it is dying.  Raise a @code{system-error} on
failure (jail_get(2))."
  (%find-jail name))

;; What libjail calls a jailsys parameter: three words for three integers.
(define %words
  '((disable . 0) (new . 1) (inherit . 2)))

(define (negative name)
  "Return the name of the parameter, a string, that denies the boolean one
called @var{name}."
  (let ((start (match (string-rindex name #\.)
                 (#f 0)
                 (dot (+ dot 1)))))
    (string-append (string-take name start) "no" (string-drop name start))))

(define (encode-parameter parameter)
  (match parameter
    (((= symbol->string name) . value)
     (match value
       (#f (cons (negative name) #t))
       ((? symbol? word)
        (cons name (or (assq-ref %words word)
                       (scm-error 'wrong-type-arg "jail-create"
                                  "not a value of parameter ~A: ~S"
                                  (list name word) (list word)))))
       (_ (cons name value))))))

(define (jail-create parameters)
  "Create a jail with @var{parameters}, an alist from FreeBSD's names, which
are symbols such as @code{path}, @code{host.hostname} or
@code{allow.raw_sockets}, to values: strings, integers, booleans, the symbols
@code{new}, @code{inherit} and @code{disable}, or bytevectors for what has no
other notation, such as @code{ip4.addr}.

Return two values: its ID, an integer, and its descriptor, which is
close-on-exec and for the caller to close, after @code{jail-remove}, or
@code{#f} if the kernel has no such thing.  Raise a @code{system-error} with
the kernel's explanation, if it has one, on failure; @code{EINVAL} for a
parameter that this kernel does not know (jail_set(2), jail(8))."
  (match (%jail-set (map encode-parameter parameters))
    ((id . descriptor) (values id descriptor))))

(define (parameter-type name)
  (match name
    ((or 'name 'path 'host.hostname 'host.domainname 'host.hostuuid
         'osrelease 'meta 'env)
     'string)
    ((or 'host 'ip4 'ip6 'vnet 'linux 'sysvmsg 'sysvsem 'sysvshm) 'word)
    ((or 'persist 'dying) 'boolean)
    ((or 'ip4.addr 'ip6.addr) 'bytes)
    (_ (if (string-prefix? "allow." (symbol->string name))
           'boolean
           'integer))))

(define (integer-or-bytes bytes)
  (match (bytevector-length bytes)
    (4 (bytevector-s32-native-ref bytes 0))
    (8 (bytevector-u64-native-ref bytes 0))
    (_ bytes)))

(define (word number)
  (or (any (match-lambda
             ((word . value) (and (= value number) word)))
           %words)
      number))

(define (jail-ref id name)
  "Return the parameter @var{name}, a symbol, of the jail with ID @var{id},
in the notation of @code{jail-create}: an integer, if it is of no known type
but of its size, and otherwise a bytevector.  A jail that is dying has its
parameters still.  Raise a @code{system-error} on failure: @code{ENOENT} if
there is no such jail, @code{EINVAL} for a parameter that this kernel does not
know (jail_get(2))."
  (let ((bytes (%jail-get id (symbol->string name))))
    (match (parameter-type name)
      ('string (string-trim-right (utf8->string bytes) #\nul))
      ('word (word (integer-or-bytes bytes)))
      ('boolean (not (zero? (integer-or-bytes bytes))))
      ('bytes bytes)
      ('integer (integer-or-bytes bytes)))))

(define (jail-attach id)
  "Move this whole process into the jail with ID @var{id}, whose root becomes
its root and current directory.  There is no way back: this is for a process
that is there for nothing else.  It must have one thread only, and no
directory open (@code{EPERM}).  Raise a @code{system-error} on failure:
@code{EINVAL} if there is no such jail (jail_attach(2))."
  (%jail-attach id))

(define (jail-remove id)
  "Kill all processes of the jail with ID @var{id}, remove it, and wait until
none is left.  Return true if the jail is gone then, or never was, and
@code{#f} if something keeps it dying: a child of ours that we have not waited
for, or for a minute at most a network connection.  Raise a
@code{system-error} on failure, @code{EBUSY} if a process does not die within
ten seconds (jail_remove(2))."
  (%jail-remove id))

(define (call-with-jail parameters proc)
  "Create a jail as @code{jail-create} does, call @var{proc} with its ID, and
return what @var{proc} returned.  However @var{proc} is left, the jail is
removed then."
  (call-with-values (lambda () (jail-create parameters))
    (lambda (id descriptor)
      (dynamic-wind
        (const #t)
        (lambda ()
          (dynamic-wind
            (const #t)
            (lambda () (proc id))
            (lambda () (jail-remove id))))
        (lambda () (and=> descriptor close-fdes))))))
