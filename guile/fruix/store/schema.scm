;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The database of a store: its tables, which are those of guix-daemon so
;;; that either daemon can follow the other, and the settings of a connection.
;;;
;;; The file 'schema' beside the database holds the version, without a
;;; newline.  It is written last when a database is created; where it exists,
;;; a missing database is an error, never an occasion to start an empty one.
;;; Code:

(define-module (fruix store schema)
  #:use-module (fruix database)
  #:use-module ((fruix durable) #:select (write-file-durably))
  #:use-module (fruix errors)
  #:use-module ((fruix store layout)
                #:select (layout-database layout-schema-file))
  #:use-module ((ice-9 textual-ports) #:select (get-string-all))
  #:export (open-writer
            open-reader))

(define %schema-version 7)

(define %objects
  '("create table if not exists ValidPaths (
       id integer primary key autoincrement not null,
       path text unique not null,
       hash text not null,
       registrationTime integer not null,
       deriver text,
       narSize integer)"
    "create table if not exists Refs (
       referrer integer not null,
       reference integer not null,
       primary key (referrer, reference),
       foreign key (referrer) references ValidPaths (id) on delete cascade,
       foreign key (reference) references ValidPaths (id) on delete restrict)"
    "create table if not exists DerivationOutputs (
       drv integer not null,
       id text not null,
       path text not null,
       primary key (drv, id),
       foreign key (drv) references ValidPaths (id) on delete cascade)"
    "create table if not exists FailedPaths (
       path text primary key not null,
       time integer not null)"
    "create index if not exists IndexReferrer on Refs (referrer)"
    "create index if not exists IndexReference on Refs (reference)"
    "create index if not exists IndexDerivationOutputs
       on DerivationOutputs (path)"
    ;; The restriction on references would otherwise keep an item that refers
    ;; to itself from being deleted.
    "create trigger if not exists DeleteSelfRefs before delete on ValidPaths
       begin
         delete from Refs
           where referrer = old.id and reference = old.id;
       end"))

(define (recorded-version layout)
  "Return the schema version that @var{layout}'s store declares, 0 for none."
  (let ((file (layout-schema-file layout)))
    (if (file-exists? file)
        (let ((text (call-with-input-file file get-string-all)))
          (if (and (not (string-null? text))
                   (string-every char-set:digit text))
              (string->number text)
              (fail "`~a' is corrupt" file)))
        0)))

(define (check-version layout version)
  "Fail unless @var{version} is 0, a new store, or the one we know."
  (cond ((> version %schema-version)
         (fail "the store database `~a' has schema version ~a, ~
but only version ~a is supported"
               (layout-database layout) version %schema-version))
        ((< 0 version %schema-version)
         (fail "the store database `~a' has schema version ~a, ~
which is too old" (layout-database layout) version))
        ((and (= version %schema-version)
              (not (file-exists? (layout-database layout))))
         (fail "the store database `~a' is missing"
               (layout-database layout)))))

(define (configure db)
  "Apply to the connection @var{db} what every connection needs."
  (query db "pragma busy_timeout = 3600000")
  (query db "pragma cell_size_check = on"))

(define (configure-writer db)
  "Apply to the connection @var{db} guix-daemon's settings."
  (configure db)
  (query db "pragma foreign_keys = on")
  (query db "pragma synchronous = normal")
  ;; Changing the mode takes an exclusive lock, finding it unchanged does not.
  (unless (equal? '(#("wal")) (query db "pragma journal_mode"))
    (query db "pragma journal_mode = wal"))
  (query db "pragma wal_autocheckpoint = 40000"))

(define (write-version layout)
  "Declare that the database of @var{layout} has our schema."
  (write-file-durably (layout-schema-file layout)
                      (number->string %schema-version)))

(define (open-writer layout)
  "Open the database of the store of @var{layout}, a @code{<layout>}, for
writing, after creating it in a new store, and return the connection.  Raise a
@code{&fruix-error} if its schema is not ours."
  (let* ((version (recorded-version layout))
         (new? (zero? version)))
    (check-version layout version)
    (let ((db (open-database (layout-database layout) #:create? new?)))
      (on-failure (lambda () (close-database db))
        (lambda ()
          (call-naming (layout-database layout)
            (lambda ()
              (configure-writer db)
              (call-with-transaction db
                (lambda ()
                  (for-each (lambda (sql) (execute db sql)) %objects)))))
          (when new? (write-version layout))
          db)))))

(define (open-reader layout)
  "Return a connection that only reads the database of @var{layout}, which
@code{open-writer} has opened before."
  (let ((db (open-database (layout-database layout) #:read-only? #t)))
    (on-failure (lambda () (close-database db))
      (lambda ()
        (configure db)
        db))))
