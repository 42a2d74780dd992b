// SPDX-License-Identifier: GPL-3.0-or-later
#include "tree/descent.hh"
#include "base/retry.hh"

#include <fcntl.h>

namespace fruix {

static constexpr std::size_t maximum_open = 8;

outcome<void>
descent::enter (unique_fd fd)
{
  struct stat status;
  if (fstat (fd.get (), &status))
    return failed ("fstat");
  levels_.push_back ({std::move (fd), status.st_dev, status.st_ino});
  if (levels_.size () > maximum_open)
    levels_[levels_.size () - 1 - maximum_open].fd.reset ();
  return {};
}

outcome<void>
descent::leave ()
{
  if (levels_.size () > 1 && !levels_[levels_.size () - 2].fd)
    {
      auto &outer = levels_[levels_.size () - 2];
      outer.fd.reset (retry ([&]
        {
          return openat (innermost (), "..",
                         O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        }));
      if (!outer.fd)
        return failed ("openat", "..");
      struct stat status;
      if (fstat (outer.fd.get (), &status))
        return failed ("fstat", "..");
      if (status.st_dev != outer.device || status.st_ino != outer.inode)
        return failed ("openat", "..", ESTALE);
    }
  levels_.pop_back ();
  return {};
}

}
