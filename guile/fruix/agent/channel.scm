;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; One direction of the talk with another program: what came out of a pipe
;;; and was not taken yet, as octets.
;;;
;;; Bytes are taken as lines or in counted pieces, when enough of them are
;;; there; nothing here waits.  What the other side sends is hostile: a line
;;; longer than the limit is an error or comes in pieces, as the caller
;;; decides, and memory is held only for what was not taken.
;;; Code:

(define-module (fruix agent channel)
  #:use-module (fruix descriptors)
  #:use-module (fruix octets)
  #:use-module (rnrs bytevectors)
  #:use-module (srfi srfi-9)
  #:export (make-channel
            channel-descriptor
            channel-open?
            channel-ended!
            channel-size
            channel-fill!
            channel-take!
            channel-take-through!
            channel-take-all!
            channel-close!))

(define-record-type <channel>
  (%make-channel descriptor octets position open?)
  channel?
  (descriptor channel-descriptor)                   ;integer
  (octets channel-octets set-channel-octets!)       ;octet string
  (position channel-position set-channel-position!) ;of the next one
  (open? channel-open? set-channel-open?!))         ;may there be more?

;; Bytes that are read at once.
(define %chunk-size 65536)

(define (make-channel descriptor)
  "Return a new channel that reads from @var{descriptor}, and owns it."
  (%make-channel descriptor "" 0 #t))

(define (channel-size channel)
  "Return how many bytes in @var{channel} were not taken yet."
  (- (string-length (channel-octets channel)) (channel-position channel)))

(define (channel-ended! channel)
  "Note that nothing more will come from @var{channel}."
  (set-channel-open?! channel #f))

(define (channel-fill! channel)
  "Read what there is from the descriptor of @var{channel}, waiting for the
first byte, and return the number of bytes: 0 if it has ended."
  (let* ((buffer (make-bytevector %chunk-size))
         (count (read-descriptor! (channel-descriptor channel) buffer)))
    (if (zero? count)
        (channel-ended! channel)
        (let ((bytes (make-bytevector count)))
          (bytevector-copy! buffer 0 bytes 0 count)
          (set-channel-octets! channel
                               (string-append
                                (substring (channel-octets channel)
                                           (channel-position channel))
                                (bytevector->octets bytes)))
          (set-channel-position! channel 0)))
    count))

(define (channel-take! channel size)
  "Take the next @var{size} bytes from @var{channel} and return them as an
octet string; @code{#f} if they are not there yet."
  (and (<= size (channel-size channel))
       (let* ((start (channel-position channel))
              (end (+ start size)))
         (set-channel-position! channel end)
         (substring (channel-octets channel) start end))))

(define (channel-take-through! channel terminators)
  "Take bytes from @var{channel} up to and including the first that is in the
character set @var{terminators}, and return them as an octet string;
@code{#f} if there is none yet."
  (let* ((start (channel-position channel))
         (end (string-index (channel-octets channel) terminators start)))
    (and end
         (channel-take! channel (- (+ end 1) start)))))

(define (channel-take-all! channel)
  "Take all that there is in @var{channel}, maybe nothing, and return it as an
octet string."
  (channel-take! channel (channel-size channel)))

(define (channel-close! channel)
  "Close the descriptor of @var{channel}."
  (channel-ended! channel)
  (close-fdes (channel-descriptor channel)))
