// SPDX-License-Identifier: GPL-3.0-or-later
// What is done in a child that ends with it: nothing is left of it but how it
// failed.
#pragma once

#include "base/outcome.hh"

namespace fruix {

// Async-signal-safe.
using errand = outcome<void> (*) (const void *argument) noexcept;

// Call BODY with ARGUMENT in a child that has no descriptor but the one by
// which it reports; return what it returned, or EINTR if it was killed.
outcome<void> run_in_child (errand body, const void *argument) noexcept;

}
