// SPDX-License-Identifier: GPL-3.0-or-later
// Deduplication of what is in the store already, tree by tree; and the
// reverse, for files that have been damaged.
#pragma once

#include "archive/file_key.hh"
#include "base/outcome.hh"
#include "base/unique_fd.hh"
#include "tree/walker.hh"

#include <optional>
#include <vector>

namespace fruix {

struct sharing
{
  std::uint64_t files = 0;     // that became other files
  std::uint64_t bytes = 0;     // given back by that
  std::uint64_t writable = 0;  // files that are not shared, being writable
};

class tree_sharer
{
public:
  // SHARED is the directory of shared files.
  static outcome<std::unique_ptr<tree_sharer>> open (unique_fd shared);

  // Turn to the canonical tree NAME in DIRECTORY.
  void start (unique_fd directory, std::string name);

  // Share the files of the tree, as far as one gets by reading not much more
  // than BYTES; false if that is the end of the tree.
  outcome<bool> work (std::uint64_t bytes);

  // What has come of it, in all trees so far.
  const sharing &result () const noexcept { return result_; }

private:
  tree_sharer (unique_fd shared, std::vector<ino_t> known);

  void begin_file (const event &event);
  outcome<bool> share_in_closed ();
  outcome<void> share ();
  bool known (ino_t inode) const noexcept;

  unique_fd shared_;
  std::vector<ino_t> known_;  // of the shared files, sorted
  unique_fd directory_;
  std::optional<tree_walker> walker_;
  bool hashing_ = false;      // the current file
  file_key key_;
  sharing result_;
};

// Remove from the directory SHARED those files of the tree NAME in DIRECTORY
// that no longer are what their names there say, so that no good file is
// replaced by one of them.  Return how many there were.
outcome<std::uint64_t> disown_damaged (int shared, int directory,
                                       const std::string &name);

}
