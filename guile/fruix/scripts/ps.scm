;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; 'fruix ps': the builds that run or wait, of all clients.
;;; Code:

(define-module (fruix scripts ps)
  #:use-module (fruix client control)
  #:use-module (fruix scripts support)
  #:use-module (fruix scripts text)
  #:use-module (ice-9 format)
  #:use-module (ice-9 match)
  #:export (main))

(define %help "\
Usage: fruix ps [OPTION]…
List the builds and substitutions that run or wait: in which phase, for how
long, what, and for whom (user and process).
")

(define (user-name uid)
  (catch 'misc-error
    (lambda () (passwd:name (getpwuid uid)))
    (lambda _ (number->string uid))))

(define (client->text client)
  (match client
    (('remote) "another machine")
    ((uid pid) (format #f "~a (~a)" (user-name uid) pid))))

(define (phase->text phase kind builder)
  "Return what PHASE of a task of KIND is to people; BUILDER is #f as long as it
waits for a build user, or for locks, or is being prepared."
  (if (and (eq? phase 'running) (not builder)
           (memq kind '(build check repair)))
      "starting"
      (symbol->string phase)))

(define (display-build fields)
  (match (map (lambda (key) (assq-ref fields key))
              '(kind path phase since clients))
    (((kind) (path) (phase) (since) clients)
     (format #t "~10a ~10a ~8@a  ~a  for ~a~%"
             (phase->text phase kind (assq-ref fields 'builder))
             kind
             (duration->text (max 0 (- (current-time) since)))
             (printable (item-name path))
             (if (null? clients)
                 "nobody"
                 (string-join (map client->text clients) ", "))))))

(define (main arguments)
  "List all clients' builds; @var{arguments} is a list of strings.  Return the
exit code."
  (run-command
   "fruix ps" arguments '() %help
   (lambda (options rest)
     (unless (null? rest)
       (usage-error "unexpected argument '~a'" (car rest)))
     (match (query-control (option-control-socket options) '(ps))
       (('ps) (format (current-error-port) "no builds~%"))
       (('ps ('build . builds) ...) (for-each display-build builds))))))
