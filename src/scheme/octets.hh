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

// Copy OCTETS, a string, to OUT, which has room for its characters.
//
// Guile's conversions take memory from malloc and count it as if it were
// garbage, for which the collector then runs.  Wide strings, which hold
// nothing but bytes only by chance, are left to them.
inline void
copy_octets (SCM octets, void *out)
{
  if (scm_is_eq (scm_string_bytes_per_char (octets), scm_from_int (1)))
    {
      std::memcpy (out, scm_i_string_chars (octets),
                   scm_c_string_length (octets));
      return;
    }
  std::size_t size;
  char *bytes = scm_to_latin1_stringn (octets, &size);
  std::memcpy (out, bytes, size);
  std::free (bytes);
}

}
