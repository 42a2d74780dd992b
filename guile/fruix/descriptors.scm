;;; SPDX-License-Identifier: GPL-3.0-or-later
;;; Commentary:
;;; Descriptors as integers: directories, which cannot be ports, pipes whose
;;; ends are polled, and waiting for several at once.
;;;
;;; Every descriptor made here is close-on-exec.  A descriptor has one owner,
;;; who closes it; 'call-with-directory' is the way not to forget.
;;; Code:

(define-module (fruix descriptors)
  #:use-module (fruix primitives)
  #:use-module (ice-9 match)
  #:use-module ((rnrs bytevectors) #:select (bytevector-length))
  #:export (call-with-directory
            open-directory
            open-directory-at
            make-pipe
            close-range
            read-descriptor!
            write-descriptor
            poll-descriptors
            wait-milliseconds))

(define (open-directory name)
  "Open the directory @var{name}, a string, and return its descriptor, an
integer, for the caller to close with @code{close-fdes}.  Symbolic links are
followed: @var{name} must lie where only trusted users write.  Raise a
@code{system-error} on failure (open(2))."
  (%open-directory name))

(define (open-directory-at fd name)
  "Open @var{name}, a single component, in the directory @var{fd}, a
descriptor, and return its descriptor for the caller to close.  A symbolic
link is refused, so that a directory in hostile hands can be walked.  Raise a
@code{system-error} on failure (openat(2))."
  (%open-directory-at fd name))

(define (call-with-directory name proc)
  "Open the directory @var{name} as @code{open-directory} does, call
@var{proc} with its descriptor, close that however @var{proc} is left, and
return what @var{proc} returned."
  (let ((fd (open-directory name)))
    (dynamic-wind
      (const #t)
      (lambda () (proc fd))
      (lambda () (close-fdes fd)))))

(define (make-pipe)
  "Return two values: the descriptors of a new pipe's end to read and of its
end to write (pipe2(2)).  The caller closes both."
  (match (%pipe)
    ((read . write) (values read write))))

(define* (close-range first last #:key cloexec?)
  "Close the descriptors from @var{first} to @var{last}, integers,
@var{last} being @code{#f} for the highest there is; with @var{cloexec?}, make
them close-on-exec instead.  Those that are not open do not matter.

Descriptors that Guile keeps for itself are among them, by which it delivers
signals, runs finalizers or, on FreeBSD, gets memory: without them the process
cannot go on.  So are those of ports, which learn nothing of it.  It is meant
for what was inherited under known numbers; @code{spawn-process} closes all
others in what it starts.  Raise a
@code{system-error}: @code{EINVAL} if @var{first} is above @var{last}, or for
@var{cloexec?} before Linux 5.11; @code{ENOSYS} before Linux 5.9
(close_range(2))."
  (%close-range first (or last #xffffffff) cloexec?))

(define* (read-descriptor! fd bv #:optional (start 0)
                           (count (- (bytevector-length bv) start)))
  "Read at most @var{count} bytes from the descriptor @var{fd} into the
bytevector @var{bv} at index @var{start}, waiting for the first of them.
Return their number, 0 at the end of the file.  Raise a @code{system-error}
on failure, @code{EAGAIN} included for a non-blocking descriptor (read(2))."
  (%read fd bv start count))

(define* (write-descriptor fd bv #:optional (start 0)
                           (count (- (bytevector-length bv) start)))
  "Write at most @var{count} bytes of the bytevector @var{bv} from index
@var{start} to the descriptor @var{fd}, and return how many were taken.  Raise
a @code{system-error} on failure: @code{EAGAIN} for a non-blocking descriptor
that takes none; @code{EPIPE} for a pipe without readers, if @code{SIGPIPE} is
ignored (write(2))."
  (%write fd bv start count))

;; The longest time that poll(2) knows, in milliseconds.
(define %longest-wait #x7fffffff)

(define (poll-descriptors watched timeout)
  "Wait until something happens on a descriptor, or for @var{timeout}
milliseconds, -1 being for ever, but no more than 24 days.  @var{watched} is a
list of @code{(fd . events)}, @code{events} being a list of @code{readable},
@code{writable} and @code{peer-closed}, which is a stream socket whose peer has
stopped writing.  Return the list of those that are ready, in the same form and
order, in whose events there can also be @code{hangup}, @code{error} and
@code{invalid}; the empty list after the time-out.  A signal does not end the
wait (poll(2))."
  (%poll watched (min timeout %longest-wait)))

(define (wait-milliseconds milliseconds)
  "Let this thread wait for @var{milliseconds}.  It may have been started with
any number of descriptors open: Guile's own @code{usleep} watches one that it
made for the thread by select(2), which knows 1024, and ends the process when
that has a larger number."
  (poll-descriptors '() milliseconds))
