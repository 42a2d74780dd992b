;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; From a derivation to the sandbox of its builder: what it sees, and as whom
;;; it runs.  All that is done here is to look at the types of the inputs, and
;;; to prepare mount points for them.
;;; Code:

(define-module (fruix build sandbox)
  #:use-module (fruix build directory)
  #:use-module (fruix build host)
  #:use-module (fruix build network)
  #:use-module (fruix build users)
  #:use-module (fruix files)
  #:use-module (fruix octets)
  #:use-module (fruix sandbox)
  #:use-module (fruix store)
  #:use-module (fruix store layout)
  #:use-module (fruix store path)
  #:use-module (ice-9 match)
  #:use-module ((srfi srfi-1) #:select (any))
  #:export (build-directory-inside
            builder-identity
            shares-directories?
            build-sandbox))

;; Ids of the builder in a user namespace; they are part of what a build sees.
(define %inside-user 30001)
(define %inside-group 30000)
(define %inside-kvm-group 40000)

(define (build-directory-inside store drv)
  "Return the name of the build directory of @var{drv}, an item of @var{store},
as its builder sees it."
  (string-append "/tmp/guix-build-"
                 (store-path-name (store-directory store) drv) "-0"))

(define (passwd user group)
  (string-append
   "nixbld:x:" (number->string user) ":" (number->string group)
   ":Nix build user:/:/noshell\n"
   "nobody:x:65534:65534:Nobody:/:/noshell\n"))

(define (group-file group)
  (string-append "nixbld:!:" (number->string group) ":\n"))

(define (sort-inputs store inputs)
  "Return three lists of @var{inputs}, store paths: directories, other files,
and symbolic links, which cannot be mounted."
  (define layout (store-layout store))
  (let loop ((inputs inputs) (directories '()) (files '()) (links '()))
    (match inputs
      (()
       (values directories files links))
      ((input . rest)
       (case (stat:type (lstat (physical layout input)))
         ((directory) (loop rest (cons input directories) files links))
         ((symlink) (loop rest directories files (cons input links)))
         (else (loop rest directories (cons input files) links)))))))

(define (input-mounts store inputs)
  (map (lambda (input)
         (list (physical (store-layout store) input) input 'read-only))
       inputs))

(define (input-symlinks store inputs)
  "Return symbolic links like @var{inputs}, which are some."
  (map (lambda (input)
         (list input (readlink (physical (store-layout store) input))))
       inputs))

(define (in-store? store name)
  (string-prefix? (string-append (store-directory store) "/")
                  (string-append name "/")))

(define (shares-directories? store host)
  "Return true if builders of @var{store} see directories on @var{host} in which
they may be able to change something, or to meet others."
  (any (match-lambda
         ((inside . outside) (not (in-store? store outside))))
       (build-host-directories host)))

(define (directory-mounts store directories)
  "Return mounts of @var{directories}, an alist of names inside and outside.
What is in the store is not for a builder to change."
  (map (match-lambda
         ((inside . outside)
          (if (in-store? store outside)
              (list (physical (store-layout store) outside) inside
                    'read-only)
              (list outside inside 'read-write))))
       directories))

(define (environment->entries environment)
  "Return the alist @var{environment} of octet strings as a builder gets it."
  (map (match-lambda
         ((name . value)
          (octets->bytevector (string-append name "=" value))))
       environment))

(define (builder-identity host user)
  "Return as whom a builder runs on @var{host} for which there is @var{user},
what @code{build-user} returned, or @code{#f} for the daemon's own identity in a
user namespace: a list of keyword arguments of @code{sandbox}."
  (if user
      (list #:user (build-user-id user)
            #:group (build-user-group user))
      (list #:mapping
            `((uid ,%inside-user . ,(geteuid))
              (gid ,%inside-group . ,(getegid))
              ,@(match (build-host-kvm-group host)
                  (#f '())
                  (group `((gid ,%inside-kvm-group . ,group))))))))

(define* (build-sandbox store host drv #:key area directory inputs user
                        network environment personality)
  "Return the sandbox in which @var{host} builds @var{drv}: @var{area} is its
chroot area and @var{directory} its build directory, @var{inputs} are the store
items that it sees, @var{user} is as for @code{builder-identity}, @var{network}
what @code{call-with-build-network} gave; @var{environment} is an alist of octet
strings, and @var{personality} as for @code{sandbox}."
  (define uid (if user (build-user-id user) %inside-user))
  (define gid (if user (build-user-group user) %inside-group))
  (define inside (build-directory-inside store drv))
  (call-with-values (lambda () (sort-inputs store inputs))
    (lambda (directories files links)
      (prepare-mount-points area (store-directory store) files directories
                            inside)
      (apply
       sandbox
       #:root (area-root area)
       #:directories '()
       #:mounts `((,(area-store area) ,(store-directory store) read-write)
                  (,(area-temporary-directory area) "/tmp" read-write)
                  (,(build-directory-top directory) ,inside read-write)
                  ,@(directory-mounts store (build-host-directories host))
                  ,@(build-network-mounts network)
                  ,@(input-mounts store directories)
                  ,@(input-mounts store files))
       #:symlinks (input-symlinks store links)
       #:files `(("/etc/passwd" ,(passwd uid gid) #o644)
                 ("/etc/group" ,(group-file gid) #o644)
                 ,@(build-network-files network))
       #:network (build-network-kind network)
       #:supplementary-groups (if user
                                  (build-user-supplementary-groups user)
                                  '())
       #:environment (environment->entries environment)
       #:directory inside
       #:program-directory (store-directory store)
       #:personality personality
       ;; Installing a program may set such bits, and fail if it cannot.  No
       ;; mount of the sandbox honours them, nobody else gets to see the file,
       ;; and they are gone when it is registered.
       #:hardening `(system-calls keyring
                     ,@(if (build-host-socketcall? host) '() '(sockets))
                     ;; Not needed where nobody else is in the network.
                     ,@(if (build-network-process network)
                           '()
                           '(abstract-sockets)))
       (builder-identity host user)))))
