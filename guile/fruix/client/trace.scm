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
  #:use-module (srfi srfi-9)
  #:export (open-trace-port))

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

(define-record-type <stream>
  (make-stream handle pieces size log left)
  stream?
  (handle stream-handle)                          ;procedure: takes an event
  (pieces stream-pieces set-stream-pieces!)       ;octets of the line so far,
                                                  ;latest first
  (size   stream-size set-stream-size!)           ;of these, together
  (log    stream-log set-stream-log!)             ;PID whose output follows
  (left   stream-left set-stream-left!))          ;bytes of it still to come

(define (end-line! stream)
  (let ((line (octets->text
               (string-concatenate-reverse (stream-pieces stream)))))
    (set-stream-pieces! stream '())
    (set-stream-size! stream 0)
    (match (line->event line)
      (('build-log (? integer? pid) (? integer? size))
       (set-stream-log! stream pid)
       (set-stream-left! stream size))
      (event ((stream-handle stream) event)))))

(define (add-to-line! stream bytes start end)
  (let ((size (- end start)))
    (set-stream-pieces! stream
                        (cons (bytevector->octets
                               (subbytes bytes start size))
                              (stream-pieces stream)))
    (set-stream-size! stream (+ (stream-size stream) size))
    (when (> (stream-size stream) %maximum-line-length)
      (end-line! stream))))

(define (add-to-log! stream bytes start size)
  (set-stream-left! stream (- (stream-left stream) size))
  ((stream-handle stream)
   `(build-log ,(stream-log stream) ,(subbytes bytes start size))))

(define (feed! stream bytes start end)
  "Take the bytes of BYTES from START to END."
  (cond ((= start end) #t)
        ((positive? (stream-left stream))
         (let ((size (min (stream-left stream) (- end start))))
           (add-to-log! stream bytes start size)
           (feed! stream bytes (+ start size) end)))
        ((find-newline bytes start end)
         => (lambda (newline)
              (add-to-line! stream bytes start newline)
              (end-line! stream)
              (feed! stream bytes (+ newline 1) end)))
        (else
         (add-to-line! stream bytes start end))))

(define (open-trace-port handle)
  "Return an output port for the stream that a daemon writes while it builds.
@var{handle} is called with each event, in order: see the commentary of this
module.  Closing the port hands over what remains of an unfinished line."
  (let* ((stream (make-stream handle '() 0 #f 0))
         (port (make-custom-binary-output-port
                "trace"
                (lambda (bytes start count)
                  (feed! stream bytes start (+ start count))
                  count)
                #f #f
                (lambda ()
                  (unless (zero? (stream-size stream))
                    (end-line! stream))))))
    (setvbuf port 'none)
    port))
