;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; What the daemon can be told to listen on.

(use-modules (fruix daemon addresses)
             (srfi srfi-64)
             (tests support))

(test-begin "addresses")

(test-equal "addresses"
  '((unix "/var/socket") (unix "/a:1")
    (tcp "localhost" 44146) (tcp "localhost" 9876) (tcp "192.0.2.1" 1)
    (tcp "::1" 44146) (tcp "::1" 44146) (tcp "::1" 65535)
    (tcp "2001:db8::2" 44146))
  (map parse-address
       '("/var/socket" "/a:1" "localhost" "localhost:9876" "192.0.2.1:1"
         "::1" "[::1]" "[::1]:65535" "2001:db8::2")))

(test-equal "no addresses"
  '("`' is no address to listen on"
    "`:1' is no address to listen on"
    "`[]' is no address to listen on"
    "`' in the address `host:' is not the number of a port"
    "`http' in the address `host:http' is not the number of a port"
    "`0' in the address `host:0' is not the number of a port"
    "`65536' in the address `host:65536' is not the number of a port"
    "`x' in the address `[::1]x' is not the number of a port")
  (map (lambda (text)
         (message-of (lambda () (parse-address text))))
       '("" ":1" "[]" "host:" "host:http" "host:0" "host:65536" "[::1]x")))

(test-end "addresses")
