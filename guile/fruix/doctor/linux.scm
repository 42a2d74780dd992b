;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; What Linux alone has: user namespaces, the calls with which a sandbox is
;;; put together, what confines a builder, control groups, subordinate ids,
;;; and what gives builders a network.
;;; Code:

(define-module (fruix doctor linux)
  #:use-module (fruix config)
  #:use-module (fruix doctor answers)
  #:use-module (fruix probe)
  #:use-module (fruix process)
  #:use-module (fruix sandbox cgroup)
  #:use-module (ice-9 match)
  #:use-module (ice-9 textual-ports)
  #:use-module (srfi srfi-1)
  #:export (linux-facts))

(define %calls
  '("clone3" "pidfd_open" "openat2" "open_tree" "move_mount" "mount_setattr"
    "fsopen" "seccomp"))

(define (read-text file)
  (string-trim-right (call-with-input-file file get-string-all)))

(define (lines file)
  (string-split (read-text file) #\newline))


;;
;; User namespaces.
;;

;; What makes them unavailable to ordinary users: settings, with the value
;; that does.
(define %obstacles
  '(("user.max_user_namespaces" . "0")
    ("kernel.unprivileged_userns_clone" . "0")
    ("kernel.apparmor_restrict_unprivileged_userns" . "1")))

(define (setting name)
  "Return the value of the sysctl @var{name}, or @code{#f} if there is none."
  (false-if-exception
   (read-text (string-append "/proc/sys/"
                             (string-map (lambda (char)
                                           (if (char=? char #\.) #\/ char))
                                         name)))))

(define (user-namespaces-allowed)
  (match (find (match-lambda
                 ((name . value) (equal? value (setting name))))
               %obstacles)
    ((name . value) (no "~a is ~a" name value))
    (#f #t)))

(define (user-namespaces allowed)
  "Return the answer to whether there can be one; if not, ALLOWED, the answer
to whether they are, may tell why."
  (match (list (try "user-namespaces") allowed)
    ((('no . error) ('no . obstacle)) (no "~a: ~a" error obstacle))
    ((answer _) answer)))


;;
;; Control groups, version 2.
;;

(define (controllers cgroup)
  (match (string-tokenize
          (read-text (string-append cgroup "/cgroup.controllers")))
    (() (no "it has none"))
    (names (string-join names))))

(define (cgroup-facts)
  (define cgroup
    (or (own-cgroup)
        (no "cgroup2 is not mounted, or this process is in none")))
  `(("cgroup" . ,cgroup)
    ("cgroup-controllers" . ,(if (yes? cgroup)
                                 (attempt (lambda () (controllers cgroup)))
                                 cgroup))
    ("cgroup-delegated"
     . ,(or (delegated-cgroup '("cpu" "memory" "pids"))
            (no "none with the controllers cpu, memory and pids")))))

;;
;; Subordinate ids.
;;

(define (subordinate-ids file)
  "Return the answer which ranges FILE, see subuid(5), gives to this user."
  (define uid (getuid))
  (define names
    (list (number->string uid)
          (false-if-exception (passwd:name (getpwuid uid)))))
  (define (range line)
    (match (string-split line #\:)
      (((? (lambda (name) (member name names))) first count)
       (string-append first ":" count))
      (_ #f)))
  (match (filter-map range (lines file))
    (() (no "~a gives this user none" file))
    (ranges (string-join ranges))))

(define (program name)
  (or (find-program name)
      (no "not in PATH")))

(define (subordinate-id-facts)
  `(("subordinate-uids"
     . ,(attempt (lambda () (subordinate-ids "/etc/subuid"))))
    ("subordinate-gids"
     . ,(attempt (lambda () (subordinate-ids "/etc/subgid"))))
    ("newuidmap" . ,(program "newuidmap"))
    ("newgidmap" . ,(program "newgidmap"))))

;;
;; Networks for builders of fixed outputs.
;;

(define (openable device)
  "Return the answer to whether @var{device}, a file, can be read and written."
  (catch 'system-error
    (lambda ()
      (close-port (open device (logior O_RDWR O_CLOEXEC)))
      #t)
    (lambda arguments
      (no "~a: ~a" device (strerror (system-error-errno arguments))))))

(define (network-facts)
  `(("slirp4netns" . ,(if (file-exists? %slirp4netns)
                          %slirp4netns
                          (program "slirp4netns")))
    ("tun" . ,(openable "/dev/net/tun"))))

(define (linux-facts)
  "Return an alist of names, strings, and answers: what Linux alone has."
  (define allowed (user-namespaces-allowed))
  `(("user-namespaces" . ,(user-namespaces allowed))
    ("user-namespaces-for-all" . ,allowed)
    ,@(map (lambda (name) (cons name (try name))) %calls)
    ("landlock" . ,(attempt (lambda () (probe "landlock"))))
    ,@(cgroup-facts)
    ,@(subordinate-id-facts)
    ,@(network-facts)))
