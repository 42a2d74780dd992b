;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; No program in a sandbox on Linux is one outside, to which a magic link leads,
;;; nor does such a one interpret what "#!" names, which may be a script again.

(use-modules (fruix config)
             (fruix sandbox)
             (srfi srfi-64)
             (tests sandbox-support)
             (tests support))

(define (script interpreter)
  (string-append "#!" interpreter "\n"))

(define (chain length last)
  "Return LENGTH scripts, as files of a sandbox, each the interpreter of the one
before; LAST is that of the last one."
  (map (lambda (i)
         (list (format #f "/gnu/store/~a" i)
               (script (if (= (+ i 1) length)
                           last
                           (format #f "/gnu/store/~a" (+ i 1))))
               #o755))
       (iota length)))

(define (refusal name errno)
  (list "interpreters" errno
        (format #f "sandbox: interpreters: ~a: ~a" name (strerror errno))))

(define %magic (refusal "openat2: /proc/self/exe" ELOOP))

(define* (run mode files #:key (program "/gnu/store/0")
              (program-directory "/gnu/store"))
  "Return what comes of PROGRAM in a sandbox with FILES: an exit code, or the
error."
  (define status #f)
  (call-with-sandbox-directory
   (lambda (directory)
     (define box
       (with-field (with-field (simple-sandbox mode directory) 'files files)
                   'program-directory program-directory))
     (or (fault-of (lambda ()
                     (set! status
                           (run-in-sandbox box '("program") #:program program
                                           #:input #f #:output #f
                                           #:error #f))))
         (status:exit-val status)))))

(define (test-interpreters mode)
  (define (test what expected files . options)
    (test-equal (format #f "~a: ~a" mode what) expected
      (apply run mode files options)))
  (test "a program that is a magic link" %magic '()
        #:program "/proc/self/exe" #:program-directory #f)
  (for-each (lambda (length)
              (test (format #f "~a scripts before a magic link" length) %magic
                    (chain length "/proc/self/exe")))
            '(1 2 5))
  (test "arguments and space around its name" %magic
        (chain 1 " \t/proc/self/exe\t-c"))
  (test "a name without an end" %magic
        '(("/gnu/store/0" "#!/proc/self/exe" #o755)))
  (test "a relative name" (refusal "openat2: ./proc/1/exe" ELOOP)
        (chain 1 "./proc/1/exe"))
  (test "a directory behind a magic link"
        (refusal "openat2: /proc/self/root/gnu/store/item/probe" ELOOP)
        (chain 1 "/proc/self/root/gnu/store/item/probe"))
  (test "what is there, after as many as the kernel follows" 0
        (chain 5 "/gnu/store/item/probe"))
  (test "one more" (refusal "interpreters: /gnu/store/0" ELOOP)
        (chain 6 "/gnu/store/item/probe"))
  (test "a program that is missing"
        (list "execve" ENOENT (format #f "sandbox: execve: /gnu/store/0: ~a"
                                      (strerror ENOENT)))
        '() #:program-directory #f)
  (test "one that is missing" (refusal "openat2: /nowhere" ENOENT)
        (chain 1 "/nowhere"))
  (test "no name"
        (list "execve" ENOEXEC (format #f "sandbox: execve: /gnu/store/0: ~a"
                                       (strerror ENOEXEC)))
        (chain 1 " \t")))

(test-begin "sandbox-interpreters")
(skip-unless (eq? %platform 'linux) "needs Linux")
(if (eq? %platform 'linux)
    (for-each test-interpreters %own-modes)
    (test-assert "interpreters" #f))
(test-end "sandbox-interpreters")
