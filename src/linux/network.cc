// SPDX-License-Identifier: GPL-3.0-or-later
#include "linux/network.hh"

#include "linux/steps.hh"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace fruix {

outcome<void>
raise_loopback () noexcept
{
  unique_fd fd {::socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (!fd)
    return failed ("socket", "lo");
  struct ifreq request {};
  copy_text (request.ifr_name, "lo");
  if (::ioctl (fd.get (), SIOCGIFFLAGS, &request) < 0)
    return failed ("ioctl", "lo");
  request.ifr_flags |= IFF_UP;
  if (::ioctl (fd.get (), SIOCSIFFLAGS, &request) < 0)
    return failed ("ioctl", "lo");
  return {};
}

static outcome<unique_fd>
current_network () noexcept
{
  constexpr auto file = "/proc/thread-self/ns/net";
  unique_fd fd {::open (file, O_RDONLY | O_CLOEXEC)};
  if (!fd)
    return failed ("open", file);
  return fd;
}

outcome<unique_fd>
make_network () noexcept
{
  auto before = current_network ();
  if (!before)
    return before;
  if (::unshare (CLONE_NEWNET) < 0)
    return failed ("unshare", "CLONE_NEWNET");
  auto raised = raise_loopback ();
  auto made = current_network ();
  // What this thread does next must not happen in the wrong network.
  if (::setns (before->get (), CLONE_NEWNET) < 0)
    ::_exit (71);
  if (!raised)
    return std::unexpected {raised.error ()};
  return made;
}

namespace plan {

// ("loopback-up"): the new network namespace gets 127.0.0.1 and ::1.
outcome<void>
raise_loopback (const step &, context &) noexcept
{
  return fruix::raise_loopback ();
}

// ("network" FD): be in the network namespace that is open as FD.
outcome<void>
enter_network (const step &step, context &) noexcept
{
  if (::setns (step.number (0), CLONE_NEWNET) < 0)
    return failed ("setns");
  return {};
}

}

}
