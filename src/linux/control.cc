// SPDX-License-Identifier: GPL-3.0-or-later
#include "linux/control.hh"

#include "base/unique_fd.hh"

#include <fcntl.h>
#include <unistd.h>

namespace fruix {

outcome<void>
write_control (const char *name, std::string_view text) noexcept
{
  unique_fd fd {::open (name, O_WRONLY | O_CLOEXEC)};
  if (!fd)
    return failed ("open", name);
  if (::write (fd.get (), text.data (), text.size ())
      != static_cast<ssize_t> (text.size ()))
    return failed ("write", name);
  return {};
}

}
