// SPDX-License-Identifier: GPL-3.0-or-later
#include "tree/durable.hh"
#include "tree/walker.hh"

#include <sys/types.h>
#include <sys/sysctl.h>
#include <sys/time.h>
#include <unistd.h>

namespace fruix {

static bool
opened (event_kind kind) noexcept
{
  return kind == event_kind::file || kind == event_kind::directory;
}

static outcome<void>
sync_tree (int directory, const std::string &name)
{
  tree_walker walker {directory, name};
  for (;;)
    {
      auto event = walker.next ();
      if (!event)
        return std::unexpected {event.error ()};
      if (event->kind == event_kind::done)
        return {};
      if (opened (event->kind) && fsync (walker.fd ()))
        return walker.fail ("fsync");
      // What is in a file need not be read for that.
      if (event->kind == event_kind::file)
        walker.skip_data ();
    }
}

// See fsync(2).  There is no call that waits for a whole file system.
outcome<void>
make_durable (int directory, const std::vector<std::string> &names)
{
  for (auto &name : names)
    if (auto result = sync_tree (directory, name);
        !result && result.error ().error != ENOENT)
      return result;
  if (fsync (directory))
    return failed ("fsync");
  return {};
}

// The time of the start: kern.boottime, see sysctl(3).  When the clock is
// set, it moves; then no harm is done but that more is looked at than need be.
outcome<void>
identify_boot (std::string &out)
{
  int name[] {CTL_KERN, KERN_BOOTTIME};
  timeval time;
  std::size_t size = sizeof time;
  if (sysctl (name, 2, &time, &size, nullptr, 0))
    return failed ("sysctl", "kern.boottime");
  out = std::to_string (time.tv_sec);
  return {};
}

}
