// SPDX-License-Identifier: GPL-3.0-or-later
// Octet strings and bytevectors: one copy of the bytes, either way.
#include "scheme/octets.hh"

#include "scheme/families.hh"

namespace fruix::scheme {

static SCM
bytes_to_octets_ (SCM bytevector)
{
  auto bytes = decode_bytes (bytevector);
  SCM octets = scm_from_latin1_stringn (
      reinterpret_cast<const char *> (bytes.data ()), bytes.size ());
  scm_remember_upto_here_1 (bytevector);
  return octets;
}

static SCM
octets_to_bytes_ (SCM octets)
{
  SCM bytevector = scm_c_make_bytevector (scm_c_string_length (octets));
  copy_octets (octets, SCM_BYTEVECTOR_CONTENTS (bytevector));
  return bytevector;
}

static const primitive table[] = {
  {"%bytes->octets", 1, reinterpret_cast<void *> (bytes_to_octets_),
   "Return a string whose characters are the bytes of @var{bytevector}."},
  {"%octets->bytes", 1, reinterpret_cast<void *> (octets_to_bytes_),
   "Return a bytevector of the characters of @var{octets}, a string, as "
   "bytes; one above 255 is an @code{encoding-error}."},
};

void
define_octet_primitives ()
{
  define_primitives (table);
}

}
