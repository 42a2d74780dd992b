;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What a client asks about substitutes, and what its own requests ask: who
;;; has which items.  Where substitutes are not wanted, nobody has any; where
;;; the program that looks for them is missing, the client hears of it, and
;;; things get built.
;;; Code:

(define-module (fruix session substitutes)
  #:use-module (fruix agent)
  #:use-module (fruix agent substitute)
  #:use-module ((fruix errors) #:select (fail))
  #:use-module (fruix octets)
  #:use-module (fruix protocol wire)
  #:use-module ((fruix session arguments) #:select (check-store-path))
  #:use-module (fruix session client)
  #:use-module (fruix session settings)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:export (asker
            query-substitute?
            query-substitute-info
            query-substitute-infos
            query-substitute-paths
            query-substitute-urls
            write-substitutable
            write-substitutables))

(define (wanted? client)
  (substitutes-wanted? (client-settings client)))

(define (ask client query paths)
  "Return what QUERY, a procedure of (fruix agent substitute), answers about
PATHS on behalf of CLIENT."
  (define (note line)
    (send-log client
              (octets->bytevector (string-append "substitute: " line))))
  (cond ((or (null? paths) (not (wanted? client)))
         '())
        ((find-guix)
         (query (client-agents client) (client-agent-options client) paths
                note (client-departure client)))
        (else
         (send-text client "the program `guix', which looks for substitutes, \
is not there" 2)
         '())))

(define (asker client refused)
  "Return a procedure that returns the @code{<substitutable>}s for those paths
of a list that can be substituted for @var{client}, save those in the list
@var{refused}."
  (define known (make-hash-table))
  (for-each (lambda (path) (hash-set! known path #t)) refused)
  (lambda (paths)
    (ask client query-substitutable-infos
         (remove (lambda (path) (hash-ref known path)) paths))))

(define (query-substitute-infos client paths)
  "Return the @code{<substitutable>}s for those of @var{paths} that can be
substituted."
  (ask client query-substitutable-infos paths))

(define (query-substitute-info client path)
  "Return the @code{<substitutable>} for @var{path}, or @code{#f}.  Raise a
@code{&fruix-error} if it is no store path: any string is taken for one here."
  (match (query-substitute-infos client
                                 (list (check-store-path client path fail)))
    ((info . _) info)
    (() #f)))

(define (query-substitute-paths client paths)
  "Return those of @var{paths} that can be substituted."
  (ask client query-substitutable paths))

(define (query-substitute? client path)
  "Return whether @var{path} can be substituted."
  (pair? (query-substitute-paths client (list path))))

(define (query-substitute-urls client)
  "Return the addresses at which substitutes for @var{client} are looked for:
its own, or else the daemon's."
  (define settings (client-settings client))
  (define (tokens text)
    (string-tokenize (or text "")))
  (if (wanted? client)
      (match (tokens (assoc-ref (setting settings 'agent-options)
                                "substitute-urls"))
        (() (tokens (setting settings 'substitute-urls)))
        (urls urls))
      '()))


;;
;; On the wire.
;;

(define (write-details port info)
  (write-octets port (or (substitutable-deriver info) ""))
  (write-octets-list port (substitutable-references info))
  (write-long port (substitutable-download-size info))
  (write-long port (substitutable-nar-size info)))

(define (write-substitutable port info)
  "Write @var{info}, a @code{<substitutable>} or @code{#f}, on @var{port}."
  (write-boolean port info)
  (when info
    (write-details port info)))

(define (write-substitutables port infos)
  "Write @var{infos}, a list of @code{<substitutable>}s, on @var{port}."
  (write-int port (length infos))
  (for-each (lambda (info)
              (write-octets port (substitutable-path info))
              (write-details port info))
            infos))
