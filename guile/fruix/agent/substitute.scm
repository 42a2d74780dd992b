;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Substitutes: asking 'guix substitute' which store items can be had from
;;; servers, and having it fetch one.
;;;
;;; 1. An answer counts for the item that was asked for, and no other.
;;; 2. What is no path of an item of the same store, or no natural number
;;;    below 2^64, is an error.  Whether an answer is true is for the agent to
;;;    say, which verifies signatures; whether a file is what was promised,
;;;    for the caller to see.
;;; 3. An item whose name could not be that of a new item, or is no single word,
;;;    is not asked for: it could be taken for a part of the request, or for
;;;    another one, whose reply the next client would get.
;;; Code:

(define-module (fruix agent substitute)
  #:use-module (fruix agent conversation)
  #:use-module (fruix agent options)
  #:use-module (fruix agent pool)
  #:use-module (fruix base16)
  #:use-module (fruix base32)
  #:use-module (fruix errors)
  #:use-module (fruix octets)
  #:use-module (fruix hash)
  #:use-module (fruix sorted-set)
  #:use-module ((fruix store path) #:select (direct-store-path?
                                             store-path-name
                                             valid-store-name?))
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:export (substitutable?
            substitutable-path
            substitutable-deriver
            substitutable-references
            substitutable-download-size
            substitutable-nar-size

            query-substitutable
            query-substitutable-infos
            fetch-substitute!))

(define-record-type <substitutable>
  (make-substitutable path deriver references download-size nar-size)
  substitutable?
  (path substitutable-path)                       ;octet string
  (deriver substitutable-deriver)                 ;octet string | #f
  (references substitutable-references)           ;octet strings, sorted
  (download-size substitutable-download-size)     ;bytes, 0 if not known
  (nar-size substitutable-nar-size))              ;bytes, 0 if not known

;; Seconds for which a query may be silent: servers are slow to say no.
(define %query-silence 300)

;; References that an item may have.
(define %references-limit 65536)

(define %size-limit (expt 2 64))

(define %purpose "look for substitutes")


;;;
;;; What is read.
;;;

(define (lie what)
  (fail "`guix substitute' sent ~a" what))

(define %decimal (string->char-set "0123456789"))

(define (parse-natural text limit)
  "Return the number below LIMIT that TEXT has in decimal."
  (or (and (<= 1 (string-length text) 20)
           (string-every %decimal text)
           (let ((number (string->number text 10)))
             (and (< number limit) number)))
      (lie (format #f "`~a' for a number" text))))

(define (read-natural agent limit)
  (parse-natural (agent-read-line! agent) limit))

(define (check-path store path)
  (unless (direct-store-path? store path)
    (lie (format #f "`~a' for a store path" path)))
  path)

(define (read-items agent asked read)
  "Return the list of what READ returns for each path in the reply of AGENT,
which are to be among the keys of the hash table ASKED; for one that comes
twice, only once."
  (let loop ((items '()))
    (match (agent-read-line! agent)
      ("" (reverse! items))
      (path
       (match (hash-ref asked path)
         (#f (lie (format #f "`~a', which was not asked for" path)))
         (state
          (hash-set! asked path 'seen)
          (let ((item (read path)))
            (loop (if (eq? state 'seen) items (cons item items))))))))))

(define (read-substitutable agent store path)
  "Read what AGENT tells of PATH after its name."
  (let* ((deriver (agent-read-line! agent))
         (count (read-natural agent %references-limit))
         (references (list-tabulate count
                                    (lambda _
                                      (check-path
                                       store (agent-read-line! agent)))))
         (download-size (read-natural agent %size-limit)))
    (make-substitutable path
                        (and (not (string-null? deriver))
                             (check-path store deriver))
                        (sorted-set references)
                        download-size
                        (read-natural agent %size-limit))))


;;;
;;; Queries.
;;;

;; The visible characters of ASCII, and all octets that UTF-8 has for others.
(define %word-octets
  (char-set-difference (ucs-range->char-set #x21 #x100)
                       (char-set #\delete)))

(define (word? path)
  "Return true if PATH is one word of a request: a blank would end it, and a
newline the request."
  (string-every %word-octets path))

(define (askable? path)
  (and (word? path)
       (and=> (store-path-name (dirname path) path) valid-store-name?)))

(define (query pool options command paths note cancellation read)
  "Send COMMAND and PATHS, store paths, to a query agent, and return the list
of what READ returns, called with the agent, the store's name and a path, for
each that it knows."
  (match (filter askable? paths)
    (() '())
    ((and paths (first . _))
     (let ((asked (make-hash-table)))
       (for-each (lambda (path) (hash-set! asked path 'asked)) paths)
       (call-with-agent pool '("substitute" "--query")
                        (options->environment options)
         (lambda (agent)
           (begin-talk! agent #:note note #:cancellation cancellation
                        #:max-silent-time %query-silence)
           (agent-send! agent
                        (string-append command " " (string-join paths)
                                       "\n"))
           (read-items agent asked
                       (lambda (path)
                         (read agent (dirname first) path))))
         #:purpose %purpose)))))

(define* (query-substitutable pool options paths note #:optional cancellation)
  "Return those of @var{paths}, a list of store paths, that can be
substituted, using the agents of @var{pool} with the settings @var{options},
an alist of octet strings.  @var{note} is called with what is to be told to the
user: lines, octet strings that end with a newline or carriage return, before
which the caller puts @code{substitute: }.  Raise a @code{&build-error} of kind
@code{cancelled} when the event @var{cancellation} happens, which is as for
@code{begin-talk!}, and of kind @code{timeout} after five minutes of silence; a
@code{&fruix-error} if the agent cannot be run, ends, or does not make sense."
  (query pool options "have" paths note cancellation
         (lambda (agent store path) path)))

(define* (query-substitutable-infos pool options paths note
                                    #:optional cancellation)
  "Return a list of @code{<substitutable>} for those of @var{paths} that can
be substituted.  All is as for @code{query-substitutable}."
  (query pool options "info" paths note cancellation read-substitutable))


;;;
;;; Fetching.
;;;

(define (decode-hash algorithm text)
  "Return the digest under ALGORITHM that TEXT tells in base 16 or 32, or #f."
  (let* ((size (hash-size algorithm))
         (length (string-length text)))
    (false-if-exception
     (cond ((= length (* 2 size)) (base16-string->bytevector text))
           ((= length (ceiling-quotient (* 8 size) 5))
            (nix-base32-string->bytevector text))
           (else #f)))))

(define (parse-success hash size)
  "Return what a reply of success with HASH and SIZE means, or #f."
  (match (string-split hash #\:)
    ((name digits)
     (let* ((algorithm (lookup-hash-algorithm name))
            (digest (and algorithm (decode-hash algorithm digits))))
       (and digest
            (list 'success algorithm digest
                  (parse-natural size %size-limit)))))
    (_ #f)))

(define (parse-status line)
  "Return what LINE, the reply to a request to fetch, means."
  (or (match (string-split line #\space)
        (("success" hash size)
         (parse-success hash size))
        (("hash-mismatch" algorithm expected actual)
         (list 'hash-mismatch algorithm expected actual))
        (("not-found")
         '(not-found))
        (_ #f))
      (lie (format #f "`~a' for a status" line))))

(define (check-word path)
  (unless (word? path)
    (fail "invalid name of a file to fetch: ~s" path))
  path)

(define* (fetch-substitute! pool options item destination note cancellation
                            #:key (timeout 0) (max-silent-time 0))
  "Have the store path @var{item} fetched from a server and unpacked as
@var{destination}, a file name that does not exist.  Return two values: what
came of it, and the line in which the agent said so.

@table @code
@item (success @var{algorithm} @var{digest} @var{size})
It is there; its archive has, by the word of the agent, the hash @var{digest},
a bytevector, under @var{algorithm}, a symbol, and @var{size} bytes.
@item (hash-mismatch @var{algorithm} @var{expected} @var{actual})
It has another hash than the server had promised: octet strings.
@item (not-found)
No server has it.
@end table

@var{pool}, @var{options} and @var{note} are as for @code{query-substitutable}
but that no prefix is due; and what is said of @var{destination} is passed on
as said of @var{item}.  Raise a @code{&build-error} of kind
@code{cancelled} when the event @var{cancellation} happens, of kind
@code{timeout} after @var{timeout} seconds, or @var{max-silent-time} of
silence; a @code{&fruix-error} if the agent cannot be run, ends, or does not
make sense.  What there is at @var{destination} then is for the caller to
delete."
  (define place (text->octets destination))
  (define request
    (format #f "substitute ~a ~a\n" (check-word item) (check-word place)))
  (match (call-with-agent pool '("substitute" "--substitute")
                          (options->environment options)
           (lambda (agent)
             (begin-talk! agent #:note (lambda (line)
                                         (note (octets-replace
                                                line place item)))
                          #:cancellation cancellation
                          #:timeout timeout #:max-silent-time max-silent-time)
             (agent-send! agent request)
             (let ((line (agent-read-line! agent)))
               (cons (parse-status line) line)))
           #:purpose "fetch substitutes")
    ((result . line)
     (values result line))))
