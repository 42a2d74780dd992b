;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What a client may choose about its builds and what it hears of them: an
;;; alist from symbols to values, never changed, only replaced.  It starts as
;;; the daemon's own, and each set-options request puts its values on top.
;;;
;;; Verbosity counts as in guix-daemon: 0 error, 1 info, and up.
;;; Code:

(define-module (fruix session settings)
  #:use-module (fruix protocol wire)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:export (%default-settings
            setting
            override
            read-settings
            build-options))

(define %default-settings
  '((build-verbosity . 0)
    (cores . 0)
    (keep-failed? . #f)
    (keep-going? . #f)
    (max-silent-time . 3600)            ;seconds
    (multiplexed? . #f)
    (print-build-trace? . #f)
    (repeat . 0)                        ;builds after the first
    (timeout . 86400)                   ;seconds
    (verbosity . 1)))

(define (setting settings name)
  "Return the value of @var{name}, a symbol, in @var{settings}."
  (assq-ref settings name))

(define (override settings changes)
  "Return @var{settings} with the values of @var{changes}, an alist with the
same kind of keys, in place of its own."
  (append changes
          (remove (match-lambda
                    ((name . _) (assq name changes)))
                  settings)))

;; The fields of set-options: the setting, #f if there is none here, how to
;; read the field, and the client's minor versions that send it: from one on,
;; and before another.
(define %fields
  `((keep-failed? ,read-boolean 0 #x100)
    (keep-going? ,read-boolean 0 #x100)
    (#f ,read-boolean 0 #x100)          ;fall back to building
    (verbosity ,read-int 0 #x100)
    (#f ,read-int 0 #x61)               ;jobs: the daemon's number holds
    (max-silent-time ,read-int 0 #x61)
    (#f ,read-boolean 2 #x100)          ;offload
    (build-verbosity ,read-int 4 #x100)
    (#f ,read-int 4 #x100)              ;kind of log
    (print-build-trace? ,read-boolean 4 #x100)
    (cores ,read-int 6 #x61)
    (#f ,read-boolean #xa #x100)))      ;substitutes

(define (read-fields port minor)
  (filter-map (match-lambda
                ((name read since before)
                 (and (<= since minor) (< minor before)
                      (let ((value (read port)))
                        (and name (cons name value))))))
              %fields))

(define (parse-integer name text)
  (or (and (<= 1 (string-length text) 9)
           (string-every (char-set #\0 #\1 #\2 #\3 #\4 #\5 #\6 #\7 #\8 #\9)
                         text)
           (string->number text 10))
      (violation "setting `~a' is not a natural number: `~a'" name text)))

(define (parse-boolean name text)
  (match text
    ("true" #t)
    ("false" #f)
    (_ (violation "setting `~a' is neither `true' nor `false': `~a'"
                  name text))))

;; The named settings with a meaning here.  Clients send others, for agents
;; that Fruix does not have.
(define %named-settings
  `(("build-cores" cores ,parse-integer)
    ("build-max-jobs" #f ,parse-integer) ;the daemon's number holds
    ("build-max-silent-time" max-silent-time ,parse-integer)
    ("build-repeat" repeat ,parse-integer)
    ("build-timeout" timeout ,parse-integer)
    ("multiplexed-build-output" multiplexed? ,parse-boolean)))

(define (named-setting name text)
  "Return the pair for the setting called NAME on the wire, or #f."
  (match (assoc-ref %named-settings name)
    ((symbol parse)
     (let ((value (parse name text)))
       (and symbol (cons symbol value))))
    (#f #f)))

(define (read-settings port minor)
  "Read the arguments of set-options on @var{port} as a client of protocol
version @var{minor} sends them; return the settings that they change.  Raise
@code{&protocol-violation} if one has a value that it cannot have."
  (let* ((fields (read-fields port minor))
         (pairs (if (>= minor #xc) (read-octets-pairs port) '())))
    (fold (lambda (pair changes)
            (match (named-setting (car pair) (cdr pair))
              (#f changes)
              (change (override changes (list change)))))
          fields
          pairs)))

(define (build-options settings uid gid)
  "Return what @code{build-derivation!} needs of @var{settings}, for a client
with user id @var{uid} and group id @var{gid}."
  `((cores . ,(setting settings 'cores))
    (timeout . ,(setting settings 'timeout))
    (max-silent-time . ,(setting settings 'max-silent-time))
    (keep-failed? . ,(setting settings 'keep-failed?))
    (client . (,uid . ,gid))))
