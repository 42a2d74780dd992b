// SPDX-License-Identifier: GPL-3.0-or-later
// The plain data of the worker protocol: integers and strings on ports.
//
// Ports and strings are Guile's, and so is every call here: all of them stay
// in Guile mode, and none leaves anything behind when it raises.
#include "scheme/families.hh"
#include "scheme/octets.hh"

#include <algorithm>
#include <array>

namespace fruix::scheme {

constexpr std::size_t word_size = 8;

using word = std::array<unsigned char, word_size>;

static void
store_word (std::uint64_t value, unsigned char *out)
{
  for (std::size_t i = 0; i < word_size; i++)
    out[i] = static_cast<unsigned char> (value >> (8 * i));
}

static std::uint64_t
load_word (const word &bytes)
{
  std::uint64_t value = 0;
  for (std::size_t i = word_size; i-- > 0;)
    value = value << 8 | bytes[i];
  return value;
}

static constexpr std::size_t
padded (std::size_t size)
{
  return (size + word_size - 1) / word_size * word_size;
}

static SCM
read_word_ (SCM port)
{
  word bytes;
  if (scm_c_read (port, bytes.data (), bytes.size ()) < bytes.size ())
    return SCM_EOF_VAL;
  return encode (load_word (bytes));
}

static SCM
write_word_ (SCM port, SCM value)
{
  word bytes;
  store_word (scm_to_uint64 (value), bytes.data ());
  scm_c_write (port, bytes.data (), bytes.size ());
  return SCM_UNSPECIFIED;
}

// What is read or written in one piece: most strings are names of files.
constexpr std::size_t piece_size = 4096;

static SCM
read_padded_ (SCM port, SCM length)
{
  char bytes[piece_size];
  std::size_t size = scm_to_unsigned_integer (length, 0, piece_size);
  if (scm_c_read (port, bytes, padded (size)) < padded (size))
    return SCM_EOF_VAL;
  if (std::any_of (bytes + size, bytes + padded (size),
                   [] (char byte) { return byte != 0; }))
    return SCM_BOOL_F;
  return scm_from_latin1_stringn (bytes, size);
}

static std::size_t
framed_size (SCM octets)
{
  return word_size + padded (scm_c_string_length (octets));
}

static std::size_t
total_framed_size (SCM strings)
{
  std::size_t total = 0;
  for (; scm_is_pair (strings); strings = scm_cdr (strings))
    total += framed_size (scm_car (strings));
  return total;
}

// Write OCTETS, framed, to OUT, which is all zeros; return what follows it.
static unsigned char *
frame (SCM octets, unsigned char *out)
{
  store_word (scm_c_string_length (octets), out);
  copy_octets (octets, out + word_size);
  return out + framed_size (octets);
}

// Write the framed STRINGS, TOTAL bytes, to OUT.
static void
frame_all (SCM strings, unsigned char *out, std::size_t total)
{
  std::memset (out, 0, total);
  for (; scm_is_pair (strings); strings = scm_cdr (strings))
    out = frame (scm_car (strings), out);
}

static SCM
write_octets_ (SCM port, SCM strings)
{
  if (!scm_is_true (scm_list_p (strings)))
    scm_wrong_type_arg_msg (nullptr, 0, strings, "list of strings");
  std::size_t total = total_framed_size (strings);
  if (total <= piece_size)
    {
      unsigned char bytes[piece_size];
      frame_all (strings, bytes, total);
      scm_c_write (port, bytes, total);
      return SCM_UNSPECIFIED;
    }
  // Memory of the collector's, as writing may not return.
  SCM bytevector = scm_c_make_bytevector (total);
  auto bytes = decode_bytes (bytevector);
  frame_all (strings, bytes.data (), total);
  scm_c_write (port, bytes.data (), total);
  scm_remember_upto_here_1 (bytevector);
  return SCM_UNSPECIFIED;
}

static const primitive table[] = {
  {"%read-word", 1, reinterpret_cast<void *> (read_word_),
   "Return the next 8 bytes on @var{port} as an unsigned integer, "
   "little-endian; the end-of-file object if the port ends before."},
  {"%write-word", 2, reinterpret_cast<void *> (write_word_),
   "Write @var{value}, an integer from 0 to 2^64 - 1, on @var{port} in 8 "
   "bytes, little-endian."},
  {"%read-padded", 2, reinterpret_cast<void *> (read_padded_),
   "Return the next @var{size} bytes on @var{port}, 4096 at most, as an "
   "octet string, having read the zeros after them up to a multiple of 8; "
   "@code{#f} if these are no zeros, the end-of-file object if the port ends "
   "before."},
  {"%write-octets", 2, reinterpret_cast<void *> (write_octets_),
   "Write @var{strings}, a list of octet strings, on @var{port}, one after the "
   "other as the worker protocol has them: the size in 8 bytes, the bytes, "
   "zeros up to a multiple of 8."},
};

void
define_wire_primitives ()
{
  define_primitives (table);
}

}
