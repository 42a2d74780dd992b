// SPDX-License-Identifier: GPL-3.0-or-later
// Named shared memory, see shm_open(2).  It stays when a jail is gone, and
// the next jail with the same root would find it: in a jail, the kernel puts
// the name of the root before that of the memory.
#pragma once

#include "base/outcome.hh"

#include <string_view>

namespace fruix {

// Remove all whose name begins with DIRECTORY and a slash.
outcome<void> remove_shared_memory (std::string_view directory);

}
