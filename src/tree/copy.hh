// SPDX-License-Identifier: GPL-3.0-or-later
// A copy of a tree on inodes that nobody else can have open.
#pragma once

#include "archive/rewriter.hh"
#include "base/outcome.hh"
#include "tree/ownership.hh"

#include <string>

namespace fruix {

// Copy the tree NAME in FROM, whose files must be OWNER's, to NEW_NAME in TO,
// in canonical form, with the hash parts in it replaced.
outcome<void>
copy_tree (int from, const std::string &name, int to,
           const std::string &new_name, ownership &owner,
           const hash_rewriter::replacements &replacements);

}
