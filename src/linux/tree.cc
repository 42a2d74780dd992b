// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/retry.hh"
#include "base/unique_fd.hh"
#include "tree/platform.hh"

#include <charconv>
#include <cstdio>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

namespace fruix {

outcome<std::uint64_t>
mount_of (int fd) noexcept
{
  struct statx status;
  if (statx (fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &status))
    return failed ("statx");
  if (!(status.stx_mask & STATX_MNT_ID))
    return failed ("statx", "STATX_MNT_ID", ENOTSUP);
  return status.stx_mnt_id;
}

// Not those of the system's own: labels, what overlayfs keeps.
static bool
must_go (std::string_view attribute) noexcept
{
  return attribute.starts_with ("user.") || attribute == "security.capability"
         || attribute == "system.posix_acl_access"
         || attribute == "system.posix_acl_default";
}

// See listxattr(2).  More attributes than fit are an error.
outcome<void>
strip_attributes (int fd) noexcept
{
  char names[4096];
  ssize_t size = flistxattr (fd, names, sizeof names);
  if (size < 0)
    {
      if (errno == ENOTSUP)
        return {};
      return failed ("flistxattr");
    }
  for (const char *name = names; name < names + size;
       name += std::strlen (name) + 1)
    if (must_go (name) && fremovexattr (fd, name) && errno != ENODATA)
      return failed ("fremovexattr", name);
  return {};
}

// By the link in /proc, as fchmod(2) refuses O_PATH and there is no
// fchmodat2(2) before Linux 6.6.
outcome<void>
change_mode (int fd, mode_t mode) noexcept
{
  char link[32] = "/proc/self/fd/";
  std::to_chars (link + std::strlen (link), link + sizeof link - 1, fd);
  if (chmod (link, mode))
    return failed ("chmod");
  return {};
}

// See ioctl_iflags(2).  Only regular files and directories have flags.
outcome<bool>
clear_flags (int directory, const char *name) noexcept
{
  struct stat status;
  if (fstatat (directory, name, &status, AT_SYMLINK_NOFOLLOW))
    return failed ("fstatat", name);
  if (!S_ISREG (status.st_mode) && !S_ISDIR (status.st_mode))
    return false;
  unique_fd fd {retry ([&]
    {
      return openat (directory, name,
                     O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    })};
  if (!fd)
    return failed ("openat", name);
  int flags;
  if (ioctl (fd.get (), FS_IOC_GETFLAGS, &flags))
    return failed ("ioctl", name);
  constexpr int sticky = FS_IMMUTABLE_FL | FS_APPEND_FL;
  if (!(flags & sticky))
    return false;
  flags &= ~sticky;
  if (ioctl (fd.get (), FS_IOC_SETFLAGS, &flags))
    return failed ("ioctl", name);
  return true;
}

// See renameat2(2).
outcome<bool>
exchange (int directory, const char *name, int other,
          const char *other_name) noexcept
{
  if (renameat2 (directory, name, other, other_name, RENAME_EXCHANGE) == 0)
    return true;
  if (errno == EINVAL || errno == ENOSYS)
    return false;
  return failed ("renameat2", other_name);
}

}
