;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; The commands: what people see, and exit codes.

(use-modules (fruix base16)
             (fruix client)
             (fruix errors)
             (fruix protocol wire)
             (fruix scripts progress)
             (fruix scripts text)
             (ice-9 binary-ports)
             (ice-9 match)
             (ice-9 regex)
             (rnrs bytevectors)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests commands-support)
             (tests support))

(test-begin "commands")


;; Usage.

(test-equal "no command"
  '(2 "" "fruix: missing command\nTry 'fruix --help'.\n")
  (run))
(test-equal "unknown command"
  '(2 "" "fruix: unknown command 'bulid'\nTry 'fruix --help'.\n")
  (run "bulid"))
(test-equal "unknown options"
  '((2 "" "fruix add: unrecognized option `--x'\nTry 'fruix add --help'.\n")
    (2 "" "fruix add: invalid option -- `x'\nTry 'fruix add --help'.\n"))
  (list (run "add" "--x") (run "add" "-x")))
(test-equal "an option before the command"
  '(2 "" "fruix: unrecognized option `--x'\nTry 'fruix --help'.\n")
  (run "--x" "ps"))
(test-equal "an argument too few, and one too many"
  '((2 "" "fruix ps: option `--root' requires an argument
Try 'fruix ps --help'.\n")
    (2 "" "fruix build: option `-M' requires an argument
Try 'fruix build --help'.\n")
    (2 "" "fruix build: option `--check' doesn't allow an argument
Try 'fruix build --help'.\n"))
  (list (run "ps" "--root") (run "build" "-M") (run "build" "--check=x")))
(test-equal "not a number"
  (map (lambda (text)
         (list 2 "" (string-append "fruix build: '" text "' is not a number\n\
Try 'fruix build --help'.\n")))
       '("many" "" "1.5" "-1"))
  (map (lambda (text) (run "build" "-M" text "x"))
       '("many" "" "1.5" "-1")))
(test-equal "nothing to do" '(2 2 2 2)
  (map first (list (run "build") (run "add") (run "path-info") (run "log"))))
(test-equal "too much to do" '(2 2 2)
  (map first (list (run "ps" "x") (run "log" "a" "b") (run "doctor" "x"))))
(test-equal "unknown hash" 2
  (first (run "add" "--hash=md4" "--socket=/nonexistent" "x")))
(test-equal "every command has help" '()
  (remove (lambda (command)
            (match (run command "--help")
              ((0 text "")
               (and (string-prefix? (string-append "Usage: fruix " command)
                                    text)
                    (string-contains text "--socket=ADDRESS")
                    #t))))
          '("build" "log" "path-info" "ps" "add" "gc" "verify")))
(test-equal "no daemon"
  '(1 "" "fruix add: cannot connect to the daemon at '/nonexistent': \
No such file or directory\n")
  (run "add" "--socket=/nonexistent" "/etc/passwd"))
(test-equal "the control socket is beside the socket"
  '(1 "" "fruix ps: cannot connect to the daemon at \
'/nonexistent/control': No such file or directory\n")
  (run "ps" "--socket=/nonexistent/socket"))
(test-equal "also when that is a URI"
  (run "ps" "--socket=/nonexistent/socket")
  (run "ps" "--socket=unix:///nonexistent/socket"))
(test-equal "an address without the number of a port"
  '(1 "" "fruix add: cannot connect to 'host:x': no valid port\n")
  (run "add" "--socket=guix://host:x" "/etc/passwd"))
(test-equal "other machines have none"
  '(1 "" "fruix ps: 'guix://localhost' is no daemon of this machine\n")
  (run "ps" "--socket=guix://localhost"))
(test-equal "--root is where the daemon is"
  '(1 "" "fruix ps: cannot connect to the daemon at \
'/nonexistent/var/guix/daemon-socket/control': No such file or directory\n")
  (run "ps" "--root=/nonexistent"))


(test-equal "a request that was broken off is the last"
  '("wrong-type-arg" "the connection to the daemon is closed")
  (call-with-daemon-script '()
    (lambda (socket)
      (call-with-connection
       (lambda (daemon)
         (list (catch #t
                 (lambda () (add-text-to-store daemon 'name "text"))
                 (lambda (key . _) (symbol->string key)))
               (with-exception-handler exception->text
                 (lambda () (valid-path? daemon "/gnu/store/x"))
                 #:unwind? #t)))
       socket))))

(define drv "/gnu/store/9ly2hx65g7s9a6r5b3xargsgxxq0q6iw-ok.drv")
(define shell "/gnu/store/7rn2da2dnrdg09mla5zbsrg7jvz54hmr-sh")
(define info-turns
  `((client ,(make-bytevector 64))
    (daemon ,(base16-string->bytevector "\
73746c6100000000000000000000000040000000000000003634623931396562386264\
37316161383661386463653262666563323130356361633830643633623232306630\
3233393530656538363030313365306365333600000000000000\
00da5a026b00000000c0b7230000000000"))))

(setenv "TZ" "UTC")
(tzset)
(test-equal "path-info tells"
  `(0 ,(string-append shell "
  size:       2.2 MiB
  hash:       sha256:0dnfw09h11pfa0wh43r27gb81b2w231gwayfimmah6npigmikfb4
  registered: 2026-11-22 03:00:42
  deriver:    none known
  references: none
") "")
  (call-with-daemon-script info-turns
    (lambda (socket)
      (run "path-info" (string-append "--socket=" socket) shell))))

(define (info-reply references)
  (call-with-values open-bytevector-output-port
    (lambda (port contents)
      (write-int port %message-last)
      (write-octets port drv)
      (write-octets port (make-string 64 #\0))
      (write-octets-list port references)
      (write-int port 0)
      (write-long port 1023)
      (contents))))

(test-equal "path-info tells of deriver and references"
  `(0 ,(string-append shell "
  size:       1023 B
  hash:       sha256:0000000000000000000000000000000000000000000000000000
  registered: 1970-01-01 00:00:00
  deriver:    " drv "
  references:
    /a
    " shell "
") "")
  (call-with-daemon-script `((client ,(make-bytevector 64))
                             (daemon ,(info-reply (list "/a" shell))))
    (lambda (socket)
      (run "path-info" (string-append "--socket=" socket) shell))))

(define failure
  (base16-string->bytevector "\
707478630000000002000000000000006e6f0000000000006400000000000000"))

(test-equal "the status of a failed build is the exit code"
  '(100 "" "fruix path-info: no\n")
  (call-with-daemon-script `((client ,(make-bytevector 64))
                             (daemon ,failure))
    (lambda (socket)
      (run "path-info" (string-append "--socket=" socket) shell))))


;; Roots.

(define (root-complaint proc)
  "Return what 'fruix build' complains of when it is to make a root FILE:
what PROC returns for a directory.  The directory stands for DIRECTORY."
  (call-with-temporary-directory
   (lambda (directory)
     (match (run "build" (string-append "--gc-root=" (proc directory)) "/x")
       ((1 "" text)
        (regexp-substitute/global #f (regexp-quote directory) text
                                  'pre "DIRECTORY" 'post))))))

(test-equal "a root takes no file's place"
  "fruix build: cannot make the root 'DIRECTORY/x': what is there is no \
symbolic link\n"
  (root-complaint (lambda (directory)
                    (let ((file (string-append directory "/x")))
                      (close-port (open-output-file file))
                      file))))
(test-equal "a root in no directory"
  "fruix build: cannot make the root 'DIRECTORY/no/x': No such file or \
directory\n"
  (root-complaint (lambda (directory)
                    (string-append directory "/no/x"))))
(test-equal "a root for a daemon that does not see it"
  '(1 "" "fruix build: 'guix://localhost' is no daemon of this machine\n")
  (run "build" "--gc-root=x" "--socket=guix://localhost" "/x"))

;; The control socket.

(define (run-with-control-reply reply . arguments)
  "Run 'fruix' with ARGUMENTS and a daemon whose control socket says REPLY."
  (call-with-script `((client ,(string->utf8
                                "(fruix-control (version 0) (ps))\n"))
                      (daemon ,(string->utf8 reply)))
    (lambda (socket)
      (let* ((root (dirname socket))
             (directory (string-append root "/var/guix/daemon-socket")))
        (mkdir (string-append root "/var"))
        (mkdir (string-append root "/var/guix"))
        (mkdir directory)
        (symlink socket (string-append directory "/control"))
        (apply run (append arguments
                           (list (string-append "--root=" root))))))))

(define since (- (current-time) 7510))

(test-equal "ps lists what runs and waits"
  '(0 "running    build         2h05m  ok  for 61234 (7), 61235 (8)
starting   build         2h05m  ok  for 61234 (7)
queued     build         2h05m  hello-2.12  for nobody
" "")
  (run-with-control-reply
   (format #f "(fruix-control-reply (version 0) (ps \
(build (kind build) (path \"/gnu/store/9ly2hx65g7s9a6r5b3xargsgxxq0q6iw-ok.drv\") \
(phase running) (since ~a) (builder 9) (clients (61234 7) (61235 8))) \
(build (kind build) (path \"/gnu/store/9ly2hx65g7s9a6r5b3xargsgxxq0q6iw-ok.drv\") \
(phase running) (since ~a) (clients (61234 7))) \
(build (kind build) (path \"/gnu/store/9ly2hx65g7s9a6r5b3xargsgxxq0q6iw-\
hello-2.12.drv\") (phase queued) (since ~a) (clients))))\n"
           since since since)
   "ps"))
(test-equal "ps, idle" '(0 "" "no builds\n")
  (run-with-control-reply "(fruix-control-reply (version 0) (ps))\n" "ps"))
(test-equal "ps, refused" '(1 "" "fruix ps: busy\n")
  (run-with-control-reply
   "(fruix-control-reply (version 0) (error \"busy\"))\n" "ps"))
(test-equal "ps, nonsense"
  '(1 "" "fruix ps: the daemon does not answer on its control socket\n")
  (run-with-control-reply "what?\n" "ps"))


;; Progress.

(define (watched verbosity stream)
  "Return what people see of STREAM, a string, from a daemon."
  (let ((port (open-output-string)))
    (call-with-progress
     (lambda ()
       (put-bytevector (current-build-output-port) (string->utf8 stream)))
     #:verbosity verbosity #:port port)
    (get-output-string port)))

(define started (string-append "@ build-started " drv " - s /log/x.gz 7\n"))
(define ended (string-append "@ build-succeeded " drv " -\n"))
(define (wrote text)
  (format #f "@ build-log 7 ~a\n~a"
          (bytevector-length (string->utf8 text)) text))

(test-equal "a build"
  (string-append "building " drv "\nbuilt " drv " in 0s\n")
  (watched 1 (string-append started (wrote "one\ntwo\n") ended)))
(test-equal "a build, with what it writes"
  (string-append "building " drv "\nok> one\nok> λ red ]0;\n"
                 "built " drv " in 0s\n")
  (watched 2 (string-append started (wrote "one\nλ")
                            (wrote " \x1b[31mred\x1b[0m \x1b]0;\x07\n")
                            ended)))
(test-equal "quietly" "" (watched 0 (string-append started ended "text\n")))
(test-equal "a failed build, with the end of its log"
  (string-append "failed " drv " after 0s\nthe last lines of its log:\n"
                 (string-concatenate
                  (map (lambda (n) (format #f "  ~a\n" n))
                       '(4 5 6 7 8 9 10 11 12 13)))
                 "its log: /log/x.gz\n")
  (watched 0 (string-append started
                            (wrote (string-join (map number->string
                                                     (iota 14))
                                                "\n"))
                            "@ build-failed " drv " - 1 no\n")))
(test-equal "a failure before the start"
  (string-append "failed " drv "\nit failed earlier\n")
  (watched 1 (string-append "@ build-failed " drv " - cached\n")))

(test-equal "sizes" '("0 B" "1023 B" "1.0 KiB" "2.5 MiB" "3072.0 MiB")
  (map size->text (list 0 1023 1024 2621440 (* 3 (expt 2 30)))))
(test-equal "what sizes mean"
  (list 0 1024 1024 1536 (* 5 (expt 2 20)) (expt 2 30) (expt 2 40)
        1000 1000 1500000 (expt 10 9) (expt 10 12) #f)
  (map text->size '("0" "1K" "1k" "1.5KiB" "5M" "1GiB" "1T"
                    "1kB" "1KB" "1.5MB" "1GB" "1TB" "1B")))
(test-equal "durations" '("0s" "59s" "1m00s" "1m03s" "59m59s" "2h05m")
  (map duration->text '(0 59 60 63 3599 7530)))
(test-equal "words of strangers" "a\tbold [[dw"
  (printable "a\tb\x1b[1;31mo\x07l\x1b[0md\r \x9b[[dw"))
(test-equal "names" '("hello-2.12" "plain")
  (map item-name
       '("/gnu/store/9ly2hx65g7s9a6r5b3xargsgxxq0q6iw-hello-2.12.drv"
         "/plain")))

(test-end "commands")
