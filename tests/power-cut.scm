;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Power cuts.  A store is filled on a disk that remembers all writes; then
;;; the disk is put together as it may have been at many moments, and the store
;;; opened on it as after a new start of the system.
;;;
;;; At a cut the disk has all that was written before the last flush of its
;;; cache, and of what came later some writes, and others not.

(use-modules (fruix config)
             (fruix database)
             (fruix process)
             (fruix store)
             (fruix store layout)
             (ice-9 binary-ports)
             (ice-9 match)
             (ice-9 rdelim)
             (rnrs bytevectors)
             (srfi srfi-1)
             (srfi srfi-64)
             (system foreign)
             (tests crash-support)
             (tests store-support)
             (tests support))

(define %size (* 64 1024 1024))

(define %recorder
  (string-append (getenv "abs_top_builddir") "/tests/recorder"))

;; Moments at which the power is cut.
(define %cuts
  (string->number (or (getenv "FRUIX_POWER_CUTS") "25")))

(define %seed
  (string->number (or (getenv "FRUIX_SEED") "1")))

(define (run . command)
  "Run COMMAND and return what it writes, a line."
  (match (pipe)
    ((input . output)
     (let ((process (spawn-process (car command) command #:output output)))
       (close-port output)
       (let ((line (read-line input)))
         (close-port input)
         (unless (zero? (wait-process process))
           (error "failed" command))
         line)))))

(define (installed-program name)
  (find file-exists?
        (map (lambda (directory) (string-append directory "/" name))
             '("/sbin" "/usr/sbin" "/bin" "/usr/bin"))))

(define %mkfs (installed-program "mkfs.ext4"))


;;
;; Disks.
;;

(define (separate-mounts)
  "Let what is mounted here be in nobody else's way, and vanish with us."
  (define unshare
    (pointer->procedure int (dynamic-func "unshare" (dynamic-link))
                        (list int)))
  (unshare #x20000)                     ;CLONE_NEWNS
  (run "mount" "--make-rprivate" "/"))

(define (call-with-mounted file directory proc)
  "Call PROC while the file system in FILE is mounted on DIRECTORY."
  (run "mount" "-t" "ext4" "-o" "loop,commit=1" file directory)
  (dynamic-wind
    (const #t)
    proc
    (lambda () (run "umount" directory))))

(define (call-with-recorder file log proc)
  "Call PROC while FILE is a disk whose writes are in LOG."
  (call-with-output-file file (const #t))
  (match (pipe)
    ((input . output)
     (let ((process (spawn-process %recorder
                                   (list "recorder" file
                                         (number->string %size) log)
                                   #:output output)))
       (close-port output)
       (unless (equal? "ready" (read-line input))
         (error "no recorder"))
       (dynamic-wind
         (const #t)
         proc
         (lambda ()
           ;; The loop device may take a moment to let go of it.
           (run "umount" "-l" file)
           (wait-process process)
           (close-port input)))))))


;;
;; What is written.
;;

(define (some-bytes number)
  (make-bytevector (+ 1 (modulo (* number number 37) 40000))
                   (modulo number 256)))

(define (checkpoint layout)
  "Do what any other process may: bring the journal of the database to the
disk."
  (let ((db (open-database (layout-database layout))))
    (query db "pragma wal_checkpoint")
    (close-database db)))

(define (fill-directory directory number)
  (for-each (lambda (i)
              (call-with-output-file (format #f "~a/~a" directory i)
                (lambda (port)
                  (put-bytevector port (some-bytes (+ i number))))))
            (iota 8)))

(define (add-directory store number)
  (call-with-temporary-directory
   (lambda (directory)
     (fill-directory directory number)
     (add-tree! store (format #f "tree-~a" number)
                (dirname directory) (basename directory)))))

(define (fill store position)
  "Fill STORE; return an alist from moments to what was known to be durable
then."
  (let loop ((number 1)
             (items '())
             (durable '()))
    (if (> number 240)
        (reverse durable)
        (let* ((text (add-text! store (format #f "text-~a" number)
                                (some-bytes number)
                                (if (null? items) '() (list (car items)))))
               (items (if (zero? (modulo number 6))
                          (cons* (add-directory store number) text items)
                          (cons text items))))
          (when (zero? (modulo number 16))
            (checkpoint (store-layout store)))
          (cond ((zero? (modulo number 40))
                 (sync-store! store)
                 (loop (+ number 1) items
                       (alist-cons (position) items durable)))
                (else
                 (loop (+ number 1) items durable)))))))

(define (record disk log mount-point)
  "Make and fill a store on a new file system on DISK.  Return the moment when
there was just the file system, and what FILL returned.  A moment is a size of
LOG."
  (define (position)
    (stat:size (stat log)))
  (call-with-recorder disk log
    (lambda ()
      (run %mkfs "-q" "-F" "-E" "lazy_itable_init=0,lazy_journal_init=0" disk)
      (call-with-mounted disk mount-point
        (lambda ()
          (let ((start (position)))
            (cons start
                  (call-with-store (make-layout #:root mount-point)
                    (lambda (store)
                      (fill store position))))))))))


;;
;; The disk at a moment.
;;

(define %flush (- (expt 2 64) 1))

(define (read-entry log)
  "Return the offset and bytes of the next entry of LOG, a port; #f for the
bytes of a flush."
  (let* ((header (get-bytevector-n log 16))
         (length (bytevector-u64-native-ref header 8)))
    (cons (bytevector-u64-native-ref header 0)
          (and (not (= length %flush))
               (get-bytevector-n log length)))))

(define (apply-entry! image entry)
  (match entry
    ((offset . bytes)
     (seek image offset SEEK_SET)
     (put-bytevector image bytes))))

(define (advance! image log pending position)
  "Write to IMAGE, a port, what is in LOG until POSITION, up to the last flush.
PENDING are entries since then.  Return the new ones, last first."
  (let loop ((pending pending))
    (if (>= (ftell log) position)
        pending
        (match (read-entry log)
          ((_ . #f)
           (for-each (lambda (entry) (apply-entry! image entry))
                     (reverse pending))
           (force-output image)
           (loop '()))
          (entry (loop (cons entry pending)))))))

(define (make-image image file pending state)
  "Make FILE the disk IMAGE with some of the entries PENDING."
  (run "cp" "--sparse=always" image file)
  (let ((port (open-file file "r+b0"))
        (share (random 1.0 state)))
    (for-each (lambda (entry)
                (when (< (random 1.0 state) share)
                  (apply-entry! port entry)))
              (reverse pending))
    (close-port port)))

(define (for-each-cut proc directory log moments state)
  "Call PROC with each of MOMENTS and the disk, a file, as it may have been
when the power was cut then."
  (define base (string-append directory "/base"))
  (define cut (string-append directory "/cut"))
  (call-with-output-file base (const #t))
  (truncate-file base %size)
  (let ((image (open-file base "r+b"))
        (log (open-file log "rb")))
    (fold (lambda (moment pending)
            (let ((pending (advance! image log pending moment)))
              (make-image base cut pending state)
              (proc moment cut)
              pending))
          '() moments)
    (close-port image)
    (close-port log)))


;;
;; After the cut.
;;

(define (durable-at durable moment)
  "Return the items that had to be durable at MOMENT."
  (fold (lambda (entry result)
          (if (<= (car entry) moment) (cdr entry) result))
        '() durable))

(define (open-quietly layout)
  (with-error-to-port (%make-void-port "w")
    (lambda () (call-with-store layout (const #t)))))

(define (examine layout durable)
  "Return what is wrong with the store after a power cut without and with
recovery, and which of the items DURABLE are not valid then."
  ;; In the beginning, there is no table yet.
  (let ((faults (if (false-if-exception (valid-items layout))
                    (store-faults layout)
                    '())))
    (when (file-exists? (layout-durable-mark layout))
      (pretend-reboot layout))
    (open-quietly layout)
    (list faults (store-faults layout)
          (lset-difference string=? durable (valid-items layout)))))

(define (random-moments start end count state)
  (sort (map (lambda _ (+ start (random (- end start) state)))
             (iota count))
        <))

(define (cut-power directory)
  "Return what 'examine' says of each cut."
  (define log (string-append directory "/log"))
  (define mount-point (string-append directory "/mnt"))
  (define state (seed->random-state %seed))
  (define results '())
  (separate-mounts)
  (mkdir mount-point)
  (match (record (string-append directory "/disk") log mount-point)
    ((start . durable)
     (for-each-cut
      (lambda (moment disk)
        (call-with-mounted disk mount-point
          (lambda ()
            (set! results
                  (cons (examine (make-layout #:root mount-point)
                                 (durable-at durable moment))
                        results)))))
      directory log
      (random-moments start (stat:size (stat log)) %cuts state)
      state)
     results)))

(define %possible?
  (and (eq? %platform 'linux) (zero? (getuid)) %mkfs
       (file-exists? "/dev/fuse") (file-exists? "/dev/loop-control")))

(test-begin "power-cut")
(skip-unless %possible? "needs root on Linux, FUSE, loop devices and ext4")

(define %results
  (if %possible? (call-with-temporary-directory cut-power) '()))

(format #t "~a of ~a cuts, seed ~a, do harm without recovery~%"
        (count (lambda (result) (pair? (first result))) %results)
        (length %results) %seed)

(test-assert "a power cut can harm a store that is not recovered"
  (any (lambda (result) (pair? (first result))) %results))

(test-equal "a store that is recovered has no fault"
  '() (append-map second %results))

(test-equal "what was brought to the disk remains"
  '() (append-map third %results))

(test-end "power-cut")
