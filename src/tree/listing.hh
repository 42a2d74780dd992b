// SPDX-License-Identifier: GPL-3.0-or-later
// What is in a directory, at a glance: names and status of all entries.
#pragma once

#include "base/outcome.hh"

#include <string>
#include <sys/stat.h>
#include <vector>

namespace fruix {

struct listed
{
  std::string name;
  struct stat status;
};

// Append the entries of DIRECTORY, a descriptor, to OUT, in no order.  No link
// is followed; what vanishes meanwhile is left out.
outcome<void> list_directory (int directory, std::vector<listed> &out);

}
