// SPDX-License-Identifier: GPL-3.0-or-later
#include "linux/id_maps.hh"

#include "base/unique_fd.hh"

#include <fcntl.h>
#include <unistd.h>

namespace fruix {

constexpr char group_map[] = "/proc/self/gid_map";

outcome<void>
write_map (const char *name, std::string_view text) noexcept
{
  unique_fd fd {::open (name, O_WRONLY | O_CLOEXEC)};
  if (!fd)
    return failed ("open", name);
  if (::write (fd.get (), text.data (), text.size ())
      != static_cast<ssize_t> (text.size ()))
    return failed ("write", name);
  return {};
}

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
  auto result = write_map ("/proc/self/setgroups", "deny");
  if (result)
    result = write_map ("/proc/self/uid_map", users);
  if (!result || (mapper && mapper.call () && has_groups ()))
    return result;
  return write_map (group_map, groups);
}

}
