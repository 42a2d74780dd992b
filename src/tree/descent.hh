// SPDX-License-Identifier: GPL-3.0-or-later
// The way down a tree: the directories that a walk is in, of which only the
// innermost few are open.
//
// How deep a tree is, is for others to say, and how many of them there are at
// a time: so many descriptors nobody has.  A directory that was closed is
// found again as the parent of the one below it, and must be the same.
#pragma once

#include "base/outcome.hh"
#include "base/unique_fd.hh"

#include <sys/stat.h>
#include <vector>

namespace fruix {

class descent
{
public:
  std::size_t depth () const noexcept { return levels_.size (); }

  // The descriptor of the innermost directory, of which there must be one.
  int innermost () const noexcept { return levels_.back ().fd.get (); }

  // FD is a directory in the innermost one.
  outcome<void> enter (unique_fd fd);

  // Back to the outer directory.  The fault of a directory that is not where
  // it was has ESTALE.
  outcome<void> leave ();

private:
  struct level
  {
    unique_fd fd;                  // not there if it was closed
    dev_t device;
    ino_t inode;
  };

  std::vector<level> levels_;
};

}
