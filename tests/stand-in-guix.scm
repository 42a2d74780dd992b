;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; A stand-in for the programs of Guix that serve the daemon: it plays their
;;; side of each protocol, rightly or wrongly.  What it does with a request is
;;; said by the ending of the name of the item in it.
;;;
;;; Its signatures are texts: 'signed:KEY:HASH'.  Those by a key whose name
;;; ends in 'signing-key.sec' are valid.
;;; Code:

(use-modules (ice-9 binary-ports)
             (ice-9 format)
             (ice-9 match)
             (ice-9 rdelim)
             (rnrs bytevectors))

(define %long (make-string (* 2 1024 1024) #\x))

(define (say port template . arguments)
  (apply format port template arguments)
  (force-output port))

(define (error-line . text)
  (apply say (current-error-port) text))

(define (kind path)
  "Return the symbol that the name of PATH ends with."
  (string->symbol (string-drop path (+ 1 (string-rindex path #\-)))))

(define (misbehave kind port)
  "Do what any program can do wrong, if KIND is of that sort."
  (match kind
    ('dies
     (error-line "guix: first words\nguix: last words\n")
     (exit 3))
    ('killed (kill (getpid) SIGKILL))
    ('deaf (close-fdes 4) (sleep 1000))
    ('hangs (sleep 1000))
    ('endless (say port "~a" %long) (sleep 1000))
    ('loud
     (for-each (lambda (n) (error-line "~a\r" (string-take %long 65536)))
               (iota 32)))
    (_ #t)))

;;;
;;; Substitutes.
;;;

(define (info port path)
  (define (tell deriver references download nar)
    (say port "~a\n~a\n~a\n~{~a\n~}~a\n~a\n" path deriver
         (length references) references download nar))
  (match (kind path)
    ('there (tell "" '() 10 20))
    ('rich (tell (string-append path ".drv") (list path path) 0
                 (- (expt 2 64) 1)))
    ('vast (tell "" '() 0 (expt 2 64)))
    ('negative (say port "~a\n\n-1\n" path))
    ('blank (say port "~a\n\n\n" path))
    ('strange (tell "/etc/passwd" '() 0 0))
    ('astray (tell "" '("/gnu/store/../etc") 0 0))
    ('other (say port "~a-2\n\n0\n0\n0\n" path))
    ('twice (tell "" '() 1 1) (tell "" '() 2 2))
    (_ #t)))

(define (have port path)
  (match (kind path)
    ((or 'there 'rich 'loud) (say port "~a\n" path))
    ('other (say port "~a-2\n" path))
    (_ #t)))

(define (answer-query port request)
  (match (string-tokenize request)
    ((command . paths)
     (error-line "process ~a\n" (getpid))
     (for-each (lambda (path) (misbehave (kind path) port)) paths)
     (for-each (lambda (path)
                 ((match command ("have" have) ("info" info)) port path))
               paths)
     (newline port)
     (force-output port))))

(define %digest (make-string 52 #\0))

(define (answer-fetch port request)
  (match (string-tokenize request)
    (("substitute" item destination)
     (misbehave (kind item) port)
     (error-line "downloading ~a\r" item)
     (match (kind item)
       ('there
        (call-with-output-file destination
          (lambda (port) (display "contents" port)))
        (say port "success sha256:~a ~a\n" %digest (expt 2 40)))
       ('hexadecimal
        (say port "success sha1:~a 5\n" (make-string 40 #\f)))
       ('wrong (say port "hash-mismatch sha256 aaa bbb\n"))
       ('gone (say port "not-found\n"))
       ('odd (say port "success\n"))
       ('short (say port "success sha256:00 7\n"))
       ('minus (say port "success sha256:~a -7\n" %digest))
       ('options (say port "hash-mismatch options ~a ~a\n"
                      (string-map (lambda (char)
                                    (if (char=? char #\newline) #\, char))
                                  (getenv "_NIX_OPTIONS"))
                      (getcwd)))))))

;;;
;;; Signatures.
;;;

(define (read-word)
  (match (read-delimited " \n")
    ((? eof-object?) #f)
    (word (string->symbol word))))

(define (read-argument)
  (let ((size (string->number (read-delimited ":"))))
    (let ((bytes (get-bytevector-n (current-input-port) size)))
      (get-u8 (current-input-port))     ;a blank or the newline
      (utf8->string bytes))))

(define (answer code text)
  (let ((bytes (string->utf8 text)))
    (say (current-output-port) "~a ~a:" code (bytevector-length bytes))
    (put-bytevector (current-output-port) bytes)
    (force-output)))

(define (answer-signing)
  (error-line "guix: a warning\n")
  (match (read-word)
    ('sign
     (let* ((key (read-argument))
            (hash (read-argument)))
       (if (file-exists? key)
           (answer 0 (string-append "signed:" key ":" hash))
           (answer 500 "failed to load key pair"))
       (answer-signing)))
    ('verify
     (let ((signature (read-argument)))
       (match (string-split signature #\:)
         (("signed" (? (lambda (key)
                         (string-suffix? "signing-key.sec" key)))
                    hash)
          (answer 0 hash))
         (("signed" key _)
          (answer 500 (string-append "unauthorized public key: " key)))
         (("number") (say (current-output-port) "none 0:"))
         (("size") (say (current-output-port) "0 99999:"))
         (("nonsense") (answer 0 "xyz"))
         (("silent") (exit 4))
         (_ (answer 404 "invalid command")))
       (answer-signing)))
    (#f #t)))

;;;
;;; Offloading.
;;;

(define (answer-offer line)
  (match (string-split line #\space)
    ((local system drv features)
     (error-line "~a ~a ~a\n" local system features)
     (misbehave (kind (basename drv ".drv")) (current-output-port))
     (match (kind (basename drv ".drv"))
       ((or 'accept 'fail 'sleep)
        (say (current-output-port) "# accept\n")
        (error-line "inputs ~a\n" (read-line))
        (error-line "outputs ~a\n" (read-line))
        (error-line "end? ~a\n" (eof-object? (read-char)))
        (say (fdes->outport 4) "building~%")
        (match (kind (basename drv ".drv"))
          ('fail (exit 100))
          ('sleep (sleep 1000))
          (_ (exit 0))))
       ('decline (say (current-output-port) "# decline\n"))
       ('postpone (say (current-output-port) "# postpone\n"))
       ('odd (say (current-output-port) "# perhaps\n"))))))

(define (for-each-request proc)
  (match (read-line)
    ((? eof-object?) #t)
    (line
     (proc line)
     (for-each-request proc))))

(setvbuf (current-error-port) 'none)
(match (cdr (command-line))
  (("substitute" "--query")
   (let ((port (fdes->outport 4)))
     (for-each-request (lambda (line) (answer-query port line)))))
  (("substitute" "--substitute")
   (let ((port (fdes->outport 4)))
     (for-each-request (lambda (line) (answer-fetch port line)))))
  (("authenticate") (answer-signing))
  (("offload" . arguments)
   (error-line "arguments ~a\n" (string-join arguments))
   (for-each-request answer-offer)))
