;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Verifying the store: is what the database calls valid on disk, and what it
;;; was when it became valid?
;;;
;;; 1. Items whose files are gone become invalid, if no item that is still
;;;    there needs them; otherwise that is a problem.  The look at the
;;;    files and the change are one transaction.
;;; 2. With contents, several threads read every item once and compare its
;;;    hash; where the database does not know hash or size, it learns them.
;;; 3. A problem may be repaired, by a procedure that knows how.
;;; Code:

(define-module (fruix store verification)
  #:use-module (fruix base16)
  #:use-module (fruix database)
  #:use-module (fruix descriptors)
  #:use-module (fruix errors)
  #:use-module (fruix flag)
  #:use-module (fruix hash)
  #:use-module (fruix mailbox)
  #:use-module (fruix nar)
  #:use-module ((fruix record-lock)
                #:select (acquire-file-lock release-file-lock!))
  #:use-module (fruix sharing)
  #:use-module (fruix store handle)
  #:use-module (fruix store layout)
  #:use-module ((fruix store path) #:select (direct-store-path?))
  #:use-module (fruix store path-info)
  #:use-module (fruix store query)
  #:use-module (fruix thread)
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 match)
  #:use-module (ice-9 threads)
  #:use-module ((rnrs bytevectors) #:select (make-bytevector))
  #:use-module (srfi srfi-1)
  #:export (verify-store!
            damaged-items))


;;
;; What has vanished.
;;

(define (on-disk? layout path)
  "Return true unless PATH does not exist; errors that leave that open are
raised."
  (unless-errno (list ENOENT ENAMETOOLONG) #f
    (lambda () (->bool (lstat (physical layout path))))))

(define (absent? layout path)
  (or (not (direct-store-path? (layout-store layout) path))
      (not (on-disk? layout path))))

;; Those of the numbers, a JSON array, that no item needs which is not among
;; them.
(define %not-needed
  "with recursive
     Absent (id) as (select value from json_each (?)),
     Needed (id) as (
       select reference from Refs
         where reference in (select id from Absent)
           and referrer not in (select id from Absent)
       union
       select Refs.reference from Needed
         join Refs on Refs.referrer = Needed.id
         where Refs.reference in (select id from Absent))
   select id from Absent where id not in (select id from Needed)")

(define (invalidate-absent! db layout paths)
  "Make those among PATHS that are absent invalid, but for those that an item
needs that is there; return the list of the latter."
  (let* ((absent (filter (lambda (path) (absent? layout path)) paths))
         (numbers (filter-map (lambda (path) (path-id db path)) absent))
         (gone (map (match-lambda (#(id) id))
                    (query db %not-needed (numbers->json numbers)))))
    ;; All references first: they may go in a circle.
    (for-each (lambda (id)
                (execute db "delete from Refs where referrer = ?" id))
              gone)
    (for-each (lambda (id)
                (execute db "delete from ValidPaths where id = ?" id))
              gone)
    (filter (lambda (path) (path-id db path)) absent)))

(define (call-without-collectors layout pulse thunk)
  "Call THUNK while no collector of the store of LAYOUT decides anything."
  (match (acquire-file-lock (layout-gc-lock layout) 'exclusive #:wait? #f)
    (#f
     (pulse)
     (wait-milliseconds 20)
     (call-without-collectors layout pulse thunk))
    (lock
     (dynamic-wind
       (const #t)
       thunk
       (lambda () (release-file-lock! lock))))))

(define (report-absent report layout paths staying)
  (for-each (lambda (path)
              (report
               (cond ((member path staying)
                      (format #f "path `~a' disappeared, but it still has \
valid referrers" path))
                     ((direct-store-path? (layout-store layout) path)
                      (format #f "path `~a' disappeared, removing it from \
the database" path))
                     (else
                      (format #f "path `~a' is not in the store, removing it \
from the database" path)))))
            paths))

(define (invalidate-vanished! store pulse)
  "Make the valid items that are absent invalid, except for those that have to
stay; return a pair of both lists: all that are absent, and the exceptions."
  (define layout (store-layout store))
  ;; A collector makes items invalid first, and removes their files then.
  (call-without-collectors layout pulse
    (lambda ()
      (match (filter (lambda (path) (absent? layout path))
                     (all-valid-paths store))
        (() '(()))
        (paths
         (cons paths
               (call-for-update store
                 (lambda (db)
                   (invalidate-absent! db layout paths)))))))))

(define (find-vanished! store report pulse)
  "Return the list of valid items that are absent and have to stay, after
making the others invalid."
  (match (invalidate-vanished! store pulse)
    ((absent . staying)
     ;; Who is told may take its time: collectors do not wait for that.
     (report-absent report (store-layout store) absent staying)
     staying)))

;;
;; Contents.
;;

;; As much of an archive as is read at once.
(define %chunk-size (* 256 1024))

(define %unknown-hash (make-string 64 #\0))

(define (hash-item directory path chunk stop)
  "Return the SHA-256 of the archive of PATH in base 16 and its size, as a
pair; #f when the flag STOP is set meanwhile."
  (let ((source (open-nar-source directory (basename path)))
        (hash (open-hash 'sha256)))
    (dynamic-wind
      (const #t)
      (lambda ()
        (let loop ((size 0))
          (let ((count (nar-source-read! source chunk)))
            (hash-update! hash chunk 0 count)
            (cond ((flag-set? stop) #f)
                  ((zero? count)
                   (cons (bytevector->base16-string (hash-digest! hash))
                         size))
                  (else (loop (+ size count)))))))
      (lambda () (nar-source-close! source)))))

(define (hash-or-trouble directory path chunk stop)
  "Return what @code{hash-item} does, or a text if the item cannot be read, or
the exception if that is not the item's fault."
  ;; Whatever it is, something must come of each path.
  (guard (exception ((passing-error? exception) exception)
                    (#t (exception->text exception)))
    (hash-item directory path chunk stop)))

(define (end-hashers threads stop)
  (flag-set! stop)
  (for-each join-thread threads))

(define (start-hashers directory paths results stop)
  "Start threads that hash PATHS, and put a pair of each path and what
@code{hash-or-trouble} returns into the mailbox RESULTS, until the flag STOP
is set.  Return the threads; if not all can be started, none is left."
  (define mutex (make-mutex))
  (define (next-path!)
    (with-lock mutex
      (match paths
        (() #f)
        ((path . rest)
         (set! paths rest)
         path))))
  (define (work chunk)
    (match (and (not (flag-set? stop)) (next-path!))
      (#f #t)
      (path
       (mailbox-put! results
                     (cons path (hash-or-trouble directory path chunk stop)))
       (work chunk))))
  (define (add-thread _ threads)
    (on-failure (lambda () (end-hashers threads stop))
      (lambda ()
        (cons (start-thread (lambda () (work (make-bytevector %chunk-size))))
              threads))))
  (fold add-thread '()
        (iota (min (current-processor-count) (length paths)))))

;; Seconds between two calls of the pulse.
(define %interval 1/5)

(define (collect count results pulse proc)
  "Call PROC with each of the COUNT pairs that come into RESULTS."
  (let loop ((left count))
    (unless (zero? left)
      (pulse)
      (match (mailbox-get! results #:timeout %interval)
        (#f (loop left))
        ((path . result)
         (proc path result)
         (loop (- left 1)))))))

(define (for-each-hash store paths pulse proc)
  "Call PROC with each of PATHS and its hash and size, or a text."
  (call-with-directory (layout-physical-store (store-layout store))
    (lambda (directory)
      (let* ((results (make-mailbox))
             (stop (make-flag))
             (hashers (start-hashers directory paths results stop)))
        (dynamic-wind
          (const #t)
          (lambda () (collect (length paths) results pulse proc))
          (lambda () (end-hashers hashers stop)))))))

(define (correct! store path hash size)
  (call-for-update store
    (lambda (db)
      (execute db "update ValidPaths set hash = ?, narSize = ?
                   where path = ?"
               (string-append "sha256:" hash) size path))))

(define (compare! store info hash size report)
  "Return true if the item of INFO is what it was, with HASH and SIZE that the
database knows or learns."
  (define path (path-info-path info))
  (define unknown? (string=? %unknown-hash (path-info-hash info)))
  (cond ((not (or unknown? (string=? hash (path-info-hash info))))
         (report (format #f "path `~a' was modified! \
expected hash `~a', got `~a'" path (path-info-hash info) hash))
         #f)
        ((or unknown? (not (eqv? size (path-info-nar-size info))))
         (report (format #f "updating hash and size of `~a'" path))
         (correct! store path hash size)
         #t)
        (else #t)))

(define (good? store path result report)
  "Return true if PATH, about which RESULT says what is on disk, is as the
database says.  If it is not valid any more, that is as good."
  (match (query-path-info store path)
    (#f #t)
    (info
     (match result
       ((hash . size) (compare! store info hash size report))
       ((? exception?) (raise-exception result))
       (text
        (report (format #f "cannot read path `~a': ~a" path text))
        #f)))))

(define (disown! store path)
  "See to it that files of PATH that were damaged are not given to others."
  (define layout (store-layout store))
  (call-with-directory (layout-physical-store layout)
    (lambda (directory)
      (call-with-directory (layout-links layout)
        (lambda (links)
          (disown-damaged! links directory (basename path)))))))

(define* (damaged-items store paths #:key (report (const #t))
                        (pulse (const #t)))
  "Return the list of those @var{paths}, valid items of @var{store}, that are
not what they were when they became valid.  @var{report} and @var{pulse} are
as for @code{verify-store!}.  Raise a @code{system-error} if descriptors or
memory are lacking to find out."
  (define modified '())
  (for-each-hash store paths pulse
    (lambda (path result)
      (unless (guard (exception ((fruix-error? exception)
                                 (report (exception->text exception))
                                 #f))
                (good? store path result report))
        (false-if-exception (disown! store path))
        (set! modified (cons path modified)))))
  (reverse modified))


;;
;; Both.
;;

(define (repaired? path repair report)
  (and repair
       (guard (exception ((fruix-error? exception)
                          (report (exception->text exception))
                          #f))
         (repair path))))

(define* (verify-store! store #:key check-contents? repair
                        (report (const #t)) (pulse (const #t)))
  "Compare the database of @var{store} with what is on disk, as the commentary
says, and return true if problems remain.  @var{check-contents?} tells whether
to read all items.  @var{repair} is a procedure that is called with the path
of each item that is missing or not what it was, and returns whether it has
repaired it; @code{#f} leaves them alone.

@var{report} is called with a line of text for each problem and correction.
@var{pulse}, a thunk, is called several times a second; what it raises ends
the work."
  (define (remaining paths)
    (remove (lambda (path) (repaired? path repair report)) paths))
  (define (those-there missing)
    (define absent (make-hash-table))
    (for-each (lambda (path) (hash-set! absent path #t)) missing)
    (remove (lambda (path) (hash-ref absent path)) (all-valid-paths store)))
  (let* ((missing (remaining (find-vanished! store report pulse)))
         (paths (if check-contents? (those-there missing) '())))
    (or (pair? (remaining (damaged-items store paths #:report report
                                          #:pulse pulse)))
        (pair? missing))))
