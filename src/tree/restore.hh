// SPDX-License-Identifier: GPL-3.0-or-later
// Unpacking an archive while it arrives: parse, write, hash and share in one
// pass, with memory that does not depend on its size.
#pragma once

#include "archive/digester.hh"
#include "archive/nar_reader.hh"
#include "base/unique_fd.hh"
#include "tree/writer.hh"

#include <optional>

namespace fruix {

class nar_restorer
{
public:
  // The tree is to be NAME in DIRECTORY; SHARED is the directory of shared
  // files, or none.  With OPTIONS.flat the archive must be of one file, which
  // is restored as not executable.
  nar_restorer (unique_fd directory, std::string name, unique_fd shared,
                const digester_options &options);

  // Take BYTES, the next ones of the archive; return how many of them belong
  // to it.  After a fault the restorer is of no more use.
  outcome<std::uint64_t> feed (std::span<const std::uint8_t> bytes);

  // Read what comes next from DESCRIPTOR if that is much of one file, which is
  // cheaper than to feed it; return how many bytes there were: none at the
  // end of file.  Nothing is read otherwise.
  outcome<std::optional<std::uint64_t>> receive (int descriptor);

  bool done () const noexcept { return reader_.done (); }
  // The hash of the archive, when done, to go on with what follows it.
  hasher archive_hash () { return digester_.nar_hash (); }
  outcome<tree_summary> finish ();

private:
  outcome<void> take (event event);
  outcome<void> share ();

  unique_fd directory_, shared_;
  bool flat_;
  bool broken_ = false;
  nar_reader reader_;
  digester digester_;
  tree_writer writer_;
};

}
