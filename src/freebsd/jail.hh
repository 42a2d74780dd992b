// SPDX-License-Identifier: GPL-3.0-or-later
// Jails; see jail(2).  A jail is known by its ID, which another one may have
// after it is gone.
#pragma once

#include "freebsd/parameters.hh"

#include <array>
#include <optional>
#include <vector>

namespace fruix {

struct jail
{
  int id;
  // Close-on-exec; when the last copy is closed, the jail goes with all its
  // processes.  -1 where the kernel has no such thing: before FreeBSD 15.
  int descriptor;
};

// "jail ID", the object of a fault.  Async-signal-safe.
std::array<char, 20> jail_label (int id) noexcept;

// Create a jail that exists until it is removed or its descriptor is closed.
outcome<jail> create_jail (std::span<const parameter> parameters);

// Move this process into the jail ID, whose root becomes its root and current
// directory: for good, and only with no directory open (EPERM).
// Async-signal-safe; never in a process with threads.
outcome<void> attach_jail (int id) noexcept;

// Kill all processes of the jail ID and remove it; it is dying as long as
// something of it is left.  EINVAL if there is none.
outcome<void> remove_jail (int id) noexcept;

// The ID of the jail called NAME, if there is one that is not dying.
outcome<std::optional<int>> find_jail (std::string_view name);

// The parameter NAME of the jail ID, dying or not, as the kernel has it.
outcome<parameter> jail_parameter (int id, std::string_view name);

struct jail_entry
{
  int id;
  std::string name;
  std::string path;
  bool dying;
};

// Add all jails to RESULT, those that are dying included.
outcome<void> list_jails (std::vector<jail_entry> &result);

}
