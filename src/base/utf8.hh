// SPDX-License-Identifier: GPL-3.0-or-later
// Bytes that should be UTF-8 and need not be.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fruix {

// The length of the character that TEXT begins with; 0 if it is none.
constexpr std::size_t
character_length (std::string_view text) noexcept
{
  auto byte = [&] (std::size_t i) -> std::uint8_t
    { return i < text.size () ? static_cast<std::uint8_t> (text[i]) : 0; };
  auto lead = byte (0);
  std::size_t length = lead < 0x80   ? 1
                       : lead < 0xc2 ? 0
                       : lead < 0xe0 ? 2
                       : lead < 0xf0 ? 3
                       : lead < 0xf5 ? 4
                                     : 0;
  // The second byte rules out long forms, surrogates, and what is beyond
  // Unicode.
  std::uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  std::uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  for (std::size_t i = 1; i < length; i++)
    {
      if (byte (i) < low || byte (i) > high)
        return 0;
      low = 0x80;
      high = 0xbf;
    }
  return length;
}

// TEXT with U+FFFD for every byte that belongs to no character.
inline std::string
valid_utf8 (std::string_view text)
{
  std::string result;
  while (!text.empty ())
    {
      auto length = character_length (text);
      result += length == 0 ? "\ufffd" : text.substr (0, length);
      text.remove_prefix (length == 0 ? 1 : length);
    }
  return result;
}

}
