// SPDX-License-Identifier: GPL-3.0-or-later
// A second descriptor, for an object that lives longer than a call.
#pragma once

#include "base/outcome.hh"
#include "base/unique_fd.hh"

#include <fcntl.h>

namespace fruix {

inline outcome<unique_fd>
duplicate (int fd) noexcept
{
  unique_fd copy {fcntl (fd, F_DUPFD_CLOEXEC, 0)};
  if (!copy)
    return failed ("fcntl");
  return copy;
}

}
