;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; The set-options request of clients old and new.

(use-modules (fruix alist)
             (fruix errors)
             (fruix protocol wire)
             (fruix session settings)
             (ice-9 binary-ports)
             (ice-9 exceptions)
             (ice-9 format)
             (srfi srfi-64))

(define (options minor fields pairs)
  "Return the settings after a client of version MINOR sent FIELDS, a list of
integers, and PAIRS."
  (call-with-values open-bytevector-output-port
    (lambda (port bytes)
      (for-each (lambda (field) (write-int port field)) fields)
      (when pairs
        (write-octets-pairs port pairs))
      (let ((input (open-bytevector-input-port (bytes))))
        (let ((changes (read-settings input minor)))
          (and (eof-object? (lookahead-u8 input))
               (override %default-settings changes)))))))

(define (today . pairs)
  (options #x64 '(0 0 0 0 0 0 0 0 0) pairs))

(define (refused? . pairs)
  (guard (condition ((protocol-violation? condition) #t))
    (apply today pairs)
    #f))

(define (look settings . names)
  (map (lambda (name) (setting settings name)) names))

(test-begin "settings")

(test-equal "fields of today's client" '(#t #f 3 2 #t)
  (look (options #x64 '(1 0 1 3 1 2 0 1 1) '())
        'keep-failed? 'keep-going? 'verbosity 'build-verbosity
        'print-build-trace?))
(test-equal "a client before 0x61 sends limits as fields" '(5 30 4)
  (look (options #x60 '(0 0 0 5 1 30 0 0 0 0 4 0) '())
        'verbosity 'max-silent-time 'cores))
(test-equal "the first clients send six fields" '(#f #t)
  (look (options 1 '(0 1 0 0 1 0) #f) 'keep-failed? 'keep-going?))

(test-equal "named settings" '(12 60 7 #t 2)
  (look (today '("build-cores" . "12") '("build-timeout" . "60")
               '("build-max-silent-time" . "7")
               '("multiplexed-build-output" . "true")
               '("build-repeat" . "2"))
        'cores 'timeout 'max-silent-time 'multiplexed? 'repeat))
(test-equal "settings for other programs"
  '((#f) (("locale" . "C") ("substitute-urls" . "file:///x")))
  (let ((settings (today '("locale" . "en") '("substitute-urls" . "file:///x")
                         '("locale" . "C"))))
    (list (look settings 'max-jobs)
          (sort (setting settings 'agent-options)
                (lambda (a b) (string<? (car a) (car b)))))))
(test-equal "a client's own limit" '(7)
  (look (today '("build-max-jobs" . "7")) 'max-jobs))
(test-equal "what a client wants is told apart from what holds"
  '("https://example.org" "file:///x" "false")
  (let ((options (agent-options
                  (override (today '("substitute-urls" . "file:///x"))
                            '((substitute-urls . "https://example.org")))
                  #f)))
    (map (lambda (name) (assoc-ref options name))
         '("substitute-urls" "untrusted-substitute-urls" "discover"))))
(test-equal "a trusted client has its way" '("file:///x" #f)
  (let ((options (agent-options (today '("substitute-urls" . "file:///x"))
                                #t)))
    (map (lambda (name) (assoc-ref options name))
         '("substitute-urls" "untrusted-substitute-urls"))))
(test-equal "a later request keeps what it does not mention"
  '("C" "file:///y")
  (let ((settings (change-settings
                   (today '("locale" . "C") '("substitute-urls" . "file:///x"))
                   '((agent-options
                      . (("substitute-urls" . "file:///y")))))))
    (map (lambda (name) (assoc-ref (setting settings 'agent-options) name))
         '("locale" "substitute-urls"))))
(test-equal "what other programs are told does not grow without end"
  '(#t #f)
  (let ((many (lambda (from count)
                `((agent-options
                   . ,(map (lambda (n)
                             (cons (format #f "~5,'0d" n)
                                   (make-string 93 #\x)))
                           (iota count from)))))))
    ;; A hundred bytes each.
    (let ((settings (change-settings %default-settings (many 0 655))))
      (map (lambda (changes)
             (guard (condition ((fruix-error? condition) #f))
               (and (change-settings settings changes) #t)))
           (list (many 654 1) (many 655 1))))))
(test-equal "both the daemon and the client must want substitutes"
  '(#t #f #f)
  (map (lambda (changes)
         (substitutes-wanted? (override %default-settings changes)))
       '(() ((substitutes? . #f)) ((wants-substitutes? . #f)))))

(test-equal "the last value of a setting holds" '(2)
  (look (today '("build-cores" . "1") '("build-cores" . "2")) 'cores))

(for-each (lambda (text)
            (test-assert (string-append "no number: '" text "'")
              (refused? `("build-cores" . ,text))))
          '("" "x" "1 " "-1" "1e3" "99999999999999999999"))
(test-assert "no boolean" (refused? '("multiplexed-build-output" . "1")))

(test-equal "what the builder needs" '(0 86400 3600 #f #t (1000 . 100))
  (let ((options (build-options %default-settings 1000 100 #f)))
    (map (lambda (name) (assq-ref options name))
         '(cores timeout max-silent-time keep-failed? offload? client))))

(test-end "settings")
