;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; 'fruix build': have derivations built and store items fetched; tell of it
;;; meanwhile on standard error; print what came of it.
;;; Code:

(define-module (fruix scripts build)
  #:use-module (fruix client)
  #:use-module (fruix client plan)
  #:use-module ((fruix errors) #:select (fail))
  #:use-module (fruix scripts progress)
  #:use-module (fruix scripts roots)
  #:use-module (fruix scripts support)
  #:use-module ((fruix store path) #:select (derivation-path?))
  #:use-module (ice-9 format)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:export (main))

(define %options
  (list (valued 'files #\f "file")
        (valued 'root-file "gc-root")
        (flag 'keep-failed #\K "keep-failed")
        (flag 'keep-going #\k "keep-going")
        (flag 'dry-run #\n "dry-run")
        (flag 'check "check")
        (number-valued 'max-jobs #\M "max-jobs")
        (number-valued 'cores #\c "cores")
        (number-valued 'timeout "timeout")
        (number-valued 'max-silent-time "max-silent-time")
        (number-valued 'verbosity #\v "verbosity")
        (flag 'quiet #\q "quiet")))

(define %help "\
Usage: fruix build [OPTION]… ITEM…
Build each ITEM, and print the names of the results.  An ITEM is a .drv,
possibly followed by '!' and names of outputs separated by commas, or another
item of the store.

  -f, --file=FILE        build what the Scheme FILE evaluates to: a procedure
                         that takes a connection and returns a derivation or a
                         list of them; FILE sees (fruix client)
      --gc-root=FILE     make FILE a link to the first result, FILE-1 to the
                         next and so on: while these are there, the results
                         are no garbage
  -K, --keep-failed      keep the directories of failed builds
  -k, --keep-going       go on when a build fails
  -n, --dry-run          only list what would be built
      --check            build again what is there, and compare
  -M, --max-jobs=N       run at most N builds at a time
  -c, --cores=N          let each build use N processors
      --timeout=SECONDS  give up builds that take longer
      --max-silent-time=SECONDS
                         give up builds that write nothing for so long
  -v, --verbosity=N      0: tell of failures only; 1: of builds, the default;
                         2: show what builders write
  -q, --quiet            the same as --verbosity=0

The exit code is 100 if a builder failed, 101 if one took too long, and 1 for
any other failure.
")

(define (evaluate-file file)
  "Return what the Scheme FILE evaluates to."
  (let ((module (make-fresh-user-module)))
    (module-use! module (resolve-interface '(fruix client)))
    (save-module-excursion
     (lambda ()
       (set-current-module module)
       (primitive-load file)))))

(define (file->things file daemon)
  "Return the file names of the derivations that FILE makes with DAEMON."
  (define (thing->file thing)
    (if (store-derivation? thing)
        (derivation-file-name thing)
        (fail "'~a' does not make a derivation, but ~s" file thing)))
  (match (evaluate-file file)
    ((? procedure? make)
     (match (make daemon)
       ((things ...) (map thing->file things))
       (thing (list (thing->file thing)))))
    (value
     (fail "'~a' does not evaluate to a procedure, but to ~s" file value))))

(define (thing-outputs daemon thing)
  "Return the store file names that THING, something to build, stands for."
  (match (string-split thing #\!)
    ((file names)
     (let ((outputs (derivation-file-outputs daemon file)))
       (map (lambda (name)
              (or (assoc-ref outputs name)
                  (fail "'~a' has no output '~a'" file name)))
            (string-split names #\,))))
    ((file)
     (if (derivation-path? file)
         (query-derivation-outputs daemon file)
         (list (if (valid-path? daemon file)
                   file
                   (fail "there is no '~a', nor a substitute for it"
                         file)))))))

(define (set-options daemon options)
  (set-build-options daemon
                     #:keep-failed? (assq-ref options 'keep-failed)
                     #:keep-going? (assq-ref options 'keep-going)
                     #:max-jobs (assq-ref options 'max-jobs)
                     #:cores (assq-ref options 'cores)
                     #:timeout (assq-ref options 'timeout)
                     #:max-silent-time (assq-ref options 'max-silent-time)))

(define (verbosity options)
  (if (assq-ref options 'quiet)
      0
      (or (assq-ref options 'verbosity) 1)))

(define (display-plan daemon things)
  (match (derivations-to-build daemon things)
    (() (format (current-error-port) "nothing would be built~%"))
    (derivations
     (format (current-error-port) "would be built:~%")
     (format #t "~{~a~%~}" derivations))))

(define (wanted-root options)
  "Return the name of the root that OPTIONS ask for, or #f; raise an error if
it cannot be made, which is better known before a long build."
  (let ((root (and=> (assq-ref options 'root-file) root-name)))
    (when root
      ;; The daemon of another machine does not see it.
      (option-control-socket options)
      (check-root root))
    root))

(define (build daemon things root options)
  (set-options daemon options)
  (call-with-progress
   (lambda ()
     (build-things daemon things
                   (if (assq-ref options 'check) 'check 'normal)))
   #:verbosity (verbosity options))
  (let ((outputs (delete-duplicates
                  (append-map (lambda (thing) (thing-outputs daemon thing))
                              things))))
    (when root
      (add-roots daemon outputs root))
    (format #t "~{~a~%~}" outputs)))

(define (main arguments)
  "Build what @var{arguments}, a list of strings, asks for.  Return the exit
code."
  (run-command
   "fruix build" arguments %options %help
   (lambda (options items)
     (define files (option-values options 'files))
     (define root (wanted-root options))
     (when (and (null? items) (null? files))
       (usage-error "nothing to build"))
     (call-with-daemon options
       (lambda (daemon)
         (let ((things (append items
                               (append-map (lambda (file)
                                             (file->things file daemon))
                                           files))))
           (if (assq-ref options 'dry-run)
               (display-plan daemon things)
               (build daemon things root options))))))))
