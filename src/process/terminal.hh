// SPDX-License-Identifier: GPL-3.0-or-later
// Pseudo-terminals: a program works on one of its own, and bytes go back and
// forth between that and its user's.  It never holds the user's terminal,
// into which it could type commands.
#pragma once

#include "base/outcome.hh"

#include <utility>

namespace fruix {

// A new terminal of the size and in the mode of the terminal MODEL: its
// master, its slave, both close-on-exec and of no process yet.
outcome<std::pair<int, int>> make_terminal (int model) noexcept;

// Copy between the terminal USER, in raw mode, and the one behind MASTER,
// which follows its size.  Return once either has hung up, or PROCESS, a
// descriptor that becomes ready at the end of a process, has become ready and
// all that was written by then is copied; -1 for no process.  USER is then in
// the mode that it was in.
outcome<void> relay_terminal (int user, int master, int process) noexcept;

}
