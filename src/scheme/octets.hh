// SPDX-License-Identifier: GPL-3.0-or-later
// Octet strings: each character is one byte.
#pragma once

#include "scheme/boundary.hh"

#include <cstdlib>
#include <cstring>

namespace fruix::scheme {

inline SCM
octets (const std::string &bytes)
{
  return scm_from_latin1_stringn (bytes.data (), bytes.size ());
}

// Raise an error for CHARACTER.
[[noreturn]] inline void
refuse_character (SCM character)
{
  scm_error (scm_from_utf8_symbol ("encoding-error"), nullptr,
             "not a byte: ~s", scm_list_1 (character),
             scm_list_1 (character));
  std::abort (); // scm_error does not return
}

// Copy OCTETS, a string, to OUT, which has room for its characters.
//
// Guile's conversions take memory from malloc and count it as if it were
// garbage, for which the collector then runs; and they ask iconv(3), which
// knows nothing where its modules are not installed.  Wide strings hold
// nothing but bytes only by chance.
inline void
copy_octets (SCM octets, void *out)
{
  std::size_t size = scm_c_string_length (octets);
  if (scm_is_eq (scm_string_bytes_per_char (octets), scm_from_int (1)))
    {
      std::memcpy (out, scm_i_string_chars (octets), size);
      return;
    }
  auto *bytes = static_cast<unsigned char *> (out);
  for (std::size_t i = 0; i < size; ++i)
    {
      SCM character = scm_c_string_ref (octets, i);
      if (SCM_CHAR (character) > 255)
        refuse_character (character);
      bytes[i] = SCM_CHAR (character);
    }
}

}
