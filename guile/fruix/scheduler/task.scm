;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What a job does, as a name: the nodes of a request.
;;;
;;; Building a derivation in the usual way is called as the derivation itself;
;;; anything else has its kind in front, as in
;;; "substitute:/gnu/store/…-hello".  Kinds are:
;;;
;;;   build       the outputs of a derivation become valid
;;;   check       it is built again, and compared
;;;   repair      it is built again, and replaces what was damaged
;;;   substitute  an item becomes valid, coming from elsewhere
;;;   replace     an item that was damaged comes from elsewhere again
;;; Code:

(define-module (fruix scheduler task)
  #:export (task
            task-kind
            task-path
            task-order))

(define (task kind path)
  "Return the name, a string, of the task of @var{kind}, a symbol, for
@var{path}, the store path of a derivation or of an item."
  (if (eq? kind 'build)
      path
      (string-append (symbol->string kind) ":" path)))

(define (colon task)
  "Return where the kind of @var{task} ends, or @code{#f} if it has none: a
store path begins with a slash."
  (and (not (string-prefix? "/" task))
       (string-index task #\:)))

(define (task-kind task)
  "Return the kind of @var{task}: @code{build}, @code{check}, @code{repair},
@code{substitute} or @code{replace}."
  (let ((end (colon task)))
    (if end
        (string->symbol (string-take task end))
        'build)))

(define (task-path task)
  "Return the store path that @var{task} is for."
  (let ((end (colon task)))
    (if end
        (string-drop task (+ end 1))
        task)))

(define (item-name path)
  "Return the name in @var{path}, behind its hash part."
  (let* ((base (+ 1 (or (string-rindex path #\/) -1)))
         (name (+ base 33)))
    (if (and (< name (string-length path))
             (char=? #\- (string-ref path (- name 1))))
        (substring path name)
        (substring path base))))

(define (task-order task)
  "Return the string by which @var{task} sorts among those that are ready: what
is only fetched comes first, and then the name counts before the hash."
  (string-append (if (memq (task-kind task) '(substitute replace)) "a" "b")
                 (item-name (task-path task)) "\0" task))
