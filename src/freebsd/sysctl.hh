// SPDX-License-Identifier: GPL-3.0-or-later
// What the kernel tells by sysctl(3), however much that is.
#pragma once

#include "base/outcome.hh"

#include <span>
#include <string>
#include <sys/types.h>
#include <sys/user.h>
#include <vector>

namespace fruix {

// The answer to QUESTION, a name in numbers, which is called NAME; ENOMEM if
// it is longer than anything that means well.
outcome<std::string> ask_kernel (const char *name,
                                 std::span<const int> question);

// All processes that this one can see.
outcome<std::vector<kinfo_proc>> all_processes ();

}
