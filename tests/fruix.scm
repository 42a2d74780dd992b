;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; The commands 'fruix' and 'fruix-daemon', as a user runs them: two programs,
;;; a private store, builders from the host.

(use-modules (fruix descriptors)
             (fruix process)
             (fruix store layout)
             (ice-9 match)
             (ice-9 textual-ports)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests daemon-support))

(define %fruix
  (string-append (getenv "abs_top_builddir") "/fruix"))

(define (fruix root . arguments)
  "Run 'fruix' with ARGUMENTS and the daemon under ROOT.  Return its exit code,
output and error output."
  (define errors (string-append root "/errors"))
  (call-with-values make-pipe
    (lambda (input output)
      (let* ((error-port (open-output-file errors))
             (process (spawn-process %fruix
                                     (cons "fruix" arguments)
                                     #:environment
                                     (cons (string-append "FRUIX_ROOT=" root)
                                           (environ))
                                     #:output output #:error error-port))
             (port (fdes->inport input)))
        (close-fdes output)
        (close-port error-port)
        (let ((text (get-string-all port)))
          (close-port port)
          (list (status:exit-val (wait-process process))
                text
                (call-with-input-file errors get-string-all)))))))

(define (lines text)
  (drop-right (string-split text #\newline) 1))

(define (write-text file text)
  (call-with-output-file file
    (lambda (port) (display text port))
    #:encoding "UTF-8")
  file)

(define (write-program root name script . options)
  "Write a file for 'fruix build --file' in ROOT and return its name.  What it
makes is called NAME, runs the shell SCRIPT, and has OPTIONS."
  (define builder
    (write-text (string-append root "/" name ".sh")
                (string-append "#!/bin/sh\nset -e\n" script "\n")))
  (chmod builder #o755)
  (write-text (string-append root "/" name ".scm")
              (object->string
               `(lambda (daemon)
                  (let ((builder (add-to-store daemon ,builder)))
                    (derivation daemon ,name builder '()
                                #:environment '(("PATH" . "/usr/bin:/bin"))
                                #:inputs (list builder)
                                ,@options))))))

(define (run root)
  (define two
    (write-program root "two" "echo working; echo λ > $out; echo $out > $lib"
                   #:outputs ''("lib" "out")))
  (define fails
    (write-program root "fails" "echo going down; exit 3"))
  (define slow
    (write-program root "slow" "sleep 60"))

  (test-equal "nothing runs" '(0 "" "no builds\n")
    (fruix root "ps"))
  (test-equal "a dry run tells what would be built"
    '(0 1 "would be built:\n")
    (match (fruix root "build" "--dry-run" "-f" two)
      ((code output errors)
       (list code (length (lines output)) errors))))

  (let* ((built (fruix root "build" "-f" two))
         (outputs (lines (second built)))
         (lib (find (lambda (file) (string-suffix? "-lib" file)) outputs))
         (out (find (lambda (file) (string-suffix? "-two" file)) outputs))
         (physical (lambda (file) (string-append root file))))
    (test-equal "a build" '(0 2)
      (list (first built) (length outputs)))
    (test-equal "it says so" '("building" "built")
      (map (lambda (line) (first (string-split line #\space)))
           (lines (third built))))
    (test-equal "its output" "λ\n"
      (call-with-input-file (physical out) get-string-all
        #:encoding "UTF-8"))
    (test-equal "the output of another refers to it"
      (list out)
      (filter-map (lambda (line)
                    (and (string-prefix? "    /" line)
                         (string-drop line 4)))
                  (lines (second (fruix root "path-info" lib)))))
    (test-equal "the closure" 2
      (length (filter (lambda (line) (string-contains line "/gnu/store/"))
                      (lines (second (fruix root "path-info" "-r" lib))))))
    (test-equal "the log" '(0 "working\n" "")
      (fruix root "log" out))
    (test-equal "the log, from a daemon elsewhere" '(0 "working\n" "")
      (fruix root "log" "--root=/nonexistent"
             (string-append "--socket=unix://"
                            (layout-socket (make-layout #:root root)))
             out))
    (test-equal "built already" (list 0 (second built) "")
      (fruix root "build" "-f" two))
    (test-equal "one output only" (list 0 (string-append lib "\n") "")
      (match (string-split (first (lines (third built))) #\space)
        (("building" drv)
         (fruix root "build" (string-append drv "!lib"))))))

  (test-equal "a locale that is not installed"
    '(0 "" "no builds\n")
    (let ((before (getenv "LC_ALL")))
      (setenv "LC_ALL" "xx_XX.UTF-8")
      (let ((result (fruix root "ps")))
        (setenv "LC_ALL" before)
        result)))
  (test-equal "a failed build"
    '(100 "" "going down")
    (match (fruix root "build" "--quiet" "-f" fails)
      ((code output errors)
       (list code output
             (and (string-contains errors "  going down\n") "going down")))))
  (test-equal "a build that takes too long" 101
    (first (fruix root "build" "--timeout=1" "-f" slow)))
  (test-equal "a file" (list 0 "contents of a file")
    (match (fruix root "add" (write-text (string-append root "/file")
                                         "contents of a file"))
      ((code output _)
       (list code
             (call-with-input-file
                 (string-append root (string-trim-right output #\newline))
               get-string-all)))))
  (test-equal "an item that is nowhere"
    '(1 "" "fruix build: there is no \
'/gnu/store/00000000000000000000000000000000-none', nor a substitute for it\n")
    (fruix root "build"
           "/gnu/store/00000000000000000000000000000000-none"))
  (test-equal "no log" 1 (first (fruix root "log" "/gnu/store/none"))))

(define (collect root)
  (define two
    (write-program root "two" "echo λ > $out; echo $out > $lib"
                   #:outputs ''("lib" "out")))
  (define result (string-append root "/result"))
  (define second-result (string-append result "-1"))
  (define (build-roots)
    (fruix root "build" "--quiet" (string-append "--gc-root=" result)
           "-f" two))
  (define outputs (lines (second (build-roots))))
  (define out (find (lambda (file) (string-suffix? "-two" file)) outputs))
  (define (there? item)
    (file-exists? (string-append root item)))
  (define (last-line text)
    (last (lines text)))
  (define (modify item)
    (let ((file (string-append root item)))
      (chmod file #o644)
      (write-text file "changed")))

  (test-equal "roots of what was built" outputs
    (map readlink (list result second-result)))
  (test-equal "they are listed"
    (map (lambda (file item) (format #f "~a -> ~a" file item))
         (list result second-result) outputs)
    (lines (second (fruix root "gc" "--list-roots"))))
  (test-assert "they are alive"
    (lset<= string=? outputs (lines (second (fruix root "gc"
                                                   "--list-live")))))
  (let* ((dead (lines (second (fruix root "gc" "--list-dead"))))
         (collected (fruix root "gc")))
    (test-equal "all that is dead is collected"
      (list #t 0 "" (format #f "deleted ~a items" (length dead)))
      (match collected
        ((code output errors)
         (list (pair? dead) code output
               (string-trim (second (string-split (last-line errors)
                                                  #\,)))))))
    (test-equal "no more and no less" '(#f #t)
      (list (any there? dead) (every there? outputs))))
  (test-equal "what is alive is not deleted by name"
    (list 1 "" (format #f "fruix gc: cannot delete path `~a' since it is \
still alive" out))
    (match (fruix root "gc" out)
      ((code output errors) (list code output (last-line errors)))))
  (test-equal "the store is well" '(0 "" "")
    (fruix root "verify" "--contents"))

  (modify out)
  (test-equal "a look at names does not find a changed file" '(0 "" "")
    (fruix root "verify"))
  (test-equal "one at contents does"
    (list 1 "" (format #f "path `~a' was modified!" out)
          "fruix verify: something is wrong with the store")
    (match (fruix root "verify" "--contents")
      ((code output errors)
       (list code output
             (string-take errors (+ 1 (string-index errors #\!)))
             (last-line errors)))))
  (test-equal "it is repaired" '(0 (0 "" ""))
    (list (first (fruix root "verify" "--contents" "--repair"))
          (fruix root "verify" "--contents")))

  (test-equal "a link takes the place of another one" '(0 #t)
    (begin
      (delete-file result)
      (symlink "/nowhere" result)
      (list (first (build-roots))
            (string=? (readlink result) (first outputs)))))
  (test-equal "but not that of a file, and then there are no roots"
    (list (list 1 "" (format #f "fruix build: cannot make the root '~a': \
what is there is no symbolic link\n" second-result))
          #f)
    (begin
      (delete-file result)
      (delete-file second-result)
      (write-text second-result "precious")
      (list (build-roots) (file-exists? result))))

  (test-equal "without links nothing is alive" '(0 "" "")
    (fruix root "gc" "--list-live"))
  (test-equal "one item is deleted, with what refers to it" '(0 #f)
    (list (first (fruix root "gc" out)) (any there? outputs)))
  (test-equal "with a size of 0, nothing"
    '(0 "" "freed 0 B, deleted 0 items")
    (match (fruix root "gc" "--free=0")
      ((code output errors) (list code output (last-line errors)))))
  (test-equal "and then all" '(0 "")
    (list (first (fruix root "gc" "--free=1T"))
          (second (fruix root "gc" "--list-dead")))))

(test-begin "fruix")
(call-with-daemon
 (lambda (daemon)
   (run (layout-root (daemon-layout daemon)))
   (collect (layout-root (daemon-layout daemon))))
 #:options (append %build-users %host-directories '("--max-jobs=2")))
(test-end "fruix")
