// SPDX-License-Identifier: GPL-3.0-or-later
// Mounts in the mount namespace of this process, by name.  A mount is
// prepared detached, so that it is never visible without its attributes.
#pragma once

#include "base/outcome.hh"

#include <cstdint>
#include <span>
#include <string>

namespace fruix {

// Mount a new file system of TYPE on TARGET with OPTIONS, each "KEY" or
// "KEY=VALUE"; return the ID of the mount.
outcome<std::uint64_t>
mount_filesystem (const char *type, const char *target,
                  std::span<const std::string> options);

// Let SOURCE, with what is mounted in it, appear at TARGET, both being
// directories or both not; return the ID of the mount.
outcome<std::uint64_t> mount_bind (const char *source, const char *target,
                                   bool read_only) noexcept;

// Give this thread, and those that it starts, a mount namespace of its own:
// what is mounted outside of it later appears in it, not the other way round.
outcome<void> unshare_mounts () noexcept;

// Let the mount on TARGET be written through, if its file system can be.
outcome<void> allow_writing (const char *target) noexcept;

// Unmount what is mounted on TARGET, if it is the mount with ID; with FORCE,
// also one in use, whose users keep it.
outcome<void> unmount (std::uint64_t id, const char *target,
                       bool force) noexcept;

}
