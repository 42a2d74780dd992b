// SPDX-License-Identifier: GPL-3.0-or-later
// Give a tree that a builder left behind to somebody else.
#pragma once

#include "base/outcome.hh"

#include <sys/types.h>

namespace fruix {

// Make the tree NAME of DIRECTORY belong to OWNER and GROUP, symbolic links
// included and not followed, after taking set-id bits and the world's right to
// write from all in it.  The tree must not change meanwhile.
outcome<void> hand_over_tree (int directory, const char *name, uid_t owner,
                              gid_t group);

}
