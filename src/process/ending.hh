// SPDX-License-Identifier: GPL-3.0-or-later
// The end of processes that are no children.
#pragma once

#include "base/outcome.hh"

#include <sys/types.h>

namespace fruix {

// Send SIGKILL to every process of USER; they may take a moment to go.
outcome<void> kill_user (uid_t user) noexcept;

}
