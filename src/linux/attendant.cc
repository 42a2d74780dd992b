// SPDX-License-Identifier: GPL-3.0-or-later
// It may have to outlive who calls it, so it does not live in the memory of
// its parent, as other children do until they execute a program.
#include "linux/attendant.hh"

#include "base/retry.hh"
#include "process/platform.hh"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>

namespace fruix {

// Of its caller, decimal.
constexpr std::size_t id_size = 16;

// That it has ended is told by its end of the socket, which a program that it
// executes keeps open, and nobody else has.
[[noreturn]] static void
attend (int socket, attendant::work work, void *argument) noexcept
{
  char caller[id_size] {};
  reset_signals ();
  if (::dup2 (socket, 0) == 0 && ::fcntl (0, F_SETFD, 0) == 0
      && close_from (1) && ::read (0, caller, sizeof caller - 1) > 0)
    work (caller, argument);
  ::_exit (0);
}

outcome<void>
attendant::start (work work, void *argument) noexcept
{
  int ends[2];
  if (::socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
    return failed ("socketpair");
  unique_fd ours {ends[0]}, its {ends[1]};
  id_ = ::_Fork ();
  if (id_ < 0)
    return failed ("fork");
  if (id_ == 0)
    attend (its.get (), work, argument);
  socket_ = std::move (ours);
  return {};
}

attendant::~attendant ()
{
  if (!socket_)
    return;
  ::shutdown (socket_.get (), SHUT_RDWR);
  [[maybe_unused]] auto reaped
      = retry ([&] { return ::waitpid (id_, nullptr, 0); });
}

outcome<void>
attendant::call () const noexcept
{
  char id[id_size];
  auto length = ::readlink ("/proc/self", id, sizeof id);
  if (length < 0)
    return failed ("readlink", "/proc/self");
  if (::send (socket_.get (), id, static_cast<std::size_t> (length),
              MSG_NOSIGNAL)
      < 0)
    return failed ("send");
  if (retry ([&] { return ::read (socket_.get (), id, sizeof id); }) < 0)
    return failed ("read");
  return {};
}

}
