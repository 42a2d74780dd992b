// SPDX-License-Identifier: GPL-3.0-or-later
// The end of processes that are no children.
#pragma once

#include "base/outcome.hh"

#include <sys/types.h>

namespace fruix {

// Whether there are processes that USER has started: one that has got its
// user from a set-user-ID file may be overlooked.
bool has_processes (uid_t user) noexcept;

// Send SIGKILL to every process of USER; they may take a moment to go.
outcome<void> kill_user (uid_t user) noexcept;

}
