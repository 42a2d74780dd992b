;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Notes of what a process has elsewhere, for who cleans up after it when it
;;; has been killed.
;;;
;;; 1. A note is a file that holds a text and a NUL; one that begins with a NUL
;;;    says nothing.
;;; 2. It is used again: to make and delete a file costs more than the rest.
;;;    So there are as many as were ever needed at once.
;;; Code:

(define-module (fruix store notes)
  #:use-module (fruix descriptors)
  #:use-module (fruix errors)
  #:use-module (fruix files)
  #:use-module ((fruix store directories) #:select (directory-names))
  #:use-module ((fruix thread) #:select (with-lock))
  #:use-module (ice-9 match)
  #:use-module ((ice-9 textual-ports) #:select (get-string-all))
  #:use-module ((ice-9 threads) #:select (make-mutex))
  #:use-module (rnrs bytevectors)
  #:use-module ((srfi srfi-1) #:select (filter-map))
  #:use-module (srfi srfi-9)
  #:export (make-notes
            close-notes!
            write-note!
            erase-note!
            noted))

(define-record-type <notes>
  (%make-notes directory mutex number erased)
  notes?
  (directory notes-directory)              ;file name
  (mutex notes-mutex)                      ;of all that follows
  (number notes-number set-notes-number!)  ;of files
  (erased notes-erased set-notes-erased!)) ;descriptors of those not used now

(define %prefix "elsewhere-")

(define (make-notes directory)
  "Return what keeps notes in @var{directory}, a file name."
  (%make-notes directory (make-mutex) 0 '()))

(define (close-notes! notes)
  "Close the files of @var{notes}, which are all erased."
  (for-each close-fdes (notes-erased notes)))

(define (create! notes)
  (set-notes-number! notes (+ 1 (notes-number notes)))
  (open-fdes (string-append (notes-directory notes) "/" %prefix
                            (number->string (notes-number notes)))
             (logior O_WRONLY O_CREAT O_EXCL O_CLOEXEC) #o600))

(define (take! notes)
  (with-lock (notes-mutex notes)
    (match (notes-erased notes)
      (() (create! notes))
      ((note . rest)
       (set-notes-erased! notes rest)
       note))))

(define (keep! notes note)
  (with-lock (notes-mutex notes)
    (set-notes-erased! notes (cons note (notes-erased notes)))))

(define (write-at! note bytes start count)
  "Write COUNT of BYTES from START, where they have to be in NOTE."
  (seek note start SEEK_SET)
  (unless (= count (write-descriptor note bytes start count))
    (fail "no room for a note")))

(define (write-note! notes text)
  "Write @var{text}, a string without NUL, down among @var{notes}, and return
what @code{erase-note!} takes.  Raise a @code{system-error} or
@code{&fruix-error} if that is not possible; then nothing is noted."
  (let ((note (take! notes))
        (bytes (string->utf8 (string-append text "\0"))))
    (on-failure (lambda () (keep! notes note))
      (lambda ()
        ;; It says nothing before it has its first byte.
        (write-at! note bytes 1 (- (bytevector-length bytes) 1))
        (write-at! note bytes 0 1)))
    note))

(define (erase-note! notes note)
  "Erase @var{note}, which @code{write-note!} returned for @var{notes}.  If the
disk does not let that happen, raise as that does, and the note stays until it
is used again."
  (dynamic-wind
    (const #t)
    (lambda () (write-at! note #vu8(0) 0 1))
    (lambda () (keep! notes note))))

(define (read-note file)
  "Return the text of the note @var{file}, or @code{#f} if it says nothing."
  (match (string-split (call-with-input-file file get-string-all
                                             #:encoding "UTF-8")
                       #\nul)
    ((or ("" . _) (_)) #f)
    ((text . _) text)))

(define (noted directory)
  "Return the texts of all notes in @var{directory}, the file name of one whose
process is dead."
  (filter-map (lambda (name) (read-note (string-append directory "/" name)))
              (directory-names directory
                               (lambda (name) (string-prefix? %prefix name)))))
