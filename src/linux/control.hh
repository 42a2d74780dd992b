// SPDX-License-Identifier: GPL-3.0-or-later
// Files of /proc and of cgroups, by which the kernel is told what to do.
#pragma once

#include "base/outcome.hh"

#include <string_view>

namespace fruix {

// Write TEXT to the file NAME, which is there, in one call.
// Async-signal-safe.
outcome<void> write_control (const char *name,
                             std::string_view text) noexcept;

}
