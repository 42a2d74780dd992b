// SPDX-License-Identifier: GPL-3.0-or-later
// What outlives a power cut, and how to tell that there may have been one.
#pragma once

#include "base/outcome.hh"

#include <string>
#include <vector>

namespace fruix {

// Wait until the files and trees NAMES in DIRECTORY, as they are now, with
// their names, are on the disk.  Those that do not exist do not matter.
outcome<void> make_durable (int directory,
                            const std::vector<std::string> &names);

// Set OUT to a text that differs between any two starts of the system.
outcome<void> identify_boot (std::string &out);

}
