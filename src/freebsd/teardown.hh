// SPDX-License-Identifier: GPL-3.0-or-later
// Jails and mounts go away only when nothing uses them any more: the patience
// that this takes, and what comes after it.
#pragma once

#include "base/outcome.hh"

#include <cstdint>

namespace fruix {

// Remove the jail ID, if it is there, and wait until it has no process any
// more and, for a while, until it is gone for good.  Return whether it is: a
// connection that is being closed can keep it dying for a minute.  EBUSY if a
// process is left.
outcome<bool> tear_down_jail (int id);

// Unmount the file system with NUMBER, if it is mounted: when it is not in
// use any more, or after a while in spite of that.
outcome<void> tear_down_mount (std::uint64_t number) noexcept;

}
