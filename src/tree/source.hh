// SPDX-License-Identifier: GPL-3.0-or-later
// Reading a tree on disk as a NAR, a buffer at a time.
#pragma once

#include "archive/digester.hh"
#include "archive/nar_writer.hh"
#include "base/unique_fd.hh"
#include "tree/walker.hh"

namespace fruix {

class nar_source
{
public:
  // The tree is NAME in DIRECTORY.
  nar_source (unique_fd directory, std::string name);

  // Fill BUFFER with the next bytes of the archive; return how many there
  // are, zero only at the end.
  outcome<std::uint64_t> read (std::span<std::uint8_t> buffer);

private:
  outcome<bool> refill ();

  unique_fd directory_;
  tree_walker walker_;
  nar_writer writer_;
  std::string framing_;
  std::span<const std::uint8_t> ready_;  // in FRAMING_ or in the walker
};

// What is to be known of the tree NAME in DIRECTORY, which is only read.
outcome<tree_summary> summarise_tree (int directory, const std::string &name,
                                      const digester_options &options);

}
