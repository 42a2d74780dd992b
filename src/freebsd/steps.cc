// SPDX-License-Identifier: GPL-3.0-or-later
// The steps of FreeBSD.
#include "plan/step.hh"

namespace fruix::plan {

std::span<const step_kind>
system_steps () noexcept
{
  return {};
}

}
