// SPDX-License-Identifier: GPL-3.0-or-later
// Octet strings and bytevectors: one copy of the bytes, either way.
#include "scheme/boundary.hh"
#include "scheme/families.hh"

#include <cstdlib>
#include <cstring>

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
  std::size_t size;
  scm_dynwind_begin (scm_t_dynwind_flags {});
  char *bytes = scm_to_latin1_stringn (octets, &size);
  scm_dynwind_free (bytes);
  SCM bytevector = scm_c_make_bytevector (size);
  if (size > 0)
    std::memcpy (SCM_BYTEVECTOR_CONTENTS (bytevector), bytes, size);
  scm_dynwind_end ();
  return bytevector;
}

// A string of the worker protocol: its size, its bytes, zeros up to a multiple
// of 8.
static constexpr std::size_t
framed_size (std::size_t size)
{
  return 8 + (size + 7) / 8 * 8;
}

static std::size_t
total_framed_size (SCM strings)
{
  std::size_t total = 0;
  for (; scm_is_pair (strings); strings = scm_cdr (strings))
    total += framed_size (scm_c_string_length (scm_car (strings)));
  return total;
}

// Write OCTETS, framed, to OUT, which is all zeros; return what follows it.
static unsigned char *
frame (SCM octets, unsigned char *out)
{
  std::size_t size;
  char *bytes = scm_to_latin1_stringn (octets, &size);
  for (int i = 0; i < 8; i++)
    out[i] = static_cast<unsigned char> (size >> (8 * i));
  std::memcpy (out + 8, bytes, size);
  std::free (bytes);
  return out + framed_size (size);
}

static SCM
frame_octets_ (SCM strings)
{
  if (!scm_is_true (scm_list_p (strings)))
    scm_wrong_type_arg_msg (nullptr, 0, strings, "list of strings");
  SCM bytevector = scm_c_make_bytevector (total_framed_size (strings));
  auto *out = reinterpret_cast<unsigned char *> (
      SCM_BYTEVECTOR_CONTENTS (bytevector));
  std::memset (out, 0, SCM_BYTEVECTOR_LENGTH (bytevector));
  for (; scm_is_pair (strings); strings = scm_cdr (strings))
    out = frame (scm_car (strings), out);
  scm_remember_upto_here_1 (bytevector);
  return bytevector;
}

static const primitive table[] = {
  {"%bytes->octets", 1, reinterpret_cast<void *> (bytes_to_octets_),
   "Return a string whose characters are the bytes of @var{bytevector}."},
  {"%octets->bytes", 1, reinterpret_cast<void *> (octets_to_bytes_),
   "Return a bytevector of the characters of @var{octets}, a string, as "
   "bytes; one above 255 is an @code{encoding-error}."},
  {"%frame-octets", 1, reinterpret_cast<void *> (frame_octets_),
   "Return a bytevector of @var{strings}, a list of octet strings, one after "
   "the other as the worker protocol has them: the size in 8 bytes, the "
   "bytes, zeros up to a multiple of 8."},
};

void
define_octet_primitives ()
{
  define_primitives (table);
}

}
