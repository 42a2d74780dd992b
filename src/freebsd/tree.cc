// SPDX-License-Identifier: GPL-3.0-or-later
#include "tree/platform.hh"

#include "freebsd/mount.hh"

#include <fcntl.h>
#include <sys/types.h>
#include <sys/extattr.h>
#include <sys/param.h>
#include <sys/mount.h>
#include <sys/stat.h>

namespace fruix {

// A nullfs mount has a file system identifier of its own.
outcome<std::uint64_t>
mount_of (int fd) noexcept
{
  struct statfs status;
  if (fstatfs (fd, &status))
    return failed ("fstatfs");
  return mount_number (status.f_fsid);
}

// See extattr(2).  What it returns are names, each after its length.
outcome<void>
strip_attributes (int fd) noexcept
{
  if (fchflags (fd, 0) && errno != EOPNOTSUPP)
    return failed ("fchflags");
  unsigned char names[4096];
  ssize_t size = extattr_list_fd (fd, EXTATTR_NAMESPACE_USER, names,
                                  sizeof names);
  if (size < 0 && errno != EOPNOTSUPP)
    return failed ("extattr_list_fd");
  for (ssize_t i = 0; i < size; i += 1 + names[i])
    {
      char name[256] {};
      std::memcpy (name, names + i + 1, names[i]);
      if (extattr_delete_fd (fd, EXTATTR_NAMESPACE_USER, name))
        return failed ("extattr_delete_fd", name);
    }
  return {};
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
