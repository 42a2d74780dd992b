// SPDX-License-Identifier: GPL-3.0-or-later
// Removing a tree of any depth with three descriptors and no stack.
//
// A directory that is not empty is moved up into the top one, so that the
// tree becomes flatter until it is gone.  No link is followed, and nothing
// behind a mount point is touched: it cannot be moved, and is not gone into.
#pragma once

#include "base/outcome.hh"

#include <cstdint>
#include <sys/types.h>

namespace fruix {

// Remove NAME in DIRECTORY, a file or a tree, or as much as is possible
// before the first fault.  Return the bytes given back to the file system:
// those of files with at most LINKS links.
outcome<std::uint64_t> remove_tree (int directory, const char *name,
                                    nlink_t links);

}
