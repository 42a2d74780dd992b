;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; The options of the daemon: all that guix-daemon has, with their meanings.

(use-modules (fruix scripts command-line)
             (fruix scripts daemon-options)
             (ice-9 match)
             (srfi srfi-1)
             (srfi srfi-64))

(define (parse . words)
  (parse-daemon-options words))

(define (refusal . words)
  "Return what is wrong with the values in WORDS; it is no matter of usage."
  (with-exception-handler
      (lambda (exception)
        (and (not (usage-error? exception))
             ((@ (fruix errors) exception->text) exception)))
    (lambda () (apply parse words) 'nothing)
    #:unwind? #t))

(test-begin "daemon-options")

(for-each
 (match-lambda
   ((words result)
    (test-equal (string-join words) (list result)
      (apply parse words))))
 '((("--system=i686-linux") (system . "i686-linux"))
   (("--cores=0") (cores . 0))
   (("-c" "8") (cores . 8))
   (("--max-jobs=4") (max-jobs . 4))
   (("-M4") (max-jobs . 4))
   (("--timeout=10") (timeout . 10))
   (("--max-silent-time" "0") (max-silent-time . 0))
   (("--disable-chroot") (chroot? . #f))
   (("--chroot-directory=/bin") (directories "/bin" . "/bin"))
   (("--chroot-directory=/in side=/out") (directories "/in side" . "/out"))
   (("--build-users-group=guixbuild") (group . "guixbuild"))
   (("--no-substitutes") (substitutes? . #f))
   (("--substitute-urls=http://a http://b")
    (substitute-urls . "http://a http://b"))
   (("--substitute-urls=") (substitute-urls . ""))
   (("--no-offload") (offload? . #f))
   (("--no-build-hook") (offload? . #f))
   (("--cache-failures") (cache-failures? . #t))
   (("--rounds=3") (repeat . 2))
   (("--rounds=0") (repeat . 0))
   (("--lose-logs") (keep-logs? . #f))
   (("--log-compression=none") (log-compression . none))
   (("--log-compression=gzip") (log-compression . gzip))
   (("--disable-log-compression") (log-compression . none))
   (("--discover") (discover? . #t))
   (("--discover=NO") (discover? . #f))
   (("--discover=Yes") (discover? . #t))
   (("--disable-deduplication") (deduplicate? . #f))
   (("--disable-store-optimization") (deduplicate? . #f))
   (("--impersonate-linux-2.6") (impersonate-linux-2.6? . #t))
   (("--gc-keep-outputs") (keep-outputs? . #t))
   (("--gc-keep-outputs=no") (keep-outputs? . #f))
   (("--gc-keep-derivations=no") (keep-derivations? . #f))
   (("--listen=localhost:1") (listen . "localhost:1"))
   (("--root=private") (root . "private"))
   (("--debug") (verbosity . 4))
   (("--isolate-host-loopback") (isolate-host-loopback? . #t))
   (("--no-socketcall") (socketcall? . #f))
   (("--help") (tell . help))
   (("-?") (tell . help))
   (("--usage") (tell . usage))
   (("--version") (tell . version))
   (("-V") (tell . version))))

(test-equal "users without accounts" '((40000 . 40001) (40002 . 40003))
  (concatenate (option-values (parse "--build-users=40000:40001"
                                     "--build-users=40002:40003")
                              'users)))
(test-equal "may be repeated" '("/a" "b:1")
  (option-values (parse "--listen=/a" "--listen" "b:1") 'listen))

(test-equal "values that make no sense"
  '("--cores: `many' is not a natural number"
    "--cores: `' is not a natural number"
    "--max-jobs: `-1' is not a natural number"
    "--rounds: `2x' is not a natural number"
    "--discover: `maybe' is neither `yes' nor `no'"
    "--gc-keep-outputs: `' is neither `yes' nor `no'"
    "--chroot-directory: `bin' is not an absolute file name"
    "--chroot-directory: `out' is not an absolute file name"
    "--build-users: `1' is not UID:GID"
    "--log-compression: `zip' is not available")
  (map refusal
       '("--cores=many" "--cores=" "--max-jobs=-1" "--rounds=2x"
         "--discover=maybe" "--gc-keep-outputs=" "--chroot-directory=bin"
         "--chroot-directory=/in=out" "--build-users=1"
         "--log-compression=zip")))
(test-equal "what is not there is taken for what is nearest" 'gzip
  (option-value (parse "--log-compression=bzip2") 'log-compression))

(test-assert "hidden options are not told of"
  (let ((text (daemon-help "guix-daemon")))
    (not (any (lambda (name) (string-contains text name))
              '("--no-build-hook" "--disable-store-optimization"
                "--disable-log-compression")))))
(test-equal "help can be completed from: each option begins a line" '()
  ;; As etc/completion/bash/guix-daemon of Guix does.
  (remove (lambda (name)
            (any (lambda (line)
                   (and (string-prefix? "-" (string-trim line))
                        (string-contains line (string-append "--" name))))
                 (string-split (daemon-help "x") #\newline)))
          '("system" "cores" "max-jobs" "timeout" "max-silent-time"
            "disable-chroot" "chroot-directory" "build-users-group"
            "no-substitutes" "substitute-urls" "no-offload" "cache-failures"
            "rounds" "lose-logs" "log-compression" "discover"
            "disable-deduplication" "impersonate-linux-2.6"
            "gc-keep-outputs" "gc-keep-derivations" "listen" "debug"
            "isolate-host-loopback" "no-socketcall" "help" "usage" "version")))
(test-assert "usage names the command"
  (string-prefix? "Usage: guix-daemon [-c N]" (daemon-usage "guix-daemon")))

(test-end "daemon-options")
