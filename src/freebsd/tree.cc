// SPDX-License-Identifier: GPL-3.0-or-later
#include "tree/platform.hh"

#include <fcntl.h>
#include <sys/param.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fruix {

// A nullfs mount has a file system identifier of its own.
outcome<std::uint64_t>
mount_of (int fd) noexcept
{
  struct statfs status;
  if (fstatfs (fd, &status))
    return failed ("fstatfs");
  auto *parts = status.f_fsid.val;
  return std::uint64_t {static_cast<std::uint32_t> (parts[0])} << 32
         | static_cast<std::uint32_t> (parts[1]);
}

// See chflags(2).  The owner of a file can set some, too.
outcome<bool>
clear_flags (int directory, const char *name) noexcept
{
  struct stat status;
  if (fstatat (directory, name, &status, AT_SYMLINK_NOFOLLOW))
    return failed ("fstatat", name);
  constexpr unsigned long sticky = UF_IMMUTABLE | UF_APPEND | UF_NOUNLINK
                                   | SF_IMMUTABLE | SF_APPEND | SF_NOUNLINK;
  if (!(status.st_flags & sticky))
    return false;
  if (chflagsat (directory, name, status.st_flags & ~sticky,
                 AT_SYMLINK_NOFOLLOW))
    return failed ("chflagsat", name);
  return true;
}

}
