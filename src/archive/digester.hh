// SPDX-License-Identifier: GPL-3.0-or-later
// All that is to be known of a tree, from one pass over its events: the hash
// and size of its NAR, a digest under another algorithm, the references in
// it, and the keys under which its files are shared.
//
// To hash takes as long as to read or to write.  So the NAR of a large tree
// goes to another thread, for both to be done side by side.
#pragma once

#include "archive/event.hh"
#include "archive/file_key.hh"
#include "archive/hash.hh"
#include "archive/nar_writer.hh"
#include "archive/references.hh"
#include "base/conveyor.hh"

#include <optional>
#include <string>
#include <vector>

namespace fruix {

struct digester_options
{
  int algorithm = 0;   // of the extra digest, or 0
  bool flat = false;   // it is of the one file's contents, not of the NAR
  bool keys = false;   // compute the keys of files
  std::vector<std::string> candidates;  // hash parts to look for
};

struct tree_summary
{
  digest hash;              // SHA-256 of the NAR
  std::uint64_t size = 0;   // of the NAR, in bytes
  digest extra;
  event_kind type {};       // of the root: file, directory or symlink
  bool executable = false;
};

class digester
{
public:
  explicit digester (const digester_options &options);

  void take (const event &event);

  // Where data that come next may lie, so that they need not be copied; empty
  // unless the tree is a large one.
  std::span<std::uint8_t> room ();

  // After 'file_end': the name of the file in the directory of shared files;
  // "" if it is too small.
  std::string key ();

  // After the root node.
  tree_summary summary ();
  // The hash of the NAR, to go on with what follows it.
  hasher nar_hash ();
  std::vector<std::string> references ();

private:
  void start_key (const event &event);
  void take_data (std::span<const std::uint8_t> bytes);
  void absorb (std::span<const std::uint8_t> bytes);
  void pass_on (std::span<const std::uint8_t> bytes);
  void flush ();
  void settle ();
  void start_conveyor ();

  bool flat_, keys_;
  nar_writer writer_;
  hasher nar_;
  std::optional<hasher> extra_;  // none when the NAR's hash is what is wanted
  bool extra_is_nar_;
  reference_scanner scanner_;
  std::string pending_;          // part of the NAR, too short to pass on yet
  bool started_ = false;
  tree_summary summary_;
  std::optional<conveyor> conveyor_;  // for large trees, to 'absorb'

  std::uint64_t file_size_ = 0;  // of the current file
  bool file_hashed_ = false;     // on its own
  file_key file_;
};

}
