// SPDX-License-Identifier: GPL-3.0-or-later
#include "freebsd/module.hh"

#include <sys/param.h>
#include <sys/linker.h>
#include <sys/module.h>

namespace fruix {

outcome<void>
require_module (const char *name) noexcept
{
  if (::modfind (name) >= 0)
    return {};
  // Another process may have been faster.
  if (::kldload (name) < 0 && errno != EEXIST)
    return failed ("kldload", name);
  return {};
}

}
