// SPDX-License-Identifier: GPL-3.0-or-later
#include "linux/id_maps.hh"

#include "base/unique_fd.hh"
#include "linux/control.hh"

#include <fcntl.h>
#include <unistd.h>

namespace fruix {

constexpr char group_map[] = "/proc/self/gid_map";

// Whether there is any group; a map is written only once.
static bool
has_groups () noexcept
{
  char first;
  unique_fd fd {::open (group_map, O_RDONLY | O_CLOEXEC)};
  return ::read (fd.get (), &first, 1) == 1;
}

outcome<void>
map_ids (const std::string &users, const std::string &groups,
         const attendant &mapper) noexcept
{
  auto result = write_control ("/proc/self/setgroups", "deny");
  if (result)
    result = write_control ("/proc/self/uid_map", users);
  if (!result || (mapper && mapper.call () && has_groups ()))
    return result;
  return write_control (group_map, groups);
}

}
