;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Which items running processes use.

(use-modules (fruix config)
             (fruix mentions)
             (fruix process)
             (fruix store busy)
             (ice-9 match)
             (ice-9 rdelim)
             (srfi srfi-1)
             (srfi srfi-64)
             (tests support))

(define (call-with-child directory command environment proc)
  "Call @var{proc} with the number of a process that runs the shell
@var{command} in @var{directory} with @var{environment}, once it has written a
line."
  (match (pipe)
    ((input . output)
     (call-with-process
      (spawn-process "sh" (list "sh" "-c" command)
                     #:directory directory #:environment environment
                     #:output output)
      (lambda (process)
        (close-port output)
        (read-line input)
        (let ((result (proc (process-id process))))
          (kill-process process SIGKILL)
          (wait-process process)
          (close-port input)
          result))))))

(define %environment '("PATH=/bin:/usr/bin"))

(define* (mentions store #:key (directory "/") (command "")
                   (environment '()))
  "Return what a child that does @var{command} mentions of @var{store}."
  (sort (call-with-child directory
                         (string-append command "echo; kill -STOP $$")
                         (append environment %environment)
                         (lambda (pid) (process-mentions pid store)))
        string<?))

(test-begin "busy")

(test-assert "this process is among the processes"
  (memv (getpid) (list-processes)))

(test-equal "a process that is gone uses nothing" '()
  (let ((process (spawn-process "true" '("true"))))
    (let ((pid (process-id process)))
      (wait-process process)
      (process-mentions pid "/usr"))))

(call-with-temporary-directory
 (lambda (directory)
   (define store (string-append (canonicalize-path directory) "/store"))
   (define (in-store name) (string-append store "/" name))
   (mkdir store)
   (mkdir (in-store "item"))
   (mkdir (in-store "item/deep"))
   (call-with-output-file (in-store "file")
     (lambda (port) (display "text\n" port)))

   (test-equal "none at first" '()
     (mentions store))
   (test-equal "a working directory" '("item")
     (mentions store #:directory (in-store "item/deep")))
   (test-equal "an open file" '("file")
     (mentions store
               #:command (string-append "exec 7<" (in-store "file") ";")))
   (when (eq? %platform 'freebsd)
     (test-runner-aux-value! (test-runner-current)
                             "FreeBSD has no names for such files")
     (test-skip 1))
   (test-equal "an open file that was deleted since" '("gone")
     (begin
       (copy-file (in-store "file") (in-store "gone"))
       (mentions store
                 #:command (string-append "exec 7<" (in-store "gone") "; rm "
                                          (in-store "gone") ";"))))
   (test-equal "the environment, several in a variable" '("a-1" "b+2" "c")
     (mentions store
               #:environment
               (list (string-append "LIBRARY=" (in-store "a-1/lib") ":"
                                    (in-store "b+2") ":/usr")
                     (string-append "MORE=x=" (in-store "c")))))
   (test-equal "what may go on behind a name is not part of it" '("d" "d=x")
     (mentions store
               #:environment (list (string-append "D=" (in-store "d=x")))))
   (test-equal "in a store under a root directory, too" '("item")
     (mentions (string-drop store
                            (string-length (dirname store)))
               #:directory (in-store "item")))
   (test-equal "the store's own names are none" '()
     (mentions store
               #:environment
               (list (string-append "D=" (in-store ".links/x")))))
   (test-equal "names that are too long are none, what follows is found"
     '("after")
     (mentions store
               #:environment
               (list (string-append "LONG="
                                    (in-store (make-string 100000 #\x))
                                    ":" (in-store "after")))))
   (test-equal "a name across the pieces in which a file is read" 8000
     (length (mentions store
                       #:environment
                       (map (lambda (n)
                              (format #f "N~a=~a/~a" n store n))
                            (iota 8000)))))

   (copy-file (canonicalize-path "/bin/sleep") (in-store "sleep"))
   (chmod (in-store "sleep") #o755)
   (test-assert "a program"
     (call-with-child "/" (string-append "echo; exec " (in-store "sleep") " 60")
                      %environment
       (lambda (pid)
         (wait-until
          (lambda ()
            (equal? '("sleep") (process-mentions pid store)))))))

   (test-equal "only items count" (list (in-store "item"))
     (call-with-child (in-store "item") "exec 7< ../file; echo; kill -STOP $$"
                      %environment
       (lambda (pid)
         (delete-duplicates
          (busy-items store
                      (lambda (path)
                        (string=? path (in-store "item"))))))))

   ;; The loader is the program then, and the file it was given only mapped.
   (skip-unless (file-exists? "/lib64/ld-linux-x86-64.so.2")
                "needs the loader of glibc on x86_64")
   (test-assert "a mapping"
     (call-with-child "/" (string-append
                           "echo; exec /lib64/ld-linux-x86-64.so.2 "
                           (in-store "sleep") " 60")
                      %environment
       (lambda (pid)
         (wait-until
          (lambda ()
            (equal? '("sleep") (process-mentions pid store)))))))))

(test-end "busy")
