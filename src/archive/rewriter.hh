// SPDX-License-Identifier: GPL-3.0-or-later
// Replacing hash parts in a stream by others, which are as long: what was
// built under one name, for another.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace fruix {

class hash_rewriter
{
public:
  // From what to what, for each hash part to be replaced.  Throws
  // std::system_error if one does not have the length of a hash part.
  using replacements = std::vector<std::pair<std::string, std::string>>;
  explicit hash_rewriter (const replacements &replacements);

  // Take BYTES, the next ones of the stream; return those that are finished,
  // which last until the next call.
  std::span<const std::uint8_t> feed (std::span<const std::uint8_t> bytes);

  // The stream has ended: return the rest of it.
  std::span<const std::uint8_t> finish ();

  // TEXT, which is no part of the stream, rewritten.
  std::string rewrite (std::string_view text) const;

private:
  void replace_in (std::span<std::uint8_t> bytes) const noexcept;

  replacements replacements_;
  std::vector<std::uint8_t> window_;  // what was returned, then what is kept
  std::size_t finished_ = 0;          // of WINDOW_
};

}
