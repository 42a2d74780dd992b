;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Recorded exchanges of guix-daemon with its client, played again: what the
;;; client said is sent byte for byte, and what our daemon says must be what
;;; guix-daemon said, except for
;;;
;;; - process ids, registration times, and names of log files, which are below
;;;   the root directory of the test, with one slash for guix-daemon's two;
;;; - into how many messages a builder's output is cut;
;;; - "killing process", where guix-daemon ends a helper that we do not have.
;;;
;;; The shell that the recorded derivations run is not at hand.  The one of
;;; this system stands in for it, registered as if it were the same.

(use-modules (fruix base16)
             (fruix config)
             (fruix derivation)
             (fruix protocol wire)
             (ice-9 binary-ports)
             (ice-9 match)
             (ice-9 regex)
             (rnrs bytevectors)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests daemon-support)
             (tests support)
             (tests worker-client))

(define %vectors
  (string-append (getenv "abs_top_srcdir") "/tests/vectors/"))

;;;
;;; What was recorded.
;;;

(define (read-data file)
  "Return the list of data in FILE, one of the vectors."
  (call-with-input-file (string-append %vectors file)
    (lambda (port)
      (let loop ((data '()))
        (match (read port)
          ((? eof-object?) (reverse data))
          (datum (loop (cons datum data))))))
    #:encoding "UTF-8"))

(define (exchanges turns)
  "Return TURNS, a recorded session, as pairs of what the client said and what
the daemon answered."
  (match turns
    (() '())
    ((('client question) ('daemon answer) . rest)
     (acons (base16-string->bytevector question)
            (base16-string->bytevector answer)
            (exchanges rest)))))

;;;
;;; What answers mean.
;;;

(define (read-info port)
  (let* ((deriver (read-octets port))
         (hash (read-octets port))
         (references (read-octets-list port)))
    (read-int port)                     ;the time
    (list deriver hash references (read-long port))))

(define (result-reader question)
  "Return how to read the result of QUESTION, a request."
  (match (bytevector-u64-ref question 0 (endianness little))
    ((or 1 9 11 16) read-int)
    ((or 4 7 8) read-octets)
    ((or 5 6 33 80 81) read-octets-list)
    (14 read-octets-pairs)
    (19 (const 'nothing))
    (26 read-info)))

(define (simplify lines)
  "Return LINES, log messages, without what differs from run to run."
  (define (simplify-line line)
    (fold (match-lambda*
            (((pattern replacement) line)
             (regexp-substitute/global #f pattern line
                                       'pre replacement 'post)))
          line
          '((" [^ ]*/log/guix/" " /log/guix/")
            ("/drvs/(..)//" "/drvs/")
            ("/drvs/../" "/drvs/")
            (" [0-9]+\n$" " PID\n")
            ("^@ build-log [0-9]+ [0-9]+\n" "@ build-log\n"))))
  (define (join lines)
    ;; Consecutive pieces of output become one.
    (fold-right (lambda (line result)
                  (match result
                    ((next . rest)
                     (if (and (string-prefix? "@ build-log\n" line)
                              (string-prefix? "@ build-log\n" next))
                         (cons (string-append line (string-drop next 12))
                               rest)
                         (cons line result)))
                    (() (list line))))
                '()
                lines))
  (define (beside-the-point? line)
    (or (string-prefix? "killing process" line)
        ;; Not every machine can give builders a network.
        (string-contains line "is built without network")))
  (join (remove beside-the-point? (map simplify-line lines))))

(define (meaning position question port)
  "Return what the daemon says on PORT in reply to QUESTION, which comes at
POSITION in the session."
  (match position
    (0 (let ((magic (read-int port)))
         (list magic (read-int port))))
    (1 (read-int port))
    (_ (call-with-values
           (lambda () (receive-reply port (result-reader question)))
         (lambda (result log data)
           (list result (simplify log) data))))))

(define (recorded-meaning position question answer)
  (let* ((port (open-bytevector-input-port answer))
         (result (meaning position question port)))
    (if (eof-object? (get-u8 port))
        result
        (list 'more-than result))))

;;;
;;; Before the recording.
;;;

(define (add-items port)
  "Add to the store what there was before the recording."
  (request port read-octets 8 "hello.txt" "hello\n" '())
  (for-each (match-lambda
              ((file text)
               (test-equal (string-append "added: " file) file
                 (request port read-octets 8
                          (string-drop file (string-length %hash-part)) text
                          (derivation-references
                           (string->derivation text))))))
            (read-data "derivations.scm")))

(define (build-items port)
  "Build what was built before the recording."
  (for-each (lambda (name)
              (test-equal (string-append "built: " name) 1
                (request port read-int 9
                         (list (string-append "/gnu/store/" name)) 0)))
            '("03fgdyzwnqz193s7hza6x7hjnjcl1rv7-escapes.drv"
              "nf1q6r248v6igks7iak8nia4xlr5wa00-fixed-rec.drv"
              "gvh1ng9xaxzpjq4xf9px8aykh682hr3r-fixed-sha1.drv"
              "xdhh23jg6b6qxf7m1pzpl6gvb5l8cz76-depends.drv")))

(define %hash-part "/gnu/store/00000000000000000000000000000000-")

(define (replay daemon number turns)
  "Play TURNS, the session NUMBER, again."
  (call-with-client daemon
    (lambda (port)
      (for-each (match-lambda*
                  (((question . answer) position)
                   (say port question)
                   (test-equal
                       (format #f "session ~a, turn ~a" number position)
                     (recorded-meaning position question answer)
                     (meaning position question port))))
                turns (iota (length turns))))
    #:greet? #f))

(test-begin "transcript")

(skip-unless (string=? %system "x86_64-linux")
             "builds of x86_64-linux were recorded")

(call-with-daemon
 (lambda (daemon)
   (call-with-client daemon
     (lambda (port)
       (add-items port)
       (build-items port)))
   (for-each (lambda (number turns)
               (replay daemon number (exchanges turns)))
             (iota 6 1)
             (read-data "transcript.scm")))
 #:prepare install-shell
 #:options (append '("--no-substitutes") %build-users %host-directories))

(test-end "transcript")
