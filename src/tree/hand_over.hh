// SPDX-License-Identifier: GPL-3.0-or-later
// Give a tree that a builder left behind to somebody else.
#pragma once

#include "base/outcome.hh"

#include <sys/types.h>

namespace fruix {

// Make what in the tree NAME of DIRECTORY has the owner of its top, symbolic
// links included and not followed, belong to OWNER and GROUP, after taking
// set-id bits and the world's right to write from it; the top, a directory,
// gets MODE.  A directory comes after all that is in it, so that OWNER cannot
// change the tree meanwhile; nobody else may.
outcome<void> hand_over_tree (int directory, const char *name, uid_t owner,
                              gid_t group, mode_t mode);

}
