// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/retry.hh"
#include "base/unique_fd.hh"
#include "tree/durable.hh"

#include <fcntl.h>
#include <unistd.h>

namespace fruix {

// See syncfs(2).  One call for the whole file system costs less than one for
// each file, and nobody waits for it.
outcome<void>
make_durable (int directory, const std::vector<std::string> &)
{
  if (syncfs (directory))
    return failed ("syncfs");
  return {};
}

// See random(4).
outcome<void>
identify_boot (std::string &out)
{
  constexpr const char *file = "/proc/sys/kernel/random/boot_id";
  unique_fd fd {retry ([&] { return open (file, O_RDONLY | O_CLOEXEC); })};
  char text[64];
  ssize_t size = fd ? read (fd.get (), text, sizeof text) : -1;
  if (size < 0)
    return failed ("open", file);
  out.assign (text, size);
  if (out.ends_with ('\n'))
    out.pop_back ();
  return {};
}

}
