;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; 'fruix gc' and 'fruix verify': usage, and what they make of a daemon's
;;; words.

(use-modules (fruix base16)
             (fruix protocol wire)
             (ice-9 binary-ports)
             (ice-9 match)
             (rnrs bytevectors)
             (srfi srfi-64)
             (tests commands-support))

(test-begin "gc-command")

(test-equal "no size"
  (map (lambda (text)
         (list 2 "" (string-append "fruix gc: '" text "' is not a size\n\
Try 'fruix gc --help'.\n")))
       '("" "much" "G" "-1" "1.5X" "1e3" "1.G"))
  (map (lambda (text) (run "gc" (string-append "--free=" text)))
       '("" "much" "G" "-1" "1.5X" "1e3" "1.G")))
(test-equal "gc does one thing at a time"
  '((2 "" "fruix gc: '--free' does not go with items
Try 'fruix gc --help'.\n")
    (2 "" "fruix gc: '--list-roots' does not go with items
Try 'fruix gc --help'.\n")
    (2 "" "fruix gc: '--list-dead' does not go with '--free'
Try 'fruix gc --help'.\n"))
  (list (run "gc" "--free=1G" "x") (run "gc" "--list-roots" "x")
        (run "gc" "--free=1G" "--list-dead")))
(test-equal "verify has no operands"
  '(2 "" "fruix verify: unexpected argument 'x'
Try 'fruix verify --help'.\n")
  (run "verify" "x"))


;; Space in the store.

(define (reply . integers)
  "Return the bytes of a reply of INTEGERS, as the daemon would write them."
  (call-with-values open-bytevector-output-port
    (lambda (port contents)
      (for-each (lambda (value) (write-long port value))
                (cons %message-last integers))
      (contents))))

(define (told . lines)
  "Return the bytes of messages with LINES."
  (call-with-values open-bytevector-output-port
    (lambda (port contents)
      (for-each (lambda (line)
                  (write-int port %message-next)
                  (write-octets port (string-append line "\n")))
                lines)
      (contents))))

(define* (run-with-replies turns . arguments)
  "Run 'fruix' with ARGUMENTS and a daemon that plays TURNS: the sizes of
requests and the bytes of replies."
  (call-with-daemon-script
      (map (match-lambda
             ((? number? size) `(client ,(make-bytevector size)))
             (bytes `(daemon ,bytes)))
           turns)
    (lambda (socket)
      (apply run (append arguments
                         (list (string-append "--socket=" socket)))))))

;; A list of "/a" and "/b", as of paths.
(define paths '(2 2 #x612f 2 #x622f))

(test-equal "gc tells what the daemon says, and how much was freed"
  '(0 "" "[0 MiB] deleting '/a'\nfreed 2.0 MiB, deleted 2 items\n")
  (run-with-replies (list 64 (told "[0 MiB] deleting '/a'\x1b[2J")
                          (apply reply (append paths '(2097152 0))))
                    "gc"))
(test-equal "gc, with a size" '(0 "" "freed 0 B, deleted 0 items\n")
  (run-with-replies (list 64 (reply 0 0 0)) "gc" "--free=1.5GiB"))
(test-equal "gc, of one item"
  '(0 "" "freed 10 B, deleted 1 item\n")
  (run-with-replies (list 80 (reply 1 2 #x612f 10 0)) "gc" "/a"))
(test-equal "gc lists, and is silent"
  '((0 "/a\n/b\n" "") (0 "/a\n/b\n" ""))
  (map (lambda (option)
         (run-with-replies (list 64 (told "finding roots")
                                 (apply reply (append paths '(0 0))))
                           "gc" option))
       '("--list-dead" "--list-live")))
(test-equal "gc lists roots, whatever their names" '(0 "ab -> /b\n" "")
  (run-with-replies (list 8 (reply 1 5 #x62485b1b61 2 #x622f))
                    "gc" "--list-roots"))
(test-equal "gc, refused" '(1 "" "fruix gc: no\n")
  (run-with-replies (list 64 (base16-string->bytevector "\
707478630000000002000000000000006e6f0000000000000100000000000000"))
                    "gc"))

(define options-size
  ;; What 'set-build-options' sends.
  (call-with-values open-bytevector-output-port
    (lambda (port contents)
      (write-octets-pairs port '(("print-extended-build-trace" . "1")
                                 ("multiplexed-build-output" . "true")))
      (+ (* 8 10) (bytevector-length (contents))))))

(test-equal "verify: all is well, or not"
  '((0 "" "") (1 "" "it is bad\nfruix verify: something is wrong with the \
store\n"))
  (list (run-with-replies (list options-size (reply) 24 (reply 0)) "verify")
        (run-with-replies (list options-size (reply) 24
                                (told "it is bad") (reply 1))
                          "verify" "--contents" "--repair")))

(test-end "gc-command")
