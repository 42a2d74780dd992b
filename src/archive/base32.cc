// SPDX-License-Identifier: GPL-3.0-or-later
#include "archive/base32.hh"

namespace fruix {

std::string
base32 (std::span<const std::uint8_t> bytes)
{
  std::size_t digits = (bytes.size () * 8 + 4) / 5;
  std::string text;
  text.reserve (digits);
  for (std::size_t digit = digits; digit-- > 0;)
    {
      std::size_t first = digit * 5 / 8, shift = digit * 5 % 8;
      unsigned window = bytes[first];
      if (first + 1 < bytes.size ())
        window |= bytes[first + 1] << 8;
      text.push_back (base32_alphabet[window >> shift & 31]);
    }
  return text;
}

}
