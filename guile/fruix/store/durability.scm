;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The durable mark: up to where the store is on the disk.
;;;
;;; Who registers an item does not wait for the disk, so after a power cut the
;;; database may know an item whose files are empty.  What counts is therefore
;;; not the database alone, but the mark beside it:
;;;
;;; 1. Registrations have ascending numbers.  A thread now and then brings all
;;;    that there is to the disk, whoever registered it, and only then moves
;;;    the mark to the last number that it saw before.
;;; 2. The mark names the start of the system in which it was written.  In
;;;    another one, items beyond it are verified before anybody is served; see
;;;    (fruix store recovery).
;;; 3. What could not be written once may be lost though a later attempt
;;;    succeeds.  Then the mark is stuck for as long as the system runs,
;;;    whoever opens the store: only the next start shows what is on the disk.
;;; Code:

(define-module (fruix store durability)
  #:use-module (fruix database)
  #:use-module (fruix descriptors)
  #:use-module (fruix durable)
  #:use-module (fruix errors)
  #:use-module (fruix mailbox)
  #:use-module (fruix record-lock)
  #:use-module (fruix store layout)
  #:use-module (fruix thread)
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 match)
  #:use-module (ice-9 threads)
  #:use-module (srfi srfi-9)
  #:export (mark-boot
            mark-number
            mark-time
            read-mark
            set-mark!
            call-with-mark-lock
            last-number
            items-since
            bring-to-disk

            start-marker
            move-mark!
            stop-marker!))


;;
;; The mark.
;;

(define-record-type <mark>
  (make-mark boot number time stuck?)
  mark?
  (boot mark-boot)                         ;string, see 'boot-id'
  (number mark-number)                     ;of the last durable registration
  (time mark-time)                         ;seconds since the epoch, before
                                           ;which all else is durable, too
  (stuck? mark-stuck?))                    ;Boolean

(define (read-mark layout)
  "Return the @code{<mark>} of the store of @var{layout}; @code{#f} if it never
had one."
  (let ((file (layout-durable-mark layout)))
    (and (file-exists? file)
         (match (call-with-input-file file read)
           (((? string? boot) (? exact-integer? number)
             (? exact-integer? time) . (and stuck (or () ('stuck))))
            (make-mark boot number time (pair? stuck)))
           (_ (fail "`~a' is corrupt" file))))))

(define (set-mark! layout number time . stuck)
  "Say that the registrations up to @var{number}, and what happened before
@var{time}, are durable in the store of @var{layout}; and with the symbol
@code{stuck} as well, that no more will be.  The mark is locked."
  (write-file-durably (layout-durable-mark layout)
                      (format #f "~s~%"
                              (cons* (boot-id) number time stuck))))

(define (call-with-mark-lock layout thunk)
  "Call @var{thunk} while no other thread or process may move the mark of the
store of @var{layout}; return its value."
  (call-with-file-lock (string-append (layout-durable-mark layout) ".lock")
      'exclusive
    thunk))


;;
;; What it is about.
;;

(define (last-number db)
  "Return the number of the last registration that @var{db}, a connection,
knows, or 0.  Numbers are never used again."
  (match (query db "select seq from sqlite_sequence
                    where name = 'ValidPaths'")
    ((#(number)) number)
    (() 0)))

(define (items-since db number)
  "Return the items that were registered after the one with @var{number}: a
list of vectors of number, store path and hash."
  (query db "select id, path, hash from ValidPaths where id > ? order by id"
         number))

(define (base-names items)
  (map (match-lambda (#(_ path _) (basename path))) items))

(define (bring-to-disk layout directories items)
  "Wait until @var{items}, as @code{items-since} returns them, and the database
of the store of @var{layout} are on the disk.  @var{directories} is a pair of
the descriptors of the store and of the database's directory."
  (make-durable (car directories) (base-names items))
  ;; Opening the database itself would cost this process its locks there.
  (make-durable (cdr directories)
                (list (string-append (basename (layout-database layout))
                                     "-wal"))))


;;
;; The thread that moves it.
;;

;; Seconds between two looks: for how long at most a registration is only
;; good if its files turn out to be.
(define %interval 5)

(define-record-type <marker>
  (make-marker layout directories mailbox thread stuck?)
  marker?
  (layout marker-layout)
  (directories marker-directories)         ;pair, see 'bring-to-disk'
  (mailbox marker-mailbox)                 ;closed: the end
  (thread marker-thread set-marker-thread!)
  (stuck? marker-stuck? set-marker-stuck?!)) ;Boolean, of its thread

(define (give-up! marker mark)
  "Let MARK be the last as long as the system runs: also for the next MARKER,
if the disk still takes a note of that."
  (set-marker-stuck?! marker #t)
  (false-if-exception
   (set-mark! (marker-layout marker) (mark-number mark) (mark-time mark)
              'stuck)))

(define (bring-to-disk-or-give-up! marker mark items)
  (guard (exception ((not (passing-error? exception))
                     (give-up! marker mark)
                     (raise-exception exception)))
    (bring-to-disk (marker-layout marker) (marker-directories marker)
                   items)))

(define (advance-mark! marker db)
  "Bring what was registered until now to the disk, and move the mark of
@var{marker}; @var{db} is a connection to its database.  Return whether the
mark is where it should be then."
  (define layout (marker-layout marker))
  (call-with-mark-lock layout
    (lambda ()
      (let ((mark (read-mark layout))
            (last (last-number db))
            (now (current-time)))
        (cond ((<= last (mark-number mark)) #t)
              ((or (marker-stuck? marker) (mark-stuck? mark)) #f)
              (else
               (bring-to-disk-or-give-up! marker mark
                                          (items-since db (mark-number mark)))
               (set-mark! layout last now)
               #t))))))

(define (try-to-advance-mark! marker call-for-query)
  "Return true if the mark of @var{marker} is where it should be."
  (guard (exception
          (#t
           (write-warning "cannot bring items to the disk: ~a"
                          (exception->text exception))
           #f))
    (call-for-query (lambda (db) (advance-mark! marker db)))))

(define (work marker call-for-query)
  "Move the mark now and then, and whenever asked."
  (match (mailbox-get! (marker-mailbox marker) #:timeout %interval)
    ((? eof-object?) #t)
    (answer
     (let ((good? (try-to-advance-mark! marker call-for-query)))
       (when answer
         (mailbox-put! answer good?))
       (work marker call-for-query)))))

(define (start-marker layout descriptor call-for-query)
  "Start the thread that moves the mark of the store of @var{layout}, whose
directory has the @var{descriptor}, and return its handle.
@var{call-for-query} calls a procedure with a connection to the database."
  (let* ((database (open-directory (layout-database-directory layout)))
         (marker (make-marker layout (cons descriptor database) (make-mailbox)
                              #f #f)))
    (set-marker-thread! marker
                        (on-failure (lambda () (close-fdes database))
                          (lambda ()
                            (start-thread
                             (lambda () (work marker call-for-query))))))
    marker))

(define (move-mark! marker)
  "Have the mark of @var{marker} moved, and wait.  Raise a @code{&fruix-error}
if something cannot be brought to the disk."
  (let ((answer (make-mailbox)))
    (mailbox-put! (marker-mailbox marker) answer)
    (unless (mailbox-get! answer)
      (fail "the store could not be brought to the disk"))))

(define (stop-marker! marker)
  "Stop the thread of @var{marker}.  What was registered just now may still be
beyond the mark."
  (mailbox-close! (marker-mailbox marker))
  (join-thread (marker-thread marker))
  (close-fdes (cdr (marker-directories marker))))
