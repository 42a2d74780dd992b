;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; The sockets that the daemon listens on.  Who may reach a local one is
;;; decided by the permissions of its directory; the socket itself is open to
;;; all.
;;;
;;; A socket's name is bound relative to its directory, since the system takes
;;; only 107 bytes: so this is done before there are other threads.
;;; Code:

(define-module (fruix daemon sockets)
  #:use-module (fruix errors)
  #:use-module ((fruix store directories) #:select (ensure-directory))
  #:use-module (ice-9 match)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:export (listener-port
            open-listeners
            adopt-listener
            listener->text
            close-listener))

(define-record-type <listener>
  (%make-listener port file inode)
  listener?
  (port listener-port)                  ;socket
  (file listener-file)                  ;file name to delete, or #f
  (inode listener-inode))               ;of that file, when it was made

(define (file-inode file)
  (match (false-if-exception (lstat file))
    (#f #f)
    (status (cons (stat:dev status) (stat:ino status)))))

(define (make-listener port file)
  (%make-listener port file (and file (file-inode file))))

;; Connections that may wait to be accepted.
(define %backlog 128)

(define (make-socket family)
  (socket family (logior SOCK_STREAM SOCK_CLOEXEC) 0))


;;;
;;; Local sockets.
;;;

(define (answered? name)
  "Return true if somebody listens on the socket NAME."
  (call-with-port (make-socket AF_UNIX)
    (lambda (port)
      (catch 'system-error
        (lambda ()
          (connect port AF_UNIX name)
          #t)
        (const #f)))))

(define (socket-status? status)
  (and status (eq? 'socket (stat:type status))))

(define (socket-file? name)
  (socket-status? (false-if-exception (lstat name))))

(define (call-in-directory directory thunk)
  (dynamic-wind
    (lambda () (chdir directory))
    thunk
    (lambda () (chdir "/"))))

(define (bind-file port file)
  (define name (basename file))
  (ensure-directory (dirname file))
  (call-naming file
    (lambda ()
      (call-in-directory (dirname file)
        (lambda ()
          (when (socket-file? name)
            (when (answered? name)
              (fail "another daemon listens on `~a'" file))
            (delete-file name))
          (bind port AF_UNIX name)
          (chmod name #o666)))
      (listen port %backlog))))

(define (open-local-listener file)
  (let ((port (make-socket AF_UNIX)))
    (on-failure (lambda () (close-port port))
                (lambda () (bind-file port file)))
    (make-listener port file)))


;;;
;;; TCP.
;;;

(define (resolve host service)
  "Return the socket addresses of HOST and SERVICE, a port's number."
  (catch 'getaddrinfo-error
    (lambda ()
      (delete-duplicates
       (map addrinfo:addr
            (getaddrinfo host (number->string service)
                         (logior AI_PASSIVE AI_NUMERICSERV)
                         AF_UNSPEC SOCK_STREAM))))
    (lambda (key error)
      (fail "cannot listen on `~a': ~a" host (gai-strerror error)))))

(define (open-address-listener address)
  (let ((port (make-socket (sockaddr:fam address))))
    (on-failure (lambda () (close-port port))
                (lambda ()
                  (setsockopt port SOL_SOCKET SO_REUSEADDR 1)
                  (bind port address)
                  (listen port %backlog)))
    (make-listener port #f)))

(define (open-tcp-listeners host service)
  "Return a listener for each address of HOST that this machine has."
  (define (try address)
    (catch 'system-error
      (lambda () (open-address-listener address))
      (lambda arguments
        (let ((errno (system-error-errno arguments)))
          (unless (memv errno (list EADDRNOTAVAIL EAFNOSUPPORT))
            (fail "cannot listen on port ~a of `~a': ~a" service host
                  (strerror errno)))
          #f))))
  (match (filter-map try (resolve host service))
    (() (fail "cannot listen on `~a': not an address of this machine" host))
    (listeners listeners)))


(define (open-listeners address)
  "Return a list of listeners on @var{address}, one of
@code{parse-address}: one for the file of a socket, one for each address that
a host has.  The directory of a file is created where missing, and the socket
of a daemon that is gone is replaced.  Raise a @code{&fruix-error} if a daemon
answers there, and for a host without addresses; any other file by that name
is a @code{system-error}.  The working directory becomes the root directory."
  (match address
    (('unix file) (list (open-local-listener file)))
    (('tcp host service) (open-tcp-listeners host service))))

(define (adopt-listener descriptor)
  "Return a listener for the socket behind @var{descriptor}, which another
program has bound.  Raise a @code{&fruix-error} if there is none."
  (unless (socket-status? (false-if-exception (stat descriptor)))
    (fail "descriptor ~a is not a socket" descriptor))
  (let ((port (fdopen descriptor "r+0")))
    (fcntl port F_SETFD FD_CLOEXEC)
    (fcntl port F_SETFL (logand (fcntl port F_GETFL) (lognot O_NONBLOCK)))
    (make-listener port #f)))

(define (address->text address)
  "Return the socket ADDRESS of TCP as 'parse-address' takes it."
  (let* ((family (sockaddr:fam address))
         (host (inet-ntop family (sockaddr:addr address))))
    (format #f "~a:~a"
            (if (= family AF_INET6) (string-append "[" host "]") host)
            (sockaddr:port address))))

(define (listener->text listener)
  "Return where @var{listener} listens: the name of a file, or an address with
a port, as @code{parse-address} takes it."
  (or (listener-file listener)
      (let ((address (getsockname (listener-port listener))))
        (if (= AF_UNIX (sockaddr:fam address))
            (sockaddr:path address)
            (address->text address)))))

(define (close-listener listener)
  "Close @var{listener}, unless that was done, and delete the file that was
created for it, unless another daemon has put its own in the place."
  (unless (port-closed? (listener-port listener))
    (let ((file (listener-file listener)))
      (when (and file (equal? (file-inode file) (listener-inode listener)))
        (delete-file file)))
    (close-port (listener-port listener))))
