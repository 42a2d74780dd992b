;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What commands say, in a form for people: sizes, durations, short names,
;;; and words of strangers that must not steer the terminal.
;;; Code:

(define-module (fruix scripts text)
  #:use-module (ice-9 format)
  #:use-module (ice-9 match)
  #:use-module (ice-9 regex)
  #:export (size->text
            text->size
            duration->text
            item-name
            printable))

(define (size->text bytes)
  "Return @var{bytes}, an integer, for people: @code{\"2.2 MiB\"}."
  (cond ((< bytes 1024) (format #f "~a B" bytes))
        ((< bytes (* 1024 1024)) (format #f "~,1f KiB" (/ bytes 1024.)))
        (else (format #f "~,1f MiB" (/ bytes 1024. 1024.)))))

(define %size
  (make-regexp "^([0-9]+([.][0-9]+)?)([A-Za-z]*)$"))

(define (unit->bytes unit)
  "Return the number of bytes in UNIT, as guix calls it, or #f."
  (match unit
    ("" 1)
    ((or "KiB" "K" "k") (expt 2 10))
    ((or "MiB" "M") (expt 2 20))
    ((or "GiB" "G") (expt 2 30))
    ((or "TiB" "T") (expt 2 40))
    ((or "kB" "KB") (expt 10 3))
    ("MB" (expt 10 6))
    ("GB" (expt 10 9))
    ("TB" (expt 10 12))
    (_ #f)))

(define (text->size text)
  "Return the number of bytes, an integer, that @var{text} stands for, such as
@code{\"500M\"}, @code{\"1.5GiB\"} or @code{\"20GB\"}; false if it is no
size."
  (let* ((found (regexp-exec %size text))
         (unit (and found (unit->bytes (match:substring found 3)))))
    (and unit
         ;; Exact: a float could be too large to be an integer.
         (round (* unit (string->number
                         (string-append "#e" (match:substring found 1))))))))

(define (duration->text seconds)
  "Return @var{seconds}, an integer, for people: @code{\"3s\"},
@code{\"1m03s\"} or @code{\"2h05m\"}."
  (let ((minutes (quotient seconds 60)))
    (cond ((< seconds 60) (format #f "~as" seconds))
          ((< minutes 60)
           (format #f "~am~2,'0ds" minutes (remainder seconds 60)))
          (else
           (format #f "~ah~2,'0dm" (quotient minutes 60)
                   (remainder minutes 60))))))

(define (item-name file)
  "Return the part of @var{file}, a store file name, that people care for: the
name without directory, hash and @code{.drv}."
  (let* ((base (basename file ".drv"))
         (hyphen (string-index base #\-)))
    (if (and hyphen (= hyphen 32))
        (substring base (+ hyphen 1))
        base)))

(define %control-sequence
  (make-regexp "\x1b\\[[0-9;?]*[A-Za-z]"))

(define (printable text)
  "Return the string @var{text} without what would steer a terminal: control
sequences, and control characters other than tabs."
  (string-filter (lambda (char)
                   (or (char=? char #\tab)
                       (not (char-set-contains? char-set:iso-control char))))
                 (regexp-substitute/global #f %control-sequence text
                                           'pre 'post)))
