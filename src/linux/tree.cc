// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/retry.hh"
#include "base/unique_fd.hh"
#include "tree/platform.hh"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

namespace fruix {

outcome<std::uint64_t>
mount_of (int fd) noexcept
{
  struct statx status;
  if (statx (fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &status))
    return failed ("statx");
  return status.stx_mnt_id;
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
  int flags;
  if (!fd || ioctl (fd.get (), FS_IOC_GETFLAGS, &flags))
    return failed ("ioctl", name);
  constexpr int sticky = FS_IMMUTABLE_FL | FS_APPEND_FL;
  if (!(flags & sticky))
    return false;
  flags &= ~sticky;
  if (ioctl (fd.get (), FS_IOC_SETFLAGS, &flags))
    return failed ("ioctl", name);
  return true;
}

}
