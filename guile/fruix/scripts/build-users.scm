;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Who builds: from the options of fruix-daemon and the accounts of this
;;; machine to a pool of users.
;;; Code:

(define-module (fruix scripts build-users)
  #:use-module (fruix build users)
  #:use-module (fruix errors)
  #:use-module (fruix scripts command-line)
  #:use-module (fruix store layout)
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:export (find-group
            user-pool))

(define (find-group name)
  "Return the entry of the group @var{name}, whose members are to build, as
@code{getgrnam} does; @code{#f} if @var{name} is.  Raise a @code{&fruix-error}
if there is no such group, or nobody is in it."
  (and name
       (let ((group
              ;; Guile has two ways to say that there is none.
              (catch #t
                (lambda () (getgrnam name))
                (lambda _
                  (fail "the build users' group `~a' does not exist"
                        name)))))
         (when (null? (group:mem group))
           (fail "the build users' group `~a' has no members" name))
         group)))

(define (groups-of name)
  "Return the numbers of all groups that have the user NAME as a member."
  (setgrent)
  (let loop ((ids '()))
    (match (getgrent)
      (#f
       (endgrent)
       (reverse ids))
      (group
       (loop (if (member name (group:mem group))
                 (cons (group:gid group) ids)
                 ids))))))

(define (group-user group)
  "Return a procedure from the name of a member of GROUP to a build user, who
is in all groups of that member."
  (lambda (name)
    (define account
      (catch #t
        (lambda () (getpwnam name))
        (lambda _
          (fail "`~a', in the build users' group `~a', has no account"
                name (group:name group)))))
    (build-user (passwd:uid account) (group:gid group) (groups-of name))))

(define (user-pool results group layout)
  "Return the pool of the users that the options in @var{results} name, and of
the members of @var{group}, an entry of @code{find-group} or @code{#f}; or
@code{#f} if there are none.  Its locks are in the state directory of
@var{layout}."
  (match (append (map (match-lambda
                        ((uid . gid) (build-user uid gid)))
                      (concatenate (option-values results 'users)))
                 (if group
                     (map (group-user group) (group:mem group))
                     '()))
    (() #f)
    (users
     (make-user-pool users (string-append (layout-state-directory layout)
                                          "/userpool")))))
