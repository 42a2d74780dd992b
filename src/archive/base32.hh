// SPDX-License-Identifier: GPL-3.0-or-later
// The store's own base 32.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace fruix {

inline constexpr std::string_view base32_alphabet
  = "0123456789abcdfghijklmnpqrsvwxyz";

// BYTES as a number, least significant byte first, highest digit first.
std::string base32 (std::span<const std::uint8_t> bytes);

}
