// SPDX-License-Identifier: GPL-3.0-or-later
// Finding in a stream the hash parts of store items: what an item refers to.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fruix {

inline constexpr std::size_t hash_part_size = 32;

class reference_scanner
{
public:
  // CANDIDATES are hash parts: 32 digits of the store's base 32.  Throws
  // std::system_error if one is not.
  explicit reference_scanner (const std::vector<std::string> &candidates);

  reference_scanner (const reference_scanner &) = delete;

  // Look through BYTES, the next ones of the stream.
  void scan (std::span<const std::uint8_t> bytes) noexcept;

  // The candidates met so far, in the order given.
  std::vector<std::string> found () const;

  // Numbers that three digits can make, by which candidates are looked up.
  static constexpr std::uint32_t codes = 32 * 32 * 32;

private:
  std::size_t scan_run (std::string_view text, std::size_t start) noexcept;
  void scan_window (std::string_view text) noexcept;
  void check (std::string_view window) noexcept;

  std::vector<std::string> candidates_;
  std::vector<bool> found_;
  // By candidate, its index.
  std::unordered_map<std::string_view, std::size_t> index_;
  // By code, whether a candidate ends so.
  std::array<bool, codes> endings_ {};
  // The end of the stream so far, less than a hash part.
  std::array<char, 2 * (hash_part_size - 1)> seam_ {};
  std::size_t kept_ = 0;
};

}
