;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Items on their way from one store to another: exported by one daemon,
;;; imported by the next, and what daemons do not let in.  A stand-in for Guix
;;; signs and verifies.

(use-modules (fruix base16)
             (fruix hash)
             (fruix octets)
             (fruix protocol wire)
             (fruix record-lock)
             (fruix store layout)
             (ice-9 match)
             (rnrs bytevectors)
             (rnrs io ports)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests agent-support)
             (tests daemon-support)
             (tests support)
             (tests worker-client))

(define (make-key mode)
  "Return a procedure that makes a secret key of MODE in a layout."
  (lambda (layout)
    (let* ((directory (layout-configuration-directory layout))
           (file (string-append directory "/signing-key.sec")))
      (make-directories directory)
      (call-with-output-file file (const #t))
      (chmod file mode))))

(define (make-directories directory)
  (unless (file-exists? directory)
    (make-directories (dirname directory))
    (mkdir directory)))

(define (add-text port name text . references)
  (result-of port read-octets 8 name text references))

(define (export port sign? . paths)
  "Return the stream of PATHS, as a client makes it of what it is sent."
  (call-with-values open-bytevector-output-port
    (lambda (stream bytes)
      (for-each (lambda (path)
                  (call-with-values
                      (lambda ()
                        (request port read-int 16 path (if sign? 1 0)))
                    (lambda (result log data)
                      (unless (eqv? result 1)
                        (error "export failed" result))
                      (write-int stream 1)
                      (put-bytevector stream (octets->bytevector data)))))
                paths)
      (write-int stream 0)
      (bytes))))

(define* (import port stream #:key (feed (feeder stream)))
  "Have STREAM imported; return the list of paths or the error."
  (say port 27)
  (call-with-values (lambda () (receive-reply port read-octets-list
                                              #:feed feed))
    (lambda (result log data) result)))

(define (bytes-of write)
  (call-with-values open-bytevector-output-port
    (lambda (port bytes)
      (write port)
      (bytes))))

(define* (stream path #:key (contents "text") (references '()) (deriver "")
                 (key "/signing-key.sec") (marker 1) (magic #x4558494e)
                 (archive (regular-file-nar contents)) (end #vu8()))
  "Return a stream with one item, signed with KEY unless that is #f."
  (define signed
    (bytes-of (lambda (port)
                (put-bytevector port archive)
                (write-int port magic)
                (write-octets port path)
                (write-octets-list port references)
                (write-octets port deriver))))
  (bytes-of
   (lambda (port)
     (write-int port marker)
     (put-bytevector port signed)
     (write-int port (if key 1 0))
     (when key
       (write-octets port (string-append
                           "signed:" key ":"
                           (bytevector->base16-string
                            (bytevector-hash 'sha256 signed)))))
     (write-int port 0)
     (put-bytevector port end))))

(define (flipped bytes index)
  "Return BYTES with a bit flipped at INDEX."
  (let ((copy (bytevector-copy bytes)))
    (bytevector-u8-set! copy index
                        (logxor 1 (bytevector-u8-ref copy index)))
    copy))

(define (valid? port path)
  (result-of port read-boolean 1 path))

(define (info port path)
  "Return deriver, hash, references and size of PATH."
  (result-of port
             (lambda (port)
               (let* ((deriver (read-octets port))
                      (hash (read-octets port))
                      (references (read-octets-list port)))
                 (read-int port)
                 (list deriver hash references (read-long port))))
             26 path))

(define (fresh name)
  (string-append "/gnu/store/" (make-string 32 #\a) "-" name))

(define (items daemon)
  (remove (lambda (name) (string-prefix? "." name))
          (directory-entries
           (layout-physical-store (daemon-layout daemon)))))

(define (staged daemon)
  "Return what is in the staging directories of DAEMON."
  (let ((store (layout-physical-store (daemon-layout daemon))))
    (append-map (lambda (name)
                  (if (string-prefix? ".fruix-" name)
                      (directory-entries (string-append store "/" name))
                      '()))
                (directory-entries store))))

;; Contents of several messages.
(define %large (make-string 1000000 #\x))

(define-syntax-rule (test-refused port daemon name fragment stream path)
  "Check that STREAM is refused for a reason with FRAGMENT in it, PATH is not
there, and the session goes on."
  (test-equal name
    '(#t #f #f ())
    (match (import port stream)
      ((message (? positive? status))
       (list (or (->bool (string-contains message fragment)) message)
             (valid? port path)
             (member (basename path) (items daemon))
             (staged daemon)))
      (other other))))

(define (call-with-exported proc)
  "Call PROC with the paths of three items and a signed stream of them."
  (call-with-daemon
   (lambda (daemon)
     (call-with-client daemon
       (lambda (port)
         (set-options port)
         (let* ((one (add-text port "one" "first"))
                (two (add-text port "two" %large one))
                (three (add-text port "three" "third" one two))
                (signed (export port #t one two three)))
           (test-equal "what is exported is the same each time"
             signed
             (export port #t one two three))
           (proc (list one two three) signed
                 (map (lambda (path) (info port path))
                      (list one two three)))))))
   #:prepare (make-key #o600)))

(define (test-imports daemon port paths signed infos)
  (test-equal "items without those that they refer to are refused"
    `(#t ())
    (match (import port (stream (third paths)
                                #:references (take paths 2)))
      ((message 1)
       (list (->bool (string-contains message "not valid"))
             (items daemon)))))

  (test-equal "items are imported in order"
    paths
    (import port signed))
  (test-equal "they are what they were"
    infos
    (map (lambda (path) (info port path)) paths))
  (test-equal "they can be imported again"
    paths
    (import port signed))
  (test-equal "nothing else is left"
    (list (sort (map basename paths) string<?) '())
    (list (items daemon) (staged daemon)))

  (let ((path (fresh "derived")))
    (test-equal "a deriver that is not valid is forgotten"
      (list (list path) "")
      (let ((result (import port (stream path #:deriver (fresh "x.drv")))))
        (list result (first (info port path))))))
  (let ((path (fresh "derived-from")))
    (test-equal "a deriver that is valid is kept"
      (list (list path) (first paths))
      (let ((result (import port (stream path #:deriver (first paths)))))
        (list result (first (info port path))))))
  (let ((path (fresh "reflexive")))
    (test-equal "an item may refer to itself"
      (list (list path) (list path))
      (let ((result (import port (stream path #:references (list path)))))
        (list result (third (info port path))))))
  (let ((path (fresh "trailing")))
    (test-equal "what follows the end is dropped"
      (list (list path) #t)
      (let ((result (import port (stream path #:end #vu8(1 2 3)))))
        (list result (valid? port path)))))
  (let ((path (fresh (make-string 211 #\x))))
    (test-equal "a name may be as long as one that is added"
      (list path)
      (import port (stream path))))
  (test-equal "no items are imported from an empty stream"
    '()
    (import port (bytes-of (lambda (port) (write-int port 0))))))

(define (test-refusals daemon port)
  (define path (fresh "refused"))
  (define good (stream path #:contents %large))
  (define drv (fresh "refused.drv"))
  (test-refused port daemon "an item without a signature"
    "lacks a signature" (stream path #:key #f) path)
  (test-refused port daemon "an item that somebody else has signed"
    "unauthorized public key" (stream path #:key "mine") path)
  (test-refused port daemon "an item whose contents are not what was signed"
    "corrupt" (flipped good 500000) path)
  (test-refused port daemon "an item whose name is not what was signed"
    "corrupt"
    (flipped good (- (bytevector-length good) 176 32 64))
    path)
  (test-refused port daemon "a name outside the store"
    "cannot be the name" (stream "/etc/passwd") path)
  (test-refused port daemon "a name that hides in the store"
    "cannot be the name" (stream "/gnu/store/.links") path)
  (test-refused port daemon "a name without a hash part"
    "cannot be the name" (stream "/gnu/store/trash") "/gnu/store/trash")
  (test-refused port daemon "a name below that of an item"
    "cannot be the name" (stream (string-append path "/x")) path)
  (test-refused port daemon "a reference outside the store"
    "not" (stream path #:references '("/etc/passwd")) path)
  (test-refused port daemon "another marker"
    "not a list of exported items" (stream path #:marker 2) path)
  (test-refused port daemon "another magic number"
    "not what a store has exported" (stream path #:magic 7) path)
  (test-refused port daemon "something else than an archive"
    "invalid archive" (stream path #:archive (make-bytevector 64 1)) path)
  (test-refused port daemon "a stream that ends early"
    "ends too early"
    (bytes-of (lambda (port) (put-bytevector port good 0 400000))) path)
  (test-refused port daemon "a list too long to be true"
    "invalid data: list too long"
    (bytes-of (lambda (port)
                (write-int port 1)
                (put-bytevector port (regular-file-nar "x"))
                (write-int port #x4558494e)
                (write-octets port path)
                (write-int port (expt 2 31))))
    path)
  (test-refused port daemon "a derivation that is none"
    "" (stream drv #:contents "hello") drv)
  (test-refused port daemon "a derivation with wrong outputs"
    "" (stream drv
               #:contents (string-append
                           "Derive([(\"out\",\"" (fresh "x")
                           "\",\"\",\"\")],[],[],\"x86_64-linux\",\"/bin/sh\",\
[],[(\"out\",\"" (fresh "x") "\")])"))
    drv)
  (test-equal "a message longer than what was asked for ends the session"
    '("string too long" #t)
    (call-with-client daemon
      (lambda (port)
        (match (import port #f #:feed (lambda (port count)
                                        (write-int port (+ count 1))
                                        (force-output port)))
          ((message 1)
           (list (string-take message (string-length "string too long"))
                 (eof-object? (get-u8 port))))))))
  (let ((first (fresh "before")))
    (test-equal "those before one that is refused stay"
      '(#t #f)
      (let* ((one (stream first))
             (both (bytes-of
                    (lambda (port)
                      (put-bytevector port one 0
                                      (- (bytevector-length one) 8))
                      (put-bytevector port (stream path #:key #f))))))
        (import port both)
        (list (valid? port first) (valid? port path))))))

(define (test-export-refusals)
  (define (outcome prepare)
    (call-with-daemon
     (lambda (daemon)
       (call-with-client daemon
         (lambda (port)
           (let* ((path (add-text port "one" "first"))
                  (error (result-of port read-int 16 path 1)))
             (list (first error) (valid? port path))))))
     #:prepare prepare))
  (define (told fragment outcome)
    (match outcome
      ((message goes-on?)
       (list (or (->bool (string-contains message fragment)) message)
             goes-on?))))
  (test-equal "without a key nothing is signed"
    '(#t #t)
    (told "no key" (outcome (const #t))))
  (test-equal "a key that others may read signs nothing"
    '(#t #t)
    (told "can be used by others" (outcome (make-key #o640)))))

(define (call-with-file-locks locks thunk)
  (match locks
    (() (thunk))
    (((file mode) . rest)
     (call-with-file-lock file mode
       (lambda () (call-with-file-locks rest thunk))))))

(define (held-lock-imported? held)
  "Import an item whose lock this process holds, with HELD in the daemon's
environment; return whether that is done at once."
  (define path (fresh "locked"))
  (when held
    (setenv "NIX_HELD_LOCKS" held))
  (dynamic-wind
    (const #t)
    (lambda ()
      (call-with-daemon
       (lambda (daemon)
         (define file
           (string-append (physical (daemon-layout daemon) path) ".lock"))
         (call-with-client daemon
           (lambda (port)
             (call-with-file-locks
              `((,(layout-big-lock (daemon-layout daemon)) shared)
                (,file exclusive))
              (lambda ()
                (say port 27)
                ((feeder (stream path))
                 port (begin (read-int port) (read-int port)))
                ;; A slow system takes some time for what is done at once.
                (pair? (car (select (list port) '() '()
                                    (if held 60 2)))))))))))
    (lambda () (unsetenv "NIX_HELD_LOCKS"))))

(test-begin "import")

(call-with-stand-in
 (lambda (program)
   (call-with-exported
    (lambda (paths signed infos)
      (call-with-daemon
       (lambda (daemon)
         (call-with-client daemon
           (lambda (port)
             (set-options port)
             (test-imports daemon port paths signed infos)
             (test-refusals daemon port)))))))
   (test-export-refusals)
   (test-equal "who holds the lock of an item delays its import"
     #f
     (held-lock-imported? #f))
   (test-equal "unless it is the daemon's parent"
     #t
     (held-lock-imported? (string-append "x " (fresh "locked"))))))

(test-end "import")
