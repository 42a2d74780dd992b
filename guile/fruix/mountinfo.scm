;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The table of mounts that Linux writes for people: /proc/self/mountinfo,
;;; see proc_pid_mountinfo(5).
;;; Code:

(define-module (fruix mountinfo)
  #:use-module (ice-9 match)
  #:use-module (ice-9 rdelim)
  #:export (read-mountinfo))

(define (unescape text)
  "Return @var{text} with the spaces, tabs, newlines and backslashes that are
written in it as a backslash and three octal digits."
  (match (string-index text #\\)
    (#f text)
    (start
     (string-append (string-take text start)
                    (string (integer->char
                             (string->number
                              (substring text (+ start 1) (+ start 4)) 8)))
                    (unescape (string-drop text (+ start 4)))))))

(define (parse-line line)
  "Return what one @var{line} says as a list: type, source, target, options,
ID."
  (match (string-split line #\space)
    ((id parent device root target options . optional)
     (match (member "-" optional)
       ((_ type source _ ...)
        (list type (unescape source) (unescape target)
              (string-split options #\,) (string->number id)))))))

(define (read-mountinfo port)
  "Return the mounts that @var{port}, an input port on such a table, tells of,
in its order: lists of the type, the source and the target, three strings, the
list of options, such as @code{\"ro\"}, and the ID, an integer."
  (let loop ((mounts '()))
    (match (read-line port)
      ((? eof-object?) (reverse mounts))
      (line (loop (cons (parse-line line) mounts))))))
