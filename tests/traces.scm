;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; What clients hear of builds, in guix-daemon's words.

(use-modules (fruix session traces)
             (rnrs bytevectors)
             (srfi srfi-64))

(define %drv "/gnu/store/9ly2hx65g7s9a6r5b3xargsgxxq0q6iw-x.drv")

(define (trace . words)
  (string-append "@ " (car words) " " %drv " - " (string-join (cdr words))))

(test-begin "traces")

(test-equal "started" (trace "build-started" "x86_64-linux" "/log/x.gz" "12")
  (started->trace %drv "x86_64-linux" "/log/x.gz" 12))
(test-equal "started, without a log: two spaces"
  (trace "build-started" "x86_64-linux" "" "12")
  (started->trace %drv "x86_64-linux" "" 12))
(test-equal "output is framed by its length in bytes"
  "@ build-log 12 9\nline one\n"
  (string-concatenate (map utf8->string
                           (log->frame 12 (string->utf8 "line one\n")))))

(test-equal "builder failed" (trace "build-failed" "1 no")
  (failure->trace %drv 'failed "no"))
(test-equal "rejected" (trace "build-failed" "0 no")
  (failure->trace %drv 'rejected "no"))
(test-equal "timeout" (trace "build-failed" "timeout")
  (failure->trace %drv 'timeout "no"))
(test-equal "a message has no line of its own"
  (trace "build-failed" "1 no @ build-succeeded")
  (failure->trace %drv 'failed "no\n@ build-succeeded"))
(test-equal "an input's failure is no trace" #f
  (failure->trace %drv 'dependency "1 dependencies couldn't be built"))

(test-end "traces")
