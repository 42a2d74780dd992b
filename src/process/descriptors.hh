// SPDX-License-Identifier: GPL-3.0-or-later
// Descriptors as such: directories, pipes, waiting.  All are close-on-exec.
#pragma once

#include "base/outcome.hh"

#include <cstdint>
#include <poll.h>
#include <span>
#include <utility>

namespace fruix {

// The directory NAME.
outcome<int> open_directory (const char *name) noexcept;

// The directory NAME, one component, in the directory DIRECTORY; not through
// a symbolic link.
outcome<int> open_directory_at (int directory, const char *name) noexcept;

// A pipe: the end to read, the end to write.
outcome<std::pair<int, int>> make_pipe () noexcept;

// Close the descriptors from FIRST to LAST, or let exec close them.
outcome<void> close_descriptors (unsigned first, unsigned last,
                                 bool on_exec) noexcept;

// Read what is there, at most BYTES; 0 at the end.
outcome<std::uint64_t> read_some (int fd,
                                  std::span<std::uint8_t> bytes) noexcept;

// Write what FD takes of BYTES.
outcome<std::uint64_t>
write_some (int fd, std::span<const std::uint8_t> bytes) noexcept;

// Wait until one of WATCHED is ready or TIMEOUT milliseconds have passed, -1
// being never; return how many are.  A signal does not prolong the wait.
outcome<int> poll_descriptors (std::span<pollfd> watched,
                               int timeout) noexcept;

}
