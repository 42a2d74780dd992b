;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What the fields of a sandbox must be, whatever the system:
;;;
;;; 1. Names inside are absolute and clean: no empty, '.' or '..' component,
;;;    and not the root itself.
;;; 2. No two things have the same name; a mount may cover a directory.
;;; 3. The program never runs as user or group 0 as seen inside.
;;; 4. No string contains a NUL.
;;; 5. Where the program must lie can be told only with /proc, and IDs are
;;;    mapped there.
;;; Code:

(define-module (fruix sandbox check)
  #:use-module (fruix errors)
  #:use-module (fruix octets)
  #:use-module (ice-9 match)
  #:use-module (rnrs bytevectors)
  #:use-module (srfi srfi-1)
  #:export (%process-limits
            refuse-field
            check-fields))

;; Limits on all processes of a sandbox together, and on each of them.
(define %sandbox-limits
  '(memory processes cpus storage))

(define %process-limits
  '(address-space core cpu data file-size open-files stack))

;; Beyond what any build was seen to need, and what kernels take well.
(define %maximum-mounts 8192)

(define (refuse-field field template . arguments)
  "Raise a @code{&sandbox-error} about @var{field}, a symbol, whose message is
@var{template} with @var{arguments} put in as by @code{format}."
  (raise-exception
   (make-sandbox-error (format #f "sandbox: ~a: ~a" field
                               (apply format #f template arguments))
                       field #f #f)))

(define (absolute-name? name)
  "Return true if @var{name} is absolute and has only proper components, or
none."
  (and (string? name)
       (string-prefix? "/" name)
       (or (string=? name "/")
           ;; There may be thousands, so no component is taken out.
           (let ((name (string-append name "/")))
             (not (or (string-contains name "//")
                      (string-contains name "/./")
                      (string-contains name "/../")))))))

(define (clean-name? name)
  "Return true if @var{name} is that of something in a root."
  (and (absolute-name? name) (not (string=? name "/"))))

(define (id? value)
  (and (exact-integer? value) (< 0 value (- (expt 2 32) 1))))

(define mount?
  (match-lambda
    (((? absolute-name?) (? clean-name?) (or 'read-only 'read-write)) #t)
    (_ #f)))

(define (mode? value)
  (and (exact-integer? value) (<= 0 value #o7777)))

(define directory?
  (match-lambda
    (((? clean-name?) (? mode?)) #t)
    (_ #f)))

(define file?
  (match-lambda
    (((? clean-name?) (? string?) (? mode?)) #t)
    (_ #f)))

(define symlink?
  (match-lambda
    (((? clean-name?) (? string?)) #t)
    (_ #f)))

(define limit?
  (match-lambda
    (((? symbol? resource) . (? exact-integer? value))
     (and (memq resource (append %sandbox-limits %process-limits))
          (<= (if (memq resource %process-limits) 0 1)
              value
              (- (expt 2 63) 1))))
    (_ #f)))

(define mapping?
  (match-lambda
    (#f #t)
    ((('uid (? id?) . (? exact-integer?))
      ('gid (? id?) . (? exact-integer?))
      ('gid (? id?) . (? exact-integer?)) ...)
     #t)
    (_ #f)))

(define (one-of . symbols)
  (lambda (value) (memq value symbols)))

(define (environment-entry? value)
  (or (string? value) (bytevector? value)))

(define (optional valid?)
  (lambda (value) (or (not value) (valid? value))))

;; What is valid in each field, or in each element of one that is a list, and
;; what to tell people who wrote something else.
(define %rules
  `((root ,clean-name? "an absolute name below /")
    (mounts ,mount? "(SOURCE TARGET ACCESS) with absolute names" each)
    (directories ,directory? "(NAME MODE) with an absolute name" each)
    (files ,file? "(NAME CONTENTS MODE) with an absolute name" each)
    (symlinks ,symlink? "(NAME TARGET) with an absolute name" each)
    (devices? ,boolean? "#t or #f")
    (proc? ,boolean? "#t or #f")
    (network ,(one-of 'none 'loopback 'host) "none, loopback or host")
    (user ,id? "an id above 0")
    (group ,id? "an id above 0")
    (supplementary-groups ,id? "an id above 0" each)
    (mapping ,mapping? "((uid INSIDE . OUTSIDE) (gid INSIDE . OUTSIDE) ...)")
    (host-name ,string? "a string")
    (domain-name ,string? "a string")
    (environment ,environment-entry? "a string or bytevector" each)
    (directory ,absolute-name? "an absolute name")
    (program-directory ,(optional clean-name?) "an absolute name below /")
    (limits ,limit? "(RESOURCE . VALUE) within bounds" each)
    (personality ,(one-of '32-bit 'fixed-addresses 'linux-2.6)
                 "32-bit, fixed-addresses or linux-2.6" each)
    (hardening ,(one-of 'system-calls 'set-id-bits 'sockets 'keyring
                        'abstract-sockets)
               "system-calls, set-id-bits, sockets, keyring or \
abstract-sockets"
               each)))

(define (has-nul? value)
  "Return true if a string or bytevector in the tree @var{value} has a NUL."
  (match value
    ((? string?) (string-index value #\nul))
    ((? bytevector?) (string-index (bytevector->octets value) #\nul))
    ((head . tail) (or (has-nul? head) (has-nul? tail)))
    (_ #f)))

(define (check-field field value)
  (define (check valid? what value)
    (unless (valid? value)
      (refuse-field field "~s is not ~a" value what)))
  (match (assq-ref %rules field)
    (#f (refuse-field field "no such option"))
    ((valid? what)
     (check valid? what value))
    ((valid? what 'each)
     (check list? "a list" value)
     (for-each (lambda (element) (check valid? what element)) value)))
  (when (has-nul? value)
    (refuse-field field "a NUL character in ~s"
                  (if (list? value) (find has-nul? value) value))))

(define (check-names fields)
  "Check that no two things of @var{fields} have the same name."
  (define (check . names)
    (define seen (make-hash-table))
    (for-each (match-lambda
                ((field get)
                 (for-each (lambda (entry)
                             (let ((name (get entry)))
                               (when (hash-ref seen name)
                                 (refuse-field field "two things called ~s"
                                               name))
                               (hash-set! seen name #t)))
                           (assq-ref fields field))))
              names))
  (check `(mounts ,second) `(symlinks ,first) `(files ,first))
  (check `(symlinks ,first) `(files ,first) `(directories ,first)))

(define (check-fields fields)
  "Raise a @code{&sandbox-error} that names the field unless @var{fields}, an
alist, has the fields of a sandbox, each with a valid value."
  (for-each (match-lambda ((field . value) (check-field field value)))
            fields)
  (let ((mounts (length (assq-ref fields 'mounts))))
    (when (> mounts %maximum-mounts)
      (refuse-field 'mounts "~a are too many, at most ~a"
                    mounts %maximum-mounts)))
  (check-names fields)
  (for-each (lambda (field)
              (when (and (assq-ref fields field)
                         (not (assq-ref fields 'proc?)))
                (refuse-field field "needs /proc")))
            '(program-directory mapping)))
