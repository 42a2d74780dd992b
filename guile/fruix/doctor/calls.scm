;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; System calls: which of those that isolate processes there are, and whether
;;; those that every system should have do what they promise.
;;; Code:

(define-module (fruix doctor calls)
  #:use-module (fruix doctor answers)
  #:use-module (fruix doctor scratch)
  #:use-module (fruix probe)
  #:export (call-facts))

(define %features
  '("clone" "unshare" "setns" "pivot_root" "jail" "capsicum" "prctl"
    "close_range"))

(define (there? name)
  "Return the answer to whether this system has @var{name}, allowed or not."
  (attempt
   (lambda ()
     (catch 'system-error
       (lambda ()
         (probe name)
         #t)
       (lambda arguments
         (or (not (= ENOSYS (system-error-errno arguments)))
             (apply throw arguments)))))))

(define (answer-in-scratch proc)
  "Return the answer of @var{proc}, which gets the names of an empty file and
of a symbolic link to it."
  (attempt
   (lambda ()
     (call-with-scratch
      (lambda (directory)
        (let ((file (string-append directory "/file"))
              (link (string-append directory "/link")))
          (call-with-output-file file (const #t))
          (symlink "file" link)
          (proc file link)))))
   #:otherwise unknown))

(define (run-fallocate)
  (answer-in-scratch
   (lambda (file link)
     (try "posix_fallocate" file
          #:reasons (map (lambda (errno)
                           (cons errno "unsupported on this file system"))
                         (list EOPNOTSUPP EINVAL))))))

(define (run-on-link name effect?)
  "Return the answer to whether the probe @var{name} has an effect on a
symbolic link itself, which @var{effect?} finds in what @code{lstat} returns
for it."
  (answer-in-scratch
   (lambda (file link)
     (attempt
      (lambda ()
        (probe name link)
        (if (and (effect? (lstat link)) (not (effect? (lstat file))))
            #t
            (no "it does not change the link itself")))))))

(define (run-lchown)
  (run-on-link "lchown" (lambda (stat) (= 65534 (stat:uid stat)))))

(define (call-facts)
  "Return an alist of names, strings, and answers: what this system has, and
what runs.  Files for that are made in @env{TMPDIR}, or @file{/tmp}."
  `(,@(map (lambda (name) (cons name (there? name))) %features)
    ("run-fork-waitpid" . ,(try "fork"))
    ("run-posix_spawn-closefrom" . ,(try "posix_spawn"))
    ("run-close_range" . ,(try "close_range"))
    ("run-posix_fallocate" . ,(run-fallocate))
    ("run-lutimes"
     . ,(run-on-link "lutimes" (lambda (stat) (= 1 (stat:mtime stat)))))
    ("run-statvfs" . ,(try "statvfs" (scratch-parent)))
    ("run-chroot" . ,(root-only (lambda () (try "chroot" "/"))))
    ("run-jail" . ,(root-only (lambda () (try "jail"))))
    ("run-lchown" . ,(root-only run-lchown))))
