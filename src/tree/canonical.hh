// SPDX-License-Identifier: GPL-3.0-or-later
// The metadata that every file in the store has: mode 0444, or 0555 for
// directories and executable files; modified one second after the epoch.
#pragma once

#include "base/outcome.hh"

#include <string_view>
#include <sys/stat.h>

namespace fruix {

// For futimens and utimensat: leave the access time alone.
inline constexpr timespec canonical_times[]
  = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, {.tv_sec = 1, .tv_nsec = 0}};

// Give the file or directory FD mode MODE and the canonical time.  NAME is
// for messages.
outcome<void> canonicalise (int fd, mode_t mode,
                            std::string_view name) noexcept;

// Give the symbolic link NAME in DIRECTORY the canonical time.
outcome<void> canonicalise_symlink (int directory, const char *name) noexcept;

}
