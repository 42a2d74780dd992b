// SPDX-License-Identifier: GPL-3.0-or-later
// Kernel modules, such as those of file systems.
#pragma once

#include "base/outcome.hh"

namespace fruix {

// Load the module NAME unless the kernel has it, built in or loaded.
outcome<void> require_module (const char *name) noexcept;

}
