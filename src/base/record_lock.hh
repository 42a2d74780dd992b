// SPDX-License-Identifier: GPL-3.0-or-later
// POSIX record locks on whole files: the kind that guix-daemon uses.
#pragma once

#include "base/outcome.hh"
#include "base/retry.hh"

#include <fcntl.h>

namespace fruix {

// Set the lock of this process on the file behind FD to TYPE: F_RDLCK,
// F_WRLCK or F_UNLCK.  Return false if another process holds one that
// conflicts.
//
// There is no waiting variant: F_SETLKW reports deadlocks between processes
// that are none between their threads.
inline outcome<bool>
set_record_lock (int fd, short type) noexcept
{
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  if (retry ([&] { return fcntl (fd, F_SETLK, &lock); }) == 0)
    return true;
  if (errno == EACCES || errno == EAGAIN)
    return false;
  return failed ("fcntl");
}

}
