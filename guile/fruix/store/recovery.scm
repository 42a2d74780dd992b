;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; After a power cut: what is registered beyond the durable mark is verified,
;;; and no longer valid if its files are not what was registered.
;;;
;;; 1. Nobody is served before.  Another power cut meanwhile does no harm: the
;;;    mark moves last.
;;; 2. The files of an item go before it is forgotten, while nobody can
;;;    register anything: so none goes that somebody has made anew.
;;; 3. What cannot have been lost that way is not deleted, whatever became of
;;;    it: another daemon moves no mark, so beyond it there may be a year's
;;;    items, on a disk that fails.  They are for verification to repair.
;;; 4. An entry of '.links' is trusted to have the contents that its name
;;;    says.  Those made since the mark are not; as they only save space, they
;;;    are dropped.
;;; Code:

(define-module (fruix store recovery)
  #:use-module (fruix base16)
  #:use-module (fruix database)
  #:use-module (fruix descriptors)
  #:use-module (fruix durable)
  #:use-module ((fruix errors) #:select (passing-error?
                                         unless-errno
                                         write-warning))
  #:use-module (fruix files)
  #:use-module (fruix nar)
  #:use-module ((fruix store directories) #:select (directory-names))
  #:use-module (fruix store durability)
  #:use-module (fruix store layout)
  #:use-module (fruix tree)
  #:use-module (ice-9 exceptions)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:export (recover-from-power-cut!))


;;
;; Items.
;;

(define (intact? directory path hash)
  "Return true if the tree of @var{path} in @var{directory} has @var{hash};
raise what says nothing about that."
  (guard (exception ((not (passing-error? exception))
                     #f))                  ;missing, unreadable, no item at all
    (string=? hash
              (string-append "sha256:"
                             (bytevector->base16-string
                              (file-nar-hash directory (basename path)))))))

;; The system writes data to the disk within a minute; this is for file systems
;; that are mounted to do so rarely, for slow disks and for wrong clocks.
(define %write-back (* 24 60 60))

;; By the last registration, not the latest: that may be of a time when the
;; clock was wrong.
(define %suspects
  "select id, path, hash,
          registrationTime >= (select registrationTime from ValidPaths
                               order by id desc limit 1) - ?2
     from ValidPaths where id > ?1 order by id")

(define (damaged-items db directory number)
  "Return those items beyond @var{number} that are not what they were: lists of
number, path and whether a power cut can have done that.  Another daemon may
have registered many: say what takes so long."
  (let ((suspects (query db %suspects number %write-back)))
    (unless (null? suspects)
      (write-warning "checking what may be lost in a power cut: ~a items"
                     (length suspects)))
    (filter-map (match-lambda
                  (#(id path hash fresh)
                   (and (not (intact? directory path hash))
                        (list id path (= 1 fresh)))))
                suspects)))

(define (warn-of-damage path)
  (write-warning "`~a' is damaged, but not by a power cut; \
'fruix verify --contents --repair' may repair it" path))

;; The recursion takes the numbers where it begins as a JSON array.
(define %with-referrers
  "with recursive Lost (id) as (
     select value from json_each (?)
     union
     select Refs.referrer from Lost join Refs on Refs.reference = Lost.id)
   select id, path from Lost join ValidPaths using (id)")

(define (delete-files directory path)
  (unless-errno (list ENOENT) 0
    (lambda () (delete-tree! directory (basename path)))))

(define (forget db directory numbers)
  "Delete the items @var{numbers}, and those that refer to them."
  (let ((lost (query db %with-referrers (numbers->json numbers))))
    (for-each (match-lambda
                (#(id path)
                 (write-warning "`~a' was lost in a power cut" path)
                 (delete-files directory path)
                 (execute db "delete from Refs where referrer = ?" id)))
              lost)
    (for-each (match-lambda
                (#(id _)
                 (execute db "delete from ValidPaths where id = ?" id)))
              lost)))

(define (forget-damaged! db directory number)
  (call-with-transaction db
    (lambda ()
      (call-with-values
          (lambda ()
            (partition third (damaged-items db directory number)))
        (lambda (lost others)
          (for-each warn-of-damage (map second others))
          (forget db directory (map first lost)))))))


;;
;; Links.
;;

(define (drop-links layout time)
  "Delete the links in the store of @var{layout} that were made at @var{time}
or later."
  (define links (layout-links layout))
  (define (fresh? name)
    (>= (stat:ctime (lstat (string-append links "/" name))) time))
  (when (>= (stat:mtime (stat links)) time)
    (for-each (lambda (name)
                (delete-file (string-append links "/" name)))
              (directory-names links fresh?))))


;;
;; All of it.
;;

(define (settled? mark last)
  "Return true if all that @var{mark}, or @code{#f}, does not vouch for was
made since the system was started.  @var{last} is the last number."
  (and mark
       (string=? (boot-id) (mark-boot mark))
       (<= (mark-number mark) last)))

(define (settle layout db directory number)
  "Bring the items after @var{number} to the disk, and vouch for all there is."
  (let ((last (last-number db))
        (now (current-time)))
    (when (< number last)
      (call-with-directory (layout-database-directory layout)
        (lambda (database-directory)
          (bring-to-disk layout (cons directory database-directory)
                         (items-since db number)))))
    (set-mark! layout last now)))

(define (recover-from-power-cut! layout db directory)
  "If the system has been started since the store of @var{layout} was used
last, delete what did not reach the disk before.  @var{db} is a connection that
may write, @var{directory} the descriptor of the store."
  (unless (settled? (read-mark layout) (last-number db))
    (call-with-mark-lock layout
      (lambda ()
        (let ((mark (read-mark layout)))
          (unless (settled? mark (last-number db))
            (when (and mark (not (string=? (boot-id) (mark-boot mark))))
              (forget-damaged! db directory (mark-number mark))
              (drop-links layout (mark-time mark)))
            (settle layout db directory
                    (if mark (mark-number mark) 0))))))))
