// SPDX-License-Identifier: GPL-3.0-or-later
// The steps of the host, and their undoing.
#pragma once

#include "plan/step.hh"

namespace fruix::plan {

// Perform STEPS in order.  RECEIPT then holds what undoes them, in the order
// of doing.  If one fails all is undone, and its fault is returned.
outcome<void> perform_host (std::span<step> steps,
                            std::vector<step> &receipt);

// Undo RECEIPT from its end.  A fault does not keep the rest from being
// undone; the first is returned.
outcome<void> undo (std::span<step> receipt);

}
