// SPDX-License-Identifier: GPL-3.0-or-later
// What trees need and each system has in its own way.
#pragma once

#include "base/outcome.hh"

#include <cstdint>
#include <sys/types.h>

namespace fruix {

// A number for the mount on which the open file FD is.
outcome<std::uint64_t> mount_of (int fd) noexcept;

// Remove from the open file or directory FD what grants rights, or carries
// data, beside its mode and contents: access control lists, capabilities,
// extended attributes of users; flags, but on Linux, where those that matter
// are root's alone, and others come from the directory.
outcome<void> strip_attributes (int fd) noexcept;

// Change the mode of FD, which may be open as O_PATH has it, to MODE.  It is
// no symbolic link.
outcome<void> change_mode (int fd, mode_t mode) noexcept;

// Clear the flags (immutable, append-only...) that keep the file NAME in
// DIRECTORY from being changed or removed; false if it has none.
outcome<bool> clear_flags (int directory, const char *name) noexcept;

// Let NAME in DIRECTORY and OTHER_NAME in OTHER, which both exist, change
// places, at no moment of which either name is missing; false if the file
// system cannot do that.
outcome<bool> exchange (int directory, const char *name, int other,
                        const char *other_name) noexcept;

}
