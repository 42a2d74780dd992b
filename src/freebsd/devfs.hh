// SPDX-License-Identifier: GPL-3.0-or-later
// Rule sets of devfs(4), which say what a mount of it shows.  One that was
// never defined hides nothing.
#pragma once

#include "base/outcome.hh"

#include <cstdint>
#include <span>
#include <string>

namespace fruix {

// Make sure that the rule set NUMBER hides everything but the nodes, links
// and directories whose names match one of the patterns VISIBLE.  Mounts that
// use it show no more than one of the two sets meanwhile.
outcome<void> define_device_rules (std::uint16_t number,
                                   std::span<const std::string> visible);

}
