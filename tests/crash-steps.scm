;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; A process that adds to a store, or builds, is killed before each of the
;;; calls by which it changes the file system, from the opening of the store to
;;; its closing: see tests/killer.cc.  So each step of recovery meets with what
;;; each step of the work has left.

(use-modules (fruix config)
             (fruix process)
             (fruix store)
             (fruix store layout)
             (ice-9 match)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests crash-support)
             (tests crash-work)
             (tests store-support)
             (tests support))

(define %killer
  (string-append (getenv "abs_top_builddir") "/tests/.libs/killer.so"))

;; How many steps to go from one death to the next: 1 for all of them.
(define %stride
  (string->number (or (getenv "FRUIX_CRASH_STRIDE") "7")))

(define (work-until root what name number)
  "Let another process do the work, and kill it before its call NUMBER; return
true if it died of that."
  (define source (getenv "abs_top_srcdir"))
  (let ((status (wait-process
                 (spawn-process (getenv "GUILE")
                                (list "guile" "--no-auto-compile"
                                      "-L" source
                                      (string-append source
                                                     "/tests/crash-work.scm")
                                      root what name)
                                #:environment
                                (cons* (string-append "LD_PRELOAD=" %killer)
                                       (format #f "FRUIX_KILL_AT=~a" number)
                                       (environ))))))
    (match (status:term-sig status)
      ((? (lambda (signal) (eqv? signal SIGKILL))) #t)
      (#f (unless (zero? status)
            (error "the work failed" what number status))
          #f))))

(define (item? name)
  (eqv? 32 (string-index name #\-)))

(define (leftovers layout)
  "Return what nobody has a use for, when nobody uses the store."
  (append (remove item? (store-strays layout))
          (filter (lambda (name) (string-suffix? ".lock" name))
                  (store-strays layout))
          (directory-entries (layout-temporary-roots-directory layout))
          (let ((directory (layout-temporary-directory layout)))
            (if (file-exists? directory)
                (directory-entries directory)
                '()))))

(define (problems layout what name)
  "Return what is wrong after a death, and after the work was done again."
  (let ((faults (store-faults layout)))
    (call-with-store layout
      (lambda (store) (do-work store (layout-root layout) what name)))
    (append faults (store-faults layout) (leftovers layout))))

(define (crash-at-each-step layout what)
  "Return a list of the number of deaths, and of what was wrong."
  (let loop ((number (+ 1 (random %stride))) (deaths 0) (found '()))
    (let ((name (format #f "~a-~a" what number)))
      (if (work-until (layout-root layout) what name number)
          (loop (+ number %stride) (+ deaths 1)
                (append found
                        (map (lambda (problem) (list what number problem))
                             (problems layout what name))))
          (list deaths found)))))

(define (prepare layout)
  (let ((tree (string-append (layout-root layout) "/tree")))
    (mkdir tree)
    (mkdir (string-append tree "/directory"))
    (call-with-output-file (string-append tree "/directory/file")
      (lambda (port) (display (make-string 10000 #\x) port)))
    (symlink "directory/file" (string-append tree "/link"))
    (call-with-store layout add-static-shell!)))

(define (test-work what)
  (call-with-temporary-directory
   (lambda (root)
     (let ((layout (make-layout #:root root)))
       (prepare layout)
       (match (crash-at-each-step layout what)
         ((deaths found)
          (format #t "~a: killed ~a times~%" what deaths)
          (test-assert (string-append what ": it was killed")
            (positive? deaths))
          (test-equal (string-append what ": no step leaves anything wrong")
            '() found)))))
   #:mode #o755))

(define %possible?
  (and (eq? %platform 'linux) (file-exists? %killer)
       (file-exists? "/bin/busybox")))

(test-begin "crash-steps")
(set! *random-state* (random-state-from-platform))
(skip-unless %possible? "needs Linux and a static shell")
(if %possible?
    (for-each test-work '("text" "tree" "build" "repair"))
    (test-assert "killed at each step" #f))
(test-end "crash-steps")
