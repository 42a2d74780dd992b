;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; The numbers of system calls that src/linux/calls.hh has are those of the
;;; kernel's headers, for every machine whose headers are here.

(use-modules (ice-9 match)
             (ice-9 rdelim)
             (ice-9 regex)
             (srfi srfi-1)
             (srfi srfi-64))

(define (matches pattern file)
  "Return the matches of PATTERN, one a line at most, in FILE."
  (define regexp (make-regexp pattern))
  (call-with-input-file file
    (lambda (port)
      (let loop ((found '()))
        (match (read-line port)
          ((? eof-object?) (reverse found))
          (line (loop (match (regexp-exec regexp line)
                        (#f found)
                        (found-here (cons found-here found))))))))))

(define %rules
  ;; ((NAME X86-64 I386 ARM OTHERS) ...)
  (map (lambda (found)
         (cons (match:substring found 1)
               (map (lambda (i) (string->number (match:substring found i)))
                    '(2 3 4 5))))
       (matches "\\{\"(\\w+)\", \\{(-?\\w+), (-?\\w+), (-?\\w+), (-?\\w+)\\}"
                (string-append (getenv "abs_top_srcdir")
                               "/src/linux/calls.hh"))))

(define (header-numbers file)
  "Return ((NAME . NUMBER) ...) as the header FILE has them."
  (map (lambda (found)
         (cons (match:substring found 2)
               (string->number (match:substring found 3))))
       ;; Some calls have another name where integers have 32 bits.
       (matches "^#define __NR(3264)?_(\\w+) +([0-9]+)$" file)))

(define (header name)
  "Return the file name of the header NAME, or #f."
  (search-path '("/usr/include" "/usr/include/x86_64-linux-gnu"
                 "/usr/include/i386-linux-gnu")
               name))

(define (disagreements column numbers)
  "Return those of the rules whose number in COLUMN is not that of NUMBERS.
The headers may be too old to know a call."
  (filter-map (lambda (rule)
                (let ((ours (list-ref rule column))
                      (theirs (assoc-ref numbers (first rule))))
                  (and (if theirs
                           (not (eqv? ours theirs))
                           (and (>= ours 0) (< ours 424)))
                       (list (first rule) ours theirs))))
              %rules))

(test-begin "call-numbers")

(test-assert "there are rules" (> (length %rules) 30))

(for-each (match-lambda
            ((name column)
             (unless (header name) (test-skip 1))
             (test-equal name '()
               (disagreements column (header-numbers (header name))))))
          '(("asm/unistd_64.h" 1)
            ("asm/unistd_32.h" 2)
            ("asm-generic/unistd.h" 4)))

(test-equal "a wrong number is found" '(("open" 2 3) ("mount" 165 #f))
  (disagreements 1 (map (match-lambda
                          (("open" . _) '("open" . 3))
                          (("mount" . _) '("renamed" . 165))
                          ((name number . _) (cons name number)))
                        (filter (lambda (rule) (>= (second rule) 0))
                                %rules))))

(test-end "call-numbers")
