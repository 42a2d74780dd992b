// SPDX-License-Identifier: GPL-3.0-or-later
// Mounts; see nmount(2).  A mount is known by its file system identifier, as
// the name of its mount point may come to mean something else.
#pragma once

#include "base/outcome.hh"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

struct fsid;

namespace fruix {

// The identifier ID as one number.
std::uint64_t mount_number (const struct fsid &id) noexcept;

// Mount a file system of TYPE on PATH, an absolute name without symbolic
// links, with OPTIONS, each "KEY" or "KEY=VALUE"; return its number.  EXDEV
// if PATH led elsewhere.
outcome<std::uint64_t>
mount_filesystem (const std::string &type, const std::string &path,
                  std::span<const std::string> options);

// Unmount the file system with NUMBER; with FORCE also one in use, whose
// users then get errors.
outcome<void> unmount_filesystem (std::uint64_t number, bool force) noexcept;

struct mount_entry
{
  std::uint64_t number;
  std::string type;
  std::string from;
  std::string on;
  std::vector<std::string> options;  // such as "ro"
};

// Add all mounts to RESULT, in the order in which they were made.
outcome<void> list_mounts (std::vector<mount_entry> &result);

}
