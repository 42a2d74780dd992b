;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Agents: programs of Guix that do for the daemon what needs the network,
;;; keys or other machines.
;;;
;;; A daemon has one pool of them.  What each kind of agent can be asked is in
;;; a module of its own: (fruix agent substitute), (fruix agent authenticate)
;;; and (fruix agent offload).
;;; Code:

(define-module (fruix agent)
  #:use-module (fruix agent pool)
  #:use-module (fruix agent program)
  #:re-export (find-guix
               guix-program
               make-agent-pool
               close-agent-pool!
               close-idle-agents!))
