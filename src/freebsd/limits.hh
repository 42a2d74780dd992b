// SPDX-License-Identifier: GPL-3.0-or-later
// What a jail may use up.
#pragma once

#include "base/outcome.hh"

#include <cstdint>
#include <string>

namespace fruix {

// Add the resource limit RULE, such as "jail:NAME:memoryuse:deny=8g"; ENOSYS
// unless the system was booted with kern.racct.enable=1.  See rctl(8).
outcome<void> add_resource_rule (const std::string &rule);

// Remove all resource limits that match FILTER, such as "jail:NAME"; ESRCH if
// there are none.
outcome<void> remove_resource_rules (const std::string &filter);

// Confine the jail ID to COUNT of the processors that it may use now, from
// the one at index FIRST on, the first one coming after the last.  EINVAL if
// there are not as many.
outcome<void> limit_processors (int id, std::int64_t count,
                                std::uint64_t first) noexcept;

}
