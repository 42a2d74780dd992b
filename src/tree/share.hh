// SPDX-License-Identifier: GPL-3.0-or-later
// Deduplication: equal files of the store share one inode.
#pragma once

#include "base/outcome.hh"

#include <string>

namespace fruix {

// Make the regular file NAME in DIRECTORY, which is canonical and ours, one
// with the file KEY in SHARED, the directory of shared files; KEY stands for
// contents and executable bit.  Return whether NAME has become another file;
// where the file system cannot link (any more), nothing happens.  With
// DURABLE, NAME may have been brought to the disk: what takes its place is on
// the disk before.
outcome<bool> share_file (int shared, const std::string &key, int directory,
                          const char *name, bool durable) noexcept;

}
