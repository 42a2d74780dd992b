// SPDX-License-Identifier: GPL-3.0-or-later
// Errors as values: what a primitive returns instead of throwing.
#pragma once

#include <cerrno>
#include <cstring>
#include <expected>
#include <string_view>
#include <type_traits>

namespace fruix {

// A failed call: which one, on what object, with which errno.  Plain memory,
// so that it can cross a pipe from a child and survive a longjmp.
struct fault
{
  char who[32];
  int error;
  char object[208];
};
static_assert (std::is_trivially_copyable_v<fault>
               && std::is_trivially_destructible_v<fault>);

template <class T> using outcome = std::expected<T, fault>;

// Copy TEXT into the array FIELD, truncated to fit; NUL-terminated.
// Async-signal-safe.
template <std::size_t n>
void
copy_text (char (&field)[n], std::string_view text) noexcept
{
  std::size_t length = text.size () < n - 1 ? text.size () : n - 1;
  std::memcpy (field, text.data (), length);
  field[length] = '\0';
}

inline fault
make_fault (std::string_view who, std::string_view object = {},
            int error = errno) noexcept
{
  fault f {};
  f.error = error;
  copy_text (f.who, who);
  copy_text (f.object, object);
  return f;
}

// The usual way to report a failure: return failed ("openat", name);
inline std::unexpected<fault>
failed (std::string_view who, std::string_view object = {},
        int error = errno) noexcept
{
  return std::unexpected {make_fault (who, object, error)};
}

}
