// SPDX-License-Identifier: GPL-3.0-or-later
// FreeBSD's own steps: none so far, hence no sandboxes, only processes.
#include "plan/step.hh"

namespace fruix::plan {

std::span<const step_kind>
system_steps () noexcept
{
  return {};
}

}
