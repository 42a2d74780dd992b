;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Lock files, shared with other processes: guix-daemon and its helpers.
;;;
;;; They use POSIX record locks, which belong to a process, and of which a
;;; process loses all that it has on a file when it closes any descriptor of
;;; it.  A table of the lock files that this process uses makes threads
;;; exclude each other, and keeps each file open once.  Invariants:
;;;
;;; 1. A file in the table is open once, or being opened by the one thread
;;;    that put it there.
;;; 2. Nothing else in this process opens a file while it is in the table.
;;;
;;; The holder may delete the file.  Whoever had it open by then gets the lock
;;; on a file without a name, sees that, and starts again.
;;;
;;; A lock can do without its file while another one keeps all other processes
;;; out: its cover.  A lock file made and deleted for each of many short tasks
;;; costs more than the tasks; on ext4 each makes the next ones dearer.
;;; Code:

(define-module (fruix record-lock)
  #:use-module ((fruix descriptors) #:select (wait-milliseconds
                                              write-descriptor))
  #:use-module (fruix errors)
  #:use-module (fruix files)
  #:use-module (fruix primitives)
  #:use-module ((fruix thread) #:select (notify! with-lock))
  #:use-module (ice-9 match)
  #:use-module (ice-9 threads)
  #:use-module ((rnrs bytevectors) #:select (string->utf8))
  #:use-module (srfi srfi-9)
  #:export (acquire-file-lock
            release-file-lock!
            share-file-lock!
            call-with-file-lock
            set-record-lock
            delete-locked-file))

;; Between two attempts to take a lock that another process holds, in
;; milliseconds.
(define %interval 20)

;; For how long at a stretch a cover keeps other processes out, in seconds.
(define %patience 1/10)

(define-record-type <file-lock>
  (make-file-lock file mode descriptor holders covered since owner)
  file-lock?
  (file file-lock-file)                    ;string
  (mode file-lock-mode                     ;shared | exclusive
        set-file-lock-mode!)
  (descriptor file-lock-descriptor         ;integer; <file-lock>, the cover;
              set-file-lock-descriptor!)   ;#f while being acquired
  (holders file-lock-holders               ;number of threads, if shared
           set-file-lock-holders!)
  (covered file-lock-covered               ;number of locks that this covers
           set-file-lock-covered!)
  (since file-lock-since                   ;time from which it covers any
         set-file-lock-since!)
  (owner file-lock-owner))                 ;thread that acquired it first

(define %table (make-hash-table))          ;file name -> <file-lock>
(define %mutex (make-mutex))
(define %changed (make-condition-variable))


;;
;; Among threads.
;;

(define (joinable? lock mode)
  (and (eq? mode 'shared)
       (eq? (file-lock-mode lock) 'shared)
       (file-lock-descriptor lock)))

(define (check-not-mine lock)
  (when (and (eq? (file-lock-mode lock) 'exclusive)
             (eq? (file-lock-owner lock) (current-thread)))
    (fail "`~a' is already locked by this thread" (file-lock-file lock))))

(define (reserve! file mode wait?)
  "Return a @code{<file-lock>} for @var{file}: a new one, whose descriptor is
still missing, or one that other threads share.  Return @code{#f} if it is in
use and @var{wait?} is false."
  (with-lock %mutex
    (let loop ()
      (let ((lock (hash-ref %table file)))
        (cond ((not lock)
               (let ((lock (make-file-lock file mode #f 1 0 0
                                           (current-thread))))
                 (hash-set! %table file lock)
                 lock))
              ((joinable? lock mode)
               (set-file-lock-holders! lock (+ 1 (file-lock-holders lock)))
               lock)
              (wait?
               (check-not-mine lock)
               (wait-condition-variable %changed %mutex)
               (loop))
              (else #f))))))

(define (forget! lock)
  (with-lock %mutex
    (hash-remove! %table (file-lock-file lock))
    (notify! %changed %mutex)))


;;
;; Among processes.
;;

(define* (set-record-lock descriptor mode #:key (wait? #t))
  "Set the record lock of this process on the file behind @var{descriptor}, an
integer, to @var{mode}: @code{shared}, @code{exclusive} or @code{none}.
Return true; if another process is in the way, return false, or with
@var{wait?} wait for it."
  (let ((type (case mode ((none) 0) ((shared) 1) ((exclusive) 2))))
    (let loop ()
      (or (%fcntl-setlk descriptor type)
          (and wait?
               (begin
                 (wait-milliseconds %interval)
                 (loop)))))))

(define (named? descriptor file)
  "Return true if @var{descriptor} is what @var{file} is the name of."
  (let ((held (stat descriptor))
        (named (stat file #f)))
    (and named
         (= (stat:ino held) (stat:ino named))
         (= (stat:dev held) (stat:dev named)))))

(define (lock-descriptor descriptor file mode wait?)
  "Lock @var{descriptor} and return @code{locked}; @code{held} when another
process has it locked, or @code{deleted} when it no longer is @var{file}."
  (cond ((not (set-record-lock descriptor mode #:wait? wait?)) 'held)
        ((named? descriptor file) 'locked)
        (else 'deleted)))

(define (open-lock-file file)
  "Return a descriptor of @var{file}, which is created if it is missing."
  ;; The latter is what FreeBSD calls a link that is not to be followed.
  (or (unless-errno (list ELOOP EMLINK) #f
        (lambda ()
          (open-fdes file (logior O_RDWR O_CREAT O_CLOEXEC O_NOFOLLOW)
                     #o600)))
      (fail "lock file `~a' is a symbolic link" file)))

(define (check-name descriptor file)
  "Fail if @var{descriptor}, of @var{file}, has another name, too: then it is
the file of somebody else, and when the lock is given up something is written
to it."
  (when (> (stat:nlink (stat descriptor)) 1)
    (fail "lock file `~a' has other names, too" file)))

(define (open-locked file mode wait?)
  "Return a descriptor of @var{file}, created if need be and locked, or
@code{#f}."
  (let* ((descriptor (open-lock-file file))
         (result (on-failure (lambda () (close-fdes descriptor))
                   (lambda ()
                     (check-name descriptor file)
                     (lock-descriptor descriptor file mode wait?)))))
    (unless (eq? result 'locked)
      (close-fdes descriptor))
    (case result
      ((locked) descriptor)
      ((held) #f)
      ((deleted) (open-locked file mode wait?)))))

(define (delete-locked-file file descriptor)
  "Delete @var{file}, which is locked and open as @var{descriptor}, an integer,
at its beginning.  A byte in it tells guix-daemon, which may wait for the lock;
where there is no space for that, guix-daemon does not notice."
  (false-if-exception (delete-file file))
  (false-if-exception (write-descriptor descriptor (string->utf8 "d"))))


;;
;; Both.
;;

(define (cover! lock)
  "Make @var{lock}, a shared one, exclusive among processes for one more lock,
and return it; or return @code{#f} if others share it, or want to after all
this time."
  (define now
    (/ (get-internal-real-time) internal-time-units-per-second))
  (with-lock %mutex
    (let ((covered (file-lock-covered lock)))
      (and (if (zero? covered)
               (set-record-lock (file-lock-descriptor lock) 'exclusive
                                #:wait? #f)
               (< (- now (file-lock-since lock)) %patience))
           (begin
             (when (zero? covered) (set-file-lock-since! lock now))
             (set-file-lock-covered! lock (+ covered 1))
             lock)))))

(define (uncover! lock)
  "Undo one @code{cover!} of @var{lock}.  The table is locked."
  (let ((covered (- (file-lock-covered lock) 1)))
    (set-file-lock-covered! lock covered)
    (when (zero? covered)
      (set-record-lock (file-lock-descriptor lock) 'shared))))

(define (close-lock lock delete?)
  (match (file-lock-descriptor lock)
    ((? file-lock? cover) (uncover! cover))
    (descriptor
     (when delete?
       (delete-locked-file (file-lock-file lock) descriptor))
     (close-fdes descriptor))))

(define* (acquire-file-lock file mode #:key (wait? #t) cover)
  "Lock @var{file}, a file name, and return the lock.  The file is created
with mode 600 if it is missing.  @var{mode} is @code{shared} or
@code{exclusive}.  If another thread or process is in the way, wait, or
without @var{wait?} return @code{#f}.  A thread that waits for itself is an
error.

@var{cover} is a shared lock on another file, which every process has that
ever locks @var{file}.  If no other process has it now, it is made exclusive
until the new lock is released, and @var{file} is left alone; so that must be
soon.

Raise a @code{&fruix-error} if @var{file} is a symbolic link, and a
@code{system-error} if it cannot be opened."
  (let ((lock (reserve! file mode wait?)))
    (if (or (not lock) (file-lock-descriptor lock))
        lock
        (let ((descriptor (on-failure (lambda () (forget! lock))
                            (lambda ()
                              (or (and cover (cover! cover))
                                  (open-locked file mode wait?))))))
          (cond (descriptor
                 (with-lock %mutex
                   (set-file-lock-descriptor! lock descriptor)
                   (notify! %changed %mutex))
                 lock)
                (else
                 (forget! lock)
                 #f))))))

(define* (release-file-lock! lock #:key delete?)
  "Release @var{lock}, which @code{acquire-file-lock} returned; with
@var{delete?}, which wants an exclusive one, delete its file, too."
  (with-lock %mutex
    (let ((holders (- (file-lock-holders lock) 1)))
      (set-file-lock-holders! lock holders)
      (when (zero? holders)
        (close-lock lock delete?)
        (hash-remove! %table (file-lock-file lock))
        (notify! %changed %mutex)))))

(define (share-file-lock! lock)
  "Make @var{lock}, an exclusive one on a file of its own, shared, such that
nobody else can take it in between."
  (with-lock %mutex
    (set-record-lock (file-lock-descriptor lock) 'shared)
    (set-file-lock-mode! lock 'shared)
    (notify! %changed %mutex)))

(define (call-with-file-lock file mode thunk)
  "Call @var{thunk} while holding the lock @var{file} in @var{mode}, as for
@code{acquire-file-lock}, and return its value."
  (let ((lock (acquire-file-lock file mode)))
    (dynamic-wind
      (const #t)
      thunk
      (lambda () (release-file-lock! lock)))))
