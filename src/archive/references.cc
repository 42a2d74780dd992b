// SPDX-License-Identifier: GPL-3.0-or-later
#include "archive/references.hh"
#include "archive/base32.hh"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace fruix {

static constexpr std::uint8_t no_digit = 255;

// By byte, its value as a digit.
static constexpr auto digit_values = []
  {
    std::array<std::uint8_t, 256> values {};
    values.fill (no_digit);
    for (std::size_t i = 0; i < base32_alphabet.size (); ++i)
      values[static_cast<std::uint8_t> (base32_alphabet[i])] = i;
    return values;
  } ();

static std::uint8_t
digit (char c) noexcept
{
  return digit_values[static_cast<std::uint8_t> (c)];
}

// The code of the last digits when C follows those with code CODE.
static std::uint32_t
roll (std::uint32_t code, char c) noexcept
{
  return (code << 5 | digit (c)) % reference_scanner::codes;
}

// The code of the last digits of WINDOW, a hash part.
static std::uint32_t
last_code (std::string_view window) noexcept
{
  std::uint32_t code = 0;
  for (char c : window.substr (hash_part_size - 3))
    code = roll (code, c);
  return code;
}

reference_scanner::reference_scanner (
    const std::vector<std::string> &candidates)
  : candidates_ {candidates}, found_ (candidates.size ())
{
  for (std::size_t i = 0; i < candidates_.size (); ++i)
    {
      std::string_view candidate = candidates_[i];
      if (candidate.size () != hash_part_size
          || std::ranges::any_of (candidate, [] (char c)
               { return digit (c) == no_digit; }))
        throw std::system_error {EINVAL, std::generic_category (),
                                 "hash part " + candidates_[i]};
      index_.emplace (candidate, i);
      endings_[last_code (candidate)] = true;
    }
}

// Look at WINDOW, a hash part.
void
reference_scanner::check (std::string_view window) noexcept
{
  auto place = index_.find (window);
  if (place != index_.end ())
    found_[place->second] = true;
}

// Look at every hash part in the run of digits that begins with the one at
// START.  Return the end of the run.
std::size_t
reference_scanner::scan_run (std::string_view text,
                             std::size_t start) noexcept
{
  std::size_t end = start + hash_part_size;
  std::uint32_t code = last_code (text.substr (start, hash_part_size));
  for (;;)
    {
      if (endings_[code])
        check (text.substr (end - hash_part_size, hash_part_size));
      if (end == text.size () || digit (text[end]) == no_digit)
        return end;
      code = roll (code, text[end++]);
    }
}

// As Boyer and Moore do: look at the last byte of a window first; the next
// window starts after the last byte that is no digit.
void
reference_scanner::scan_window (std::string_view text) noexcept
{
  std::size_t start = 0;
  while (start + hash_part_size <= text.size ())
    {
      std::size_t i = start + hash_part_size;
      while (i > start && digit (text[i - 1]) != no_digit)
        --i;
      start = i > start ? i : scan_run (text, start);
    }
}

void
reference_scanner::scan (std::span<const std::uint8_t> bytes) noexcept
{
  constexpr std::size_t overlap = hash_part_size - 1;
  std::string_view text {reinterpret_cast<const char *> (bytes.data ()),
                         bytes.size ()};
  if (candidates_.empty ())
    return;
  // Across the seam: the end of what came before, and the start of this.
  auto head = text.substr (0, overlap);
  std::copy (head.begin (), head.end (), seam_.begin () + kept_);
  std::size_t joined = kept_ + head.size ();
  scan_window ({seam_.data (), joined});
  scan_window (text);
  // Keep the end.
  if (text.size () >= overlap)
    {
      kept_ = overlap;
      std::memcpy (seam_.data (), text.data () + text.size () - kept_, kept_);
    }
  else
    {
      kept_ = std::min (joined, overlap);
      std::memmove (seam_.data (), seam_.data () + joined - kept_, kept_);
    }
}

std::vector<std::string>
reference_scanner::found () const
{
  std::vector<std::string> result;
  for (std::size_t i = 0; i < candidates_.size (); ++i)
    if (found_[i])
      result.push_back (candidates_[i]);
  return result;
}

}
