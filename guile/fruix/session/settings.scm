;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What a client may choose about its builds and what it hears of them: an
;;; alist from symbols to values, never changed, only replaced.  It starts as
;;; the daemon's own, and each set-options request puts its values on top.
;;;
;;; Verbosity counts as in guix-daemon: 0 error, 1 info, and up.
;;; Code:

(define-module (fruix session settings)
  #:use-module (fruix alist)
  #:use-module ((fruix errors) #:select (fail))
  #:use-module (fruix protocol wire)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:export (%default-settings
            setting
            change-settings
            substitutes-wanted?
            read-settings
            agent-options
            build-options))

(define %default-settings
  '(;; The daemon's; no client changes these.
    (discover? . #f)                    ;look for substitutes nearby
    (keep-derivations? . #t)            ;of what is alive
    (keep-outputs? . #f)                ;of derivations that are alive
    (offload? . #t)
    (substitutes? . #t)
    (substitute-urls
     . "https://bordeaux.guix.gnu.org https://ci.guix.gnu.org")
    ;; The client's.
    (agent-options . ())                ;alist of octet strings
    (build-verbosity . 0)
    (cores . 0)
    (fallback? . #f)                    ;build where a substitute fails
    (keep-failed? . #f)
    (keep-going? . #f)
    (max-jobs . #f)                     ;#f: as many as the daemon allows
    (max-silent-time . 3600)            ;seconds
    (multiplexed? . #f)
    (print-build-trace? . #f)
    (repeat . 0)                        ;builds after the first
    (timeout . 86400)                   ;seconds
    (verbosity . 1)
    (wants-offload? . #t)
    (wants-substitutes? . #t)))

(define (setting settings name)
  "Return the value of @var{name}, a symbol, in @var{settings}."
  (assq-ref settings name))

(define (override-each settings changes)
  "Return @var{settings} after @var{changes}, one after the other."
  (fold (lambda (change settings) (override settings (list change)))
        settings changes))

;; Bytes of all options for other programs, which get them in one string; no
;; system takes strings that are much longer.
(define %agent-options-limit 65536)

(define (check-agent-options options)
  "Return OPTIONS, an alist of octet strings, or refuse them."
  (let ((size (fold (match-lambda*
                      (((name . value) size)
                       (+ size (string-length name) (string-length value) 2)))
                    0 options)))
    (when (> size %agent-options-limit)
      (fail "the options for other programs take ~a bytes; ~a are allowed"
            size %agent-options-limit))
    options))

(define (change-settings settings changes)
  "Return @var{settings} after a set-options request that makes @var{changes};
what other programs are told stays unless it is told anew.  Raise a
@code{&fruix-error} if that is more than 64 KiB then."
  (define told
    (override (setting settings 'agent-options)
              (or (setting changes 'agent-options) '())))
  (override settings
            (override changes
                      `((agent-options . ,(check-agent-options told))))))

;; The fields of set-options: the setting, #f if there is none here, how to
;; read the field, and the client's minor versions that send it: from one on,
;; and before another.
(define %fields
  `((keep-failed? ,read-boolean 0 #x100)
    (keep-going? ,read-boolean 0 #x100)
    (fallback? ,read-boolean 0 #x100)
    (verbosity ,read-int 0 #x100)
    (max-jobs ,read-int 0 #x61)
    (max-silent-time ,read-int 0 #x61)
    (wants-offload? ,read-boolean 2 #x100)
    (build-verbosity ,read-int 4 #x100)
    (#f ,read-int 4 #x100)              ;kind of log
    (print-build-trace? ,read-boolean 4 #x100)
    (cores ,read-int 6 #x61)
    (wants-substitutes? ,read-boolean #xa #x100)))

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

;; The named settings with a meaning here; the others are for the programs
;; that the daemon runs.
(define %named-settings
  `(("build-cores" cores ,parse-integer)
    ("build-max-jobs" max-jobs ,parse-integer)
    ("build-max-silent-time" max-silent-time ,parse-integer)
    ("build-repeat" repeat ,parse-integer)
    ("build-timeout" timeout ,parse-integer)
    ("multiplexed-build-output" multiplexed? ,parse-boolean)
    ("user-name" user-name ,(lambda (name text) text))))

(define (named-settings pairs)
  "Return the settings that PAIRS, names and values on the wire, are."
  (call-with-values
      (lambda ()
        (partition (match-lambda ((name . _) (assoc name %named-settings)))
                   pairs))
    (lambda (known others)
      ;; The last value of a setting holds.
      (override-each `((agent-options . ,(override-each '() others)))
                     (map (match-lambda
                            ((name . text)
                             (match (assoc-ref %named-settings name)
                               ((symbol parse)
                                (cons symbol (parse name text))))))
                          known)))))

(define (read-settings port minor)
  "Read the arguments of set-options on @var{port} as a client of protocol
version @var{minor} sends them; return the settings that they change.  Raise
@code{&protocol-violation} if one has a value that it cannot have."
  (let ((fields (read-fields port minor)))
    (if (>= minor #xc)
        (override fields (named-settings (read-octets-pairs port)))
        fields)))

(define (substitutes-wanted? settings)
  "Return true if @var{settings} let substitutes be used: both the daemon and
the client want it."
  (and (setting settings 'substitutes?)
       (setting settings 'wants-substitutes?)))

(define (agent-options settings trusted?)
  "Return what a program that works for a client with @var{settings} is told
of them: an alist of octet strings.  What a client that is not @var{trusted?}
wants has names that say so."
  (override `(("substitute-urls" . ,(setting settings 'substitute-urls))
              ("discover" . ,(if (setting settings 'discover?)
                                 "true"
                                 "false")))
            (map (match-lambda
                   ((name . value)
                    (cons (if trusted?
                              name
                              (string-append "untrusted-" name))
                          value)))
                 (setting settings 'agent-options))))

(define (build-options settings uid gid trusted?)
  "Return what @code{perform-task!} needs of @var{settings}, for a client with
user id @var{uid} and group id @var{gid}; @var{trusted?} is as for
@code{agent-options}."
  `((agent-options . ,(agent-options settings trusted?))
    (cores . ,(setting settings 'cores))
    (timeout . ,(setting settings 'timeout))
    (max-jobs . ,(setting settings 'max-jobs))
    (max-silent-time . ,(setting settings 'max-silent-time))
    (keep-failed? . ,(setting settings 'keep-failed?))
    (offload? . ,(and (setting settings 'offload?)
                      (setting settings 'wants-offload?)))
    (repeat . ,(setting settings 'repeat))
    (client . (,uid . ,gid))))
