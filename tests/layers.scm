;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Modules and C++ files know only lower layers.

(define %source (getenv "abs_top_srcdir"))
(add-to-load-path (string-append %source "/build-aux"))

(use-modules (check-layers)
             (srfi srfi-64))

(test-begin "layers")

(test-equal "modules import downwards" '() (scheme-violations %source))
(test-equal "C++ files include downwards" '() (c++-violations %source))

(test-equal "an upward import is found" '("store imports daemon")
  (module-violations "store" '("errors" "daemon")))
(test-equal "store and sandbox do not know each other"
  '("store/gc imports sandbox/spec" "store/gc imports sandbox/linux")
  (module-violations "store/gc" '("sandbox/spec" "sandbox/linux")))
(test-equal "only the second layer imports the primitives"
  '("store imports primitives")
  (module-violations "store" '("primitives")))
(test-equal "the client does not import the daemon's modules"
  '("client imports store")
  (module-violations "client" '("store" "nar")))
(test-equal "a module without a place is found" '("novelty: in no layer")
  (module-violations "novelty" '()))
(test-equal "only src/scheme includes libguile.h"
  '("tree/walk.cc includes libguile.h")
  (include-violations "tree/walk.cc" '("base/outcome.hh" "libguile.h")))
(test-equal "a portable file includes no system's header"
  '("plan/perform.cc includes linux/mount.hh")
  (include-violations "plan/perform.cc" '("linux/mount.hh" "sys/stat.h")))

(test-end "layers")
