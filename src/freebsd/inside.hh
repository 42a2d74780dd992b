// SPDX-License-Identifier: GPL-3.0-or-later
// Work that can only be done from inside a jail, done by a process that is
// made for it.
#pragma once

#include "base/outcome.hh"

namespace fruix {

// Call BODY, which is async-signal-safe, in a new process inside the jail ID
// and return what it returned.
outcome<void> call_in_jail (int id, outcome<void> (*body) () noexcept);

}
