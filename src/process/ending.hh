// SPDX-License-Identifier: GPL-3.0-or-later
// The end of processes: waiting for it, and bringing it about.
#pragma once

#include "base/outcome.hh"

#include <sys/types.h>

namespace fruix {

// Wait until the child ID has ended, without reaping it.
outcome<void> await_exit (pid_t id) noexcept;

// Send SIGKILL to every process of USER; they may take a moment to go.
outcome<void> kill_user (uid_t user) noexcept;

}
