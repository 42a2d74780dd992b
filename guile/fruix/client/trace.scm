;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What a daemon writes while it builds, taken apart.
;;;
;;; The stream mixes lines for programs ("@ build-started …"), counted chunks
;;; of builders' output ("@ build-log PID LENGTH", then that many bytes), and
;;; text for people.  It arrives in pieces of any size.  A trace port turns it
;;; into events: lists of a symbol and strings or integers.
;;;
;;;   (build-started DRV SYSTEM LOG-FILE PID)
;;;   (build-log PID BYTEVECTOR)
;;;   (build-succeeded DRV)   (build-failed DRV REASON)
;;;   (text STRING)           any other line
;;;   (NAME WORD …)           any other trace
;;; Code:

(define-module (fruix client trace)
  #:use-module (fruix octets)
  #:use-module (ice-9 binary-ports)
  #:use-module (ice-9 match)
  #:use-module (rnrs bytevectors)
  #:export (open-trace-port
            line->event))

;; A line longer than this is taken as if it ended here.
(define %maximum-line-length 65536)

(define %newline 10)

(define (line->event line)
  "Return the event that @var{line}, a string without its newline, stands
for."
  (match (string-split line #\space)
    (("@" "build-started" drv _ system log pid)
     `(build-started ,drv ,system ,log ,(string->number pid)))
    (("@" "build-succeeded" drv . _)
     `(build-succeeded ,drv))
    (("@" "build-failed" drv _ . reason)
     `(build-failed ,drv ,(string-join reason)))
    (("@" "build-log" pid size)
     `(build-log ,(string->number pid) ,(string->number size)))
    (("@" name . words)
     (cons (string->symbol name) words))
    (_ `(text ,line))))

(define (subbytes bytes start count)
  (let ((result (make-bytevector count)))
    (bytevector-copy! bytes start result 0 count)
    result))

(define (find-newline bytes start end)
  (let loop ((i start))
    (and (< i end)
         (if (= (bytevector-u8-ref bytes i) %newline)
             i
             (loop (+ i 1))))))

(define (open-trace-port handle)
  "Return an output port for the stream that a daemon writes while it builds.
@var{handle} is called with each event, in order: see the commentary of this
module.  Closing the port hands over what remains of an unfinished line."
  (define pieces '())                   ;of the line so far, latest first
  (define length 0)                     ;of these, together
  (define log #f)                       ;PID whose output follows, or #f
  (define left 0)                       ;bytes of it still to come

  (define (end-line!)
    (let ((line (octets->text (string-concatenate-reverse pieces))))
      (set! pieces '())
      (set! length 0)
      (match (line->event line)
        (('build-log (? integer? pid) (? integer? size))
         (set! log pid)
         (set! left size))
        (event (handle event)))))

  (define (add-to-line! bytes start end)
    (set! pieces (cons (bytevector->octets
                        (subbytes bytes start (- end start)))
                       pieces))
    (set! length (+ length (- end start)))
    (when (> length %maximum-line-length)
      (end-line!)))

  (define (write! bytes start count)
    (let loop ((start start) (end (+ start count)))
      (cond ((= start end) count)
            ((positive? left)
             (let ((size (min left (- end start))))
               (set! left (- left size))
               (handle `(build-log ,log ,(subbytes bytes start size)))
               (loop (+ start size) end)))
            ((find-newline bytes start end)
             => (lambda (newline)
                  (add-to-line! bytes start newline)
                  (end-line!)
                  (loop (+ newline 1) end)))
            (else
             (add-to-line! bytes start end)
             count))))

  (define (close!)
    (unless (zero? length) (end-line!)))

  (let ((port (make-custom-binary-output-port "trace" write! #f #f close!)))
    (setvbuf port 'none)
    port))
