;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; From a derivation to the sandbox of its builder: what it sees, and as whom
;;; it runs.  Nothing is done here but looking at the types of the inputs.
;;; Code:

(define-module (fruix build sandbox)
  #:use-module (fruix build directory)
  #:use-module (fruix build host)
  #:use-module (fruix build network)
  #:use-module (fruix build users)
  #:use-module (fruix octets)
  #:use-module (fruix sandbox)
  #:use-module (fruix store)
  #:use-module (fruix store layout)
  #:use-module (fruix store path)
  #:use-module (ice-9 match)
  #:use-module ((srfi srfi-1) #:select (partition))
  #:export (build-directory-inside
            builder-identity
            build-sandbox))

;; Ids of the builder in a user namespace; they are part of what a build sees.
(define %inside-user 30001)
(define %inside-group 30000)

(define (build-directory-inside store drv)
  "Return the name of the build directory of @var{drv}, an item of @var{store},
as its builder sees it."
  (string-append "/tmp/guix-build-"
                 (store-path-name (store-directory store) drv) "-0"))

(define (passwd user group)
  (string-append
   (format #f "nixbld:x:~a:~a:Nix build user:/:/noshell~%" user group)
   "nobody:x:65534:65534:Nobody:/:/noshell\n"))

(define (group-file group)
  (format #f "nixbld:!:~a:~%" group))

(define (input-entries store inputs)
  "Return two lists for @var{inputs}, store paths: mounts of files and
directories, and symbolic links, which cannot be mounted and are made again."
  (define (file input)
    (physical (store-layout store) input))
  (define (symlink? input)
    (eq? 'symlink (stat:type (lstat (file input)))))
  (call-with-values (lambda () (partition symlink? inputs))
    (lambda (links others)
      (values (map (lambda (input) (list (file input) input 'read-only))
                   others)
              (map (lambda (link) (list link (readlink (file link))))
                   links)))))

(define (directory-mounts store directories)
  "Return mounts of @var{directories}, an alist of names inside and outside.
What is in the store is not for a builder to change."
  (define (in-store? name)
    (string-prefix? (store-directory store) name))
  (map (match-lambda
         ((inside . outside)
          (if (in-store? outside)
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

(define (builder-identity user)
  "Return as whom the builder runs for which there is @var{user}, what
@code{build-user} returned, or @code{#f} for the daemon's own identity in a user
namespace: a list of keyword arguments of @code{sandbox}."
  (if user
      (list #:user (build-user-id user)
            #:group (build-user-group user))
      (list #:mapping `((uid ,%inside-user . ,(geteuid))
                        (gid ,%inside-group . ,(getegid))))))

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
  (call-with-values (lambda () (input-entries store inputs))
    (lambda (input-mounts links)
      (apply
       sandbox
       #:root (area-root area)
       #:directories '()
       #:mounts `((,(area-store area) ,(store-directory store) read-write)
                  (,(area-temporary-directory area) "/tmp" read-write)
                  (,(build-directory-top directory) ,inside read-write)
                  ,@(directory-mounts store (build-host-directories host))
                  ,@(build-network-mounts network)
                  ,@input-mounts)
       #:symlinks links
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
                     ;; Not needed where nobody else is in the network.
                     ,@(if (build-network-process network)
                           '()
                           '(abstract-sockets)))
       (builder-identity user)))))
