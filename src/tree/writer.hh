// SPDX-License-Identifier: GPL-3.0-or-later
// From the events of a tree to a fresh tree on disk, in canonical form.
//
// Nothing that exists is opened, followed or replaced, and every name is a
// single component looked up in a directory that the writer has made itself.
#pragma once

#include "archive/event.hh"
#include "base/outcome.hh"
#include "base/unique_fd.hh"
#include "tree/descent.hh"

#include <string>

namespace fruix {

class tree_writer
{
public:
  // The root is to be NAME in DIRECTORY, a descriptor that outlives this.
  tree_writer (int directory, std::string name);

  outcome<void> take (const event &event);

  // Where the last file or symbolic link is.
  int directory () const noexcept;
  const std::string &name () const noexcept { return name_; }

private:
  outcome<void> enter ();
  outcome<void> leave ();
  outcome<void> create_file (bool executable);
  outcome<void> write_data (std::span<const std::uint8_t> bytes);
  outcome<void> finish_file ();
  outcome<void> create_symlink (std::string_view target);

  int root_;
  std::string name_;               // of the current node
  descent inside_;                 // the directories being filled
  unique_fd file_;
  mode_t file_mode_ = 0;
  bool hole_ = false;              // at the end of the file, so far
};

}
