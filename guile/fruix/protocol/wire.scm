;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; How the worker protocol writes plain data on a connection: integers,
;;; strings and lists, as both sides of it do.
;;;
;;; 1. Everything is a multiple of 8 bytes, little-endian, zero padded.
;;; 2. The other side is hostile: a length is believed only as far as the
;;;    bytes behind it have arrived, and never above the caller's limit.
;;; 3. What is read wrong raises &protocol-violation; a connection that ends
;;;    inside a datum raises its child &connection-closed.  After either, the
;;;    position in the stream is unknown, and the connection only good for
;;;    one last message.
;;; Code:

(define-module (fruix protocol wire)
  #:use-module (fruix errors)
  #:use-module ((fruix octets) #:select (bytevector->octets))
  #:use-module (fruix primitives)
  #:use-module (ice-9 binary-ports)
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 match)
  #:use-module (rnrs bytevectors)
  #:use-module ((srfi srfi-1) #:select (fold))
  #:export (%client-magic
            %daemon-magic
            %protocol-version
            %message-next
            %message-read
            %message-write
            %message-last
            %message-error

            &protocol-violation
            protocol-violation?
            &connection-closed
            connection-closed?
            connection-lost
            violation

            read-int
            read-long
            read-boolean
            read-bytes
            read-bytes!
            read-octets
            read-list
            read-octets-list
            read-octets-pairs

            write-int
            write-long
            write-boolean
            write-bytes
            write-pieces
            write-octets
            write-list
            write-octets-list
            write-octets-pairs))

;; What each side says first, and the version that Fruix speaks.
(define %client-magic #x6e697863)
(define %daemon-magic #x6478696f)
(define %protocol-version #x164)

;; The tags of the messages that a daemon sends while it works.
(define %message-next #x6f6c6d67)
(define %message-read #x64617461)
(define %message-write #x64617416)
(define %message-last #x616c7473)
(define %message-error #x63787470)

;; Limits where the caller has none of its own: bytes of a string, items of a
;; list, bytes of all strings of a list together, and the same for pairs.
(define %string-limit 65536)
(define %list-limit (expt 2 20))
(define %list-size-limit (* 64 1024 1024))
(define %pairs-limit 1024)
(define %pairs-size-limit (* 1024 1024))

;; Strings, and lists, that are larger than so many bytes are announced.
(define %large-size (* 2 1024 1024))

;; Bytes of strings that are read by one primitive: those of nearly all.
(define %short-size 4096)

;; Memory is taken in steps of this size, as bytes arrive.
(define %chunk-size 131072)

(define-exception-type &protocol-violation &protocol-error
  make-protocol-violation
  protocol-violation?)

(define-exception-type &connection-closed &protocol-violation
  make-connection-closed
  connection-closed?)

(define (violation template . arguments)
  "Raise the @code{&protocol-violation} of a peer that breaks the protocol:
@var{template} with @var{arguments} put in as by @code{format}."
  (raise-exception
   (make-protocol-violation (apply format #f template arguments) 1)))

(define (connection-lost)
  "Raise the @code{&connection-closed} of a peer that is gone."
  (raise-exception
   (make-connection-closed "the connection has ended" 1)))

;;
;; Reading.
;;

(define (get-exactly port size)
  "Return the next SIZE bytes of PORT, however many are announced holding
memory only for those that came."
  (if (<= size %chunk-size)
      (let ((bytes (get-bytevector-n port size)))
        (if (and (bytevector? bytes) (= (bytevector-length bytes) size))
            bytes
            (connection-lost)))
      (call-with-values open-bytevector-output-port
        (lambda (accumulator accumulated)
          (let loop ((left size))
            (unless (zero? left)
              (let ((count (min left %chunk-size)))
                (put-bytevector accumulator (get-exactly port count))
                (loop (- left count)))))
          (accumulated)))))

(define (read-long port)
  "Return the next 64-bit unsigned integer on @var{port}."
  (let ((value (%read-word port)))
    (when (eof-object? value)
      (connection-lost))
    value))

(define (read-int port)
  "Return the next @code{int} on @var{port}, an integer below 2^32.  Larger
ones raise @code{&protocol-violation}, as guix-daemon refuses them."
  (let ((value (read-long port)))
    (when (>= value (expt 2 32))
      (violation "integer out of range: ~a" value))
    value))

(define (read-boolean port)
  "Return whether the next @code{int} on @var{port} is not zero."
  (not (zero? (read-int port))))

(define (check-size size limit)
  (when (> size limit)
    (violation "string too long: ~a bytes, ~a are allowed" size limit)))

(define (bad-padding)
  (violation "string padding is not zero"))

(define (skip-padding port size)
  "Read what follows on PORT after a string of SIZE bytes."
  (let ((padding (modulo (- size) 8)))
    (unless (or (zero? padding)
                (equal? (get-exactly port padding)
                        (make-bytevector padding 0)))
      (bad-padding))))

(define (get-padded port size)
  "Return the SIZE bytes of the string that PORT is in, as a bytevector."
  (let ((bytes (get-exactly port size)))
    (skip-padding port size)
    bytes))

(define (get-short-octets port size)
  "Return the SIZE bytes of the string that PORT is in, as an octet string:
what @code{get-padded} does in many more steps."
  (match (%read-padded port size)
    ((? string? octets) octets)
    (#f (bad-padding))
    ((? eof-object?) (connection-lost))))

(define* (read-bytes port #:optional (limit %string-limit)
                     (announce (const #t)))
  "Return the next string on @var{port} as a bytevector of at most
@var{limit} bytes.  A longer one, or one whose padding is not zero, raises
@code{&protocol-violation}.  The thunk @var{announce} is called before more
than 2 MiB are read."
  (let ((size (read-int port)))
    (check-size size limit)
    (when (> size %large-size)
      (announce))
    (get-padded port size)))

(define (read-bytes! port bytes start limit)
  "Read the next string on @var{port}, of at most @var{limit} bytes, into the
bytevector @var{bytes} from index @var{start}, and return its size.  Raise
@code{&protocol-violation} as @code{read-bytes} does."
  (let ((size (read-int port)))
    (check-size size limit)
    (unless (or (zero? size)
                (eqv? size (get-bytevector-n! port bytes start size)))
      (connection-lost))
    (skip-padding port size)
    size))

(define* (read-octets port #:optional (limit %string-limit))
  "Return the next string on @var{port} as an octet string: each character is
a byte.  @var{limit} is as for @code{read-bytes}."
  (let ((size (read-int port)))
    (check-size size limit)
    (if (<= size %short-size)
        (get-short-octets port size)
        (bytevector->octets (get-padded port size)))))

(define* (read-list port read #:optional (limit %list-limit))
  "Return the next list on @var{port}, each item of which the procedure
@var{read} reads from the port.  More than @var{limit} items raise
@code{&protocol-violation}."
  (let ((count (read-int port)))
    (when (> count limit)
      (violation "list too long: ~a items, ~a are allowed" count limit))
    (let loop ((left count) (items '()))
      (if (zero? left)
          (reverse! items)
          (loop (- left 1) (cons (read port) items))))))

;; Bytes of memory that a string takes besides its own.
(define %string-overhead 64)

(define* (octets-reader limit #:optional (announce (const #t)))
  "Return a procedure that does what read-octets does until it has read LIMIT
bytes in all.  It calls the thunk ANNOUNCE once it has read many."
  (let ((left limit)
        (unannounced %large-size))
    (lambda (port)
      (let* ((item (read-octets port (min left %string-limit)))
             (size (string-length item)))
        (set! left (- left size))
        (when unannounced
          (set! unannounced (- unannounced size %string-overhead))
          (when (negative? unannounced)
            (set! unannounced #f)
            (announce)))
        item))))

(define* (read-octets-list port #:optional (announce (const #t)))
  "Return the next list of strings on @var{port} as octet strings.  More than
2^20 of them, or more than 64 MiB together, raise
@code{&protocol-violation}.  The thunk @var{announce} is called when 2 MiB have
been read, each string counting 64 bytes more than it has."
  (read-list port (octets-reader %list-size-limit announce)))

(define (read-octets-pairs port)
  "Return the next list of pairs of strings on @var{port} as an alist of octet
strings.  More than 1024 pairs, or more than 1 MiB together, raise
@code{&protocol-violation}."
  (define read (octets-reader %pairs-size-limit))
  (read-list port
             (lambda (port)
               (let ((key (read port)))
                 (cons key (read port))))
             %pairs-limit))

;;
;; Writing.
;;

(define (write-long port value)
  "Write @var{value}, an integer from 0 to 2^64 - 1, on @var{port}."
  (%write-word port value))

(define (write-int port value)
  "Write @var{value} on @var{port} as an @code{int}: of a larger value only
the low 32 bits are kept."
  (write-long port (logand value #xffffffff)))

(define (write-boolean port value)
  "Write 1 on @var{port} if @var{value} is true, else 0."
  (write-long port (if value 1 0)))

(define* (write-bytes port bytes #:optional (start 0)
                      (count (- (bytevector-length bytes) start)))
  "Write @var{count} bytes from index @var{start} of the bytevector
@var{bytes} on @var{port} as a string."
  (write-long port count)
  (put-bytevector port bytes start count)
  (write-padding port count))

(define (write-padding port count)
  (put-bytevector port #vu8(0 0 0 0 0 0 0) 0 (modulo (- count) 8)))

(define (write-pieces port pieces)
  "Write the bytes of @var{pieces}, a list of bytevectors, on @var{port} as
one string."
  (let ((count (fold + 0 (map bytevector-length pieces))))
    (write-long port count)
    (for-each (lambda (bytes) (put-bytevector port bytes)) pieces)
    (write-padding port count)))

(define (write-octets port . strings)
  "Write each of @var{strings}, octet strings, on @var{port}."
  (%write-octets port strings))

(define (write-list port write items)
  "Write the list @var{items} on @var{port}, each item by calling @var{write}
with the port and the item."
  (write-long port (length items))
  (for-each (lambda (item) (write port item)) items))

(define (write-octets-list port items)
  "Write @var{items}, a list of octet strings, on @var{port}."
  (write-long port (length items))
  (%write-octets port items))

(define (write-octets-pairs port pairs)
  "Write @var{pairs}, an alist of octet strings, on @var{port}."
  (write-list port
              (match-lambda*
                ((port (key . value))
                 (write-octets port key)
                 (write-octets port value)))
              pairs))
