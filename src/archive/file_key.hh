// SPDX-License-Identifier: GPL-3.0-or-later
// The name of a file in the directory of shared files: the hash of the file
// as a NAR of its own, so that contents and executable bit count.
#pragma once

#include "archive/event.hh"
#include "archive/hash.hh"
#include "archive/nar_writer.hh"

#include <string>

namespace fruix {

// Files smaller than this are not shared.
inline constexpr std::uint64_t minimum_shared_size = 8192;

class file_key
{
public:
  // Begin with FILE, an event of that kind.
  void start (const event &file);
  // The next bytes of the file.
  void update (std::span<const std::uint8_t> bytes) noexcept;
  // After the last bytes.
  std::string finish ();

private:
  void append (const event &event);

  nar_writer writer_;
  hasher hash_ {GCRY_MD_SHA256};
};

}
