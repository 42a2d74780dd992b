((nil . ((fill-column . 78)
         (indent-tabs-mode . nil)))
 (c++-mode . ((c-file-style . "gnu")))
 (scheme-mode
  . ((eval . (put 'call-with-directory 'scheme-indent-function 1))
     (eval . (put 'call-with-store 'scheme-indent-function 1))
     (eval . (put 'call-with-transaction 'scheme-indent-function 1))
     (eval . (put 'test-equal 'scheme-indent-function 2)))))
