;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What is known of store paths while a request is planned: which are valid,
;;; which can be substituted, what is in derivations.  Each question is put
;;; once, and for many paths together.
;;;
;;; A path can be substituted if somebody has it, and has or can have all that
;;; it refers to.
;;; Code:

(define-module (fruix session survey)
  #:use-module (fruix agent substitute)
  #:use-module ((fruix alist) #:select (inverse))
  #:use-module (fruix derivation)
  #:use-module ((fruix derivation text) #:select (%make-derivation))
  #:use-module (fruix errors)
  #:use-module (fruix sorted-set)
  #:use-module (fruix store)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:export (make-survey
            survey-derivation
            survey-offer
            survey-references
            look-for!
            present?
            look-for-substitutes!
            substitutable?))

;; As many derivations may have a part in one request.
(define %derivations-limit 100000)

(define-record-type <survey>
  (%make-survey store ask valid offers usable derivations count)
  survey?
  (store survey-store)
  (ask survey-ask)                      ;paths -> list of <substitutable>
  (valid survey-valid)                  ;hash table: path -> Boolean
  (offers survey-offers)                ;hash table: path -> <substitutable> | #f
  (usable survey-usable set-survey-usable!) ;hash table: path -> #t
  (derivations survey-derivations)      ;hash table: DRV -> <derivation>
  (count survey-count set-survey-count!)) ;of derivations

(define (make-survey store ask)
  "Return a survey of @var{store} in which nothing is known yet; @var{ask} is a
procedure from a list of store paths to the @code{<substitutable>}s among
them."
  (%make-survey store ask (make-hash-table) (make-hash-table)
                (make-hash-table) (make-hash-table) 0))

(define (essence derivation)
  "Return DERIVATION with nothing but what a plan needs: outputs, inputs, and
whether there may be substitutes.  A string that was cut out of its text would
keep all of that."
  (%make-derivation
   (map (lambda (output)
          (make-derivation-output (string-copy (derivation-output-name output))
                                  (string-copy (derivation-output-path output))
                                  "" ""))
        (derivation-outputs derivation))
   (map (lambda (input) (map string-copy input))
        (derivation-inputs derivation))
   '() "" "" '()
   (match (assoc "allowSubstitutes" (derivation-environment derivation))
     (#f '())
     ((name . value) (list (cons (string-copy name) (string-copy value)))))))

(define (survey-derivation survey drv)
  "Return what a plan needs of @var{drv}, a valid derivation: its outputs with
their paths, its inputs, and the variable @code{allowSubstitutes}.  Its file is
read once.  Raise a @code{&fruix-error} when that is one too many."
  (define known (survey-derivations survey))
  (or (hash-ref known drv)
      (let ((derivation (essence (read-derivation (survey-store survey) drv)))
            (count (+ 1 (survey-count survey))))
        (when (> count %derivations-limit)
          (fail "more than ~a derivations in one request"
                %derivations-limit))
        (set-survey-count! survey count)
        (hash-set! known drv derivation)
        derivation)))


;;
;; What is there.
;;

(define (unknown table paths)
  "Return those of PATHS that are no keys of TABLE, each once."
  (sorted-set
   (remove (lambda (path) (hash-get-handle table path)) paths)))

(define (look-for! survey paths)
  "Find out which of @var{paths} are valid, and keep all from the collector."
  (let* ((store (survey-store survey))
         (valid (survey-valid survey))
         (paths (unknown valid paths)))
    (for-each (lambda (path) (add-temp-root! store path)) paths)
    (for-each (lambda (path) (hash-set! valid path #f)) paths)
    (for-each (lambda (path) (hash-set! valid path #t))
              (valid-paths store paths))))

(define (present? survey path)
  "Return true if @var{path}, which @code{look-for!} has looked for, is
valid."
  (hash-ref (survey-valid survey) path))


;;
;; What others have.
;;

(define (survey-offer survey path)
  "Return the @code{<substitutable>} of @var{path}, or @code{#f} if nobody has
it, as far as is known."
  (hash-ref (survey-offers survey) path))

(define (survey-references survey path)
  "Return what @var{path} refers to but for itself, if it is offered."
  (match (survey-offer survey path)
    (#f '())
    (offer (delete path (substitutable-references offer)))))

(define (ask! survey paths)
  "Find out which of PATHS, about which nothing is known, somebody has; return
all that these refer to."
  (define offers (survey-offers survey))
  (for-each (lambda (path) (hash-set! offers path #f)) paths)
  (append-map (lambda (offer)
                (let ((path (substitutable-path offer)))
                  (hash-set! offers path offer)
                  (survey-references survey path)))
              ((survey-ask survey) paths)))

(define (offered survey)
  "Return an alist from what is offered to what it refers to."
  (hash-fold (lambda (path offer offered)
               (if offer
                   (acons path (survey-references survey path) offered)
                   offered))
             '()
             (survey-offers survey)))

(define (withdraw! usable referrers path)
  "Take PATH, and all that refers to it, from the table USABLE."
  (let loop ((paths (list path)))
    (match paths
      (() #t)
      ((path . rest)
       (loop (if (hash-ref usable path)
                 (begin
                   (hash-remove! usable path)
                   (append (hash-ref referrers path '()) rest))
                 rest))))))

(define (find-usable survey)
  "Return a table of the offers that lead to no path which nobody has."
  (define offers (offered survey))
  (define referrers (inverse offers))
  (define usable (make-hash-table))
  (define (lacking? path)
    (not (or (present? survey path) (hash-ref usable path))))
  (for-each (match-lambda ((path . _) (hash-set! usable path #t)))
            offers)
  (for-each (match-lambda
              ((path . references)
               (when (any lacking? references)
                 (withdraw! usable referrers path))))
            offers)
  usable)

(define (ask-about! survey paths)
  "Find out which of PATHS, about which nothing is known, somebody has, and
which of all that these refer to."
  (let loop ((paths paths))
    (unless (null? paths)
      (let ((references (ask! survey paths)))
        (look-for! survey references)
        (loop (unknown (survey-offers survey)
                       (remove (lambda (path) (present? survey path))
                               references))))))
  (set-survey-usable! survey (find-usable survey)))

(define (look-for-substitutes! survey paths)
  "Find out which of @var{paths}, that are not valid or not good, can be
substituted, and which of those that they refer to, directly or not."
  (match (unknown (survey-offers survey) paths)
    (() #t)
    (paths (ask-about! survey paths))))

(define (substitutable? survey path)
  "Return true if @var{path}, about which @code{look-for-substitutes!} was
asked, can be substituted."
  (hash-ref (survey-usable survey) path))
