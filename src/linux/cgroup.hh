// SPDX-License-Identifier: GPL-3.0-or-later
// Cgroups, for those who are to be born in one.
#pragma once

#include <string>

namespace fruix {

// The file that adds a process to the cgroup DIRECTORY of a sandbox.
std::string cgroup_members (const std::string &directory);

}
