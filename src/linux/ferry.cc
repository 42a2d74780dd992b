// SPDX-License-Identifier: GPL-3.0-or-later
// fruix-ferry: carries Ethernet frames between its input, a socket that keeps
// their bounds, and its output, the other end of a network interface, until
// either is gone.
//
// A frame that cannot be passed on at once is lost, as on any wire.  What is
// in it is nothing to this program, which by then may do hardly anything but
// read and write.
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <initializer_list>
#include <poll.h>
#include <unistd.h>

// More than a frame can have.
static char frame[65536 + 64];

// Pass one frame on; return whether there may be more.
static bool
carry (int from, int to)
{
  auto length = ::read (from, frame, sizeof frame);
  if (length < 0)
    return errno == EAGAIN || errno == EINTR;
  if (length > 0
      && ::write (to, frame, static_cast<std::size_t> (length)) < 0)
    return errno != EPIPE && errno != ENOTCONN;
  return length > 0;
}

int
main ()
{
  constexpr short gone = POLLERR | POLLHUP | POLLNVAL;
  std::signal (SIGPIPE, SIG_IGN);
  // Waiting for one end, it would let the other wait for itself.
  for (int end : {0, 1})
    if (::fcntl (end, F_SETFL, O_NONBLOCK) < 0)
      return 1;
  pollfd ends[] = {{0, POLLIN, 0}, {1, POLLIN, 0}};
  for (;;)
    {
      if (::poll (ends, 2, -1) < 0 && errno != EINTR)
        return 1;
      for (int end : {0, 1})
        if ((ends[end].revents & gone)
            || ((ends[end].revents & POLLIN) && !carry (end, 1 - end)))
          return 0;
    }
}
