// SPDX-License-Identifier: GPL-3.0-or-later
#include "tree/canonical.hh"

#include <fcntl.h>

namespace fruix {

outcome<void>
canonicalise (int fd, mode_t mode, std::string_view name) noexcept
{
  if (fchmod (fd, mode))
    return failed ("fchmod", name);
  if (futimens (fd, canonical_times))
    return failed ("futimens", name);
  return {};
}

outcome<void>
canonicalise_symlink (int directory, const char *name) noexcept
{
  if (utimensat (directory, name, canonical_times, AT_SYMLINK_NOFOLLOW))
    return failed ("utimensat", name);
  return {};
}

}
