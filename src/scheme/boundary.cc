// SPDX-License-Identifier: GPL-3.0-or-later
#include "scheme/boundary.hh"

#include "base/printable.hh"
#include "base/utf8.hh"

#include <cstdlib>

namespace fruix::scheme {

thread_local int live_requests = 0;

void
raise (const fault &fault)
{
  SCM reason = scm_strerror (scm_from_int (fault.error));
  // Not everybody who passes a name on here has made it printable.
  printable object {fault.object, {}};
  bool named = !object.view ().empty ();
  SCM arguments = named ? scm_list_2 (encode (object.view ()), reason)
                        : scm_list_1 (reason);
  scm_error (scm_from_utf8_symbol ("system-error"), fault.who,
             named ? "~A: ~A" : "~A", arguments,
             scm_list_1 (scm_from_int (fault.error)));
  std::abort (); // scm_error does not return
}

fault
current_exception (const char *who) noexcept
{
  try
    {
      throw;
    }
  catch (const std::bad_alloc &)
    {
      return make_fault (who, "", ENOMEM);
    }
  catch (const std::system_error &error)
    {
      return make_fault (who, error.what (), error.code ().value ());
    }
  catch (const std::exception &error)
    {
      return make_fault (who, error.what (), EIO);
    }
  catch (...)
    {
      return make_fault (who, "unknown exception", EIO);
    }
}

// Move the C string CHARACTERS, from malloc, into OUT.  No Guile in between,
// so nothing can jump past the free; bad_alloc aborts, as libguile would.
static void
take (char *characters, std::size_t length, std::string &out) noexcept
{
  out.assign (characters, length);
  std::free (characters);
}

static void
assign (std::span<const std::uint8_t> bytes, std::string &out) noexcept
{
  out.assign (bytes.begin (), bytes.end ());
}

void
decode (SCM string, std::string &out)
{
  if (scm_is_bytevector (string))
    {
      auto bytes = decode_bytes (string);
      assign (bytes, out);
    }
  else
    {
      std::size_t length;
      char *characters = scm_to_utf8_stringn (string, &length);
      take (characters, length, out);
    }
  if (out.find ('\0') != std::string::npos)
    raise (make_fault ("decode", "string with an embedded NUL", EINVAL));
}

void
decode (SCM list, std::vector<std::string> &out)
{
  if (!scm_is_true (scm_list_p (list)))
    scm_wrong_type_arg_msg (nullptr, 0, list, "list of strings");
  for (SCM rest = list; scm_is_pair (rest); rest = scm_cdr (rest))
    decode (scm_car (rest), out.emplace_back ());
}

std::span<std::uint8_t>
decode_bytes (SCM bytevector)
{
  if (!scm_is_bytevector (bytevector))
    scm_wrong_type_arg_msg (nullptr, 0, bytevector, "bytevector");
  return {reinterpret_cast<std::uint8_t *> (
              SCM_BYTEVECTOR_CONTENTS (bytevector)),
          SCM_BYTEVECTOR_LENGTH (bytevector)};
}

std::span<std::uint8_t>
decode_bytes (SCM bytevector, SCM start, SCM count)
{
  auto bytes = decode_bytes (bytevector);
  std::size_t first = scm_to_size_t (start), length = scm_to_size_t (count);
  if (first > bytes.size () || length > bytes.size () - first)
    scm_out_of_range (nullptr, count);
  return bytes.subspan (first, length);
}

SCM
encode (std::string_view text)
{
  // Guile's own conversion raises an error for bad bytes where iconv is that
  // of FreeBSD.
  auto valid = valid_utf8 (text);
  return scm_from_utf8_stringn (valid.data (), valid.size ());
}

SCM
encode (const std::vector<std::string> &texts)
{
  SCM list = SCM_EOL;
  for (auto text = texts.rbegin (); text != texts.rend (); ++text)
    list = scm_cons (encode (std::string_view {*text}), list);
  return list;
}

SCM
encode_bytes (std::span<const std::uint8_t> bytes)
{
  SCM result = scm_c_make_bytevector (bytes.size ());
  if (!bytes.empty ())
    std::memcpy (SCM_BYTEVECTOR_CONTENTS (result), bytes.data (),
                 bytes.size ());
  return result;
}

void
define_primitives (std::span<const primitive> table)
{
  SCM documentation = scm_from_utf8_symbol ("documentation");
  for (auto &row : table)
    {
      SCM procedure = scm_c_define_gsubr (row.name, row.required, 0, 0,
                                          row.procedure);
      scm_set_procedure_property_x (procedure, documentation,
                                    scm_from_utf8_string (row.documentation));
      scm_c_export (row.name, nullptr);
    }
}

}
