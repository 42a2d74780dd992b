// SPDX-License-Identifier: GPL-3.0-or-later
// The boundary between C++ and Scheme: decode, act, encode.
//
// Guile leaves a procedure by longjmp: from any type check, conversion or
// allocation.  A C++ destructor that would have to run then never does, and a
// C++ exception that reaches Guile aborts the process.  Every entry point is
// therefore written in three phases, and in no other way:
//
//   scm_dynwind_begin ({});
//   auto &request = make_request<mount_request> ();  // owned by the dynwind
//   decode (...);                      // may longjmp: no destructible locals
//   auto result = act ("nmount", [&] { return perform (request); });
//   scm_dynwind_end ();                              // frees the request
//   return value_or_raise (result);
//
// 'act' leaves Guile mode, so the body must not touch any SCM.  A result that
// owns memory stays in the request and is encoded before 'scm_dynwind_end'.
//
// Only files in src/scheme/ include this header, and it alone includes
// <libguile.h>.
#pragma once

#include "base/outcome.hh"

#include <cstdint>
#include <libguile.h>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <vector>

namespace fruix::scheme {

// Number of requests alive; zero between calls, whatever happened in them.
// The tests read it with %live-requests.
extern thread_local int live_requests;

// Raise FAULT as the 'system-error' that Guile's own system calls raise.
[[noreturn]] void raise (const fault &fault);

// Allocate a T that the current dynwind context owns.
template <class T>
T &
make_request ()
{
  T *request = new (std::nothrow) T {};
  if (!request)
    raise (make_fault ("make-request", "", ENOMEM));
  ++live_requests;
  scm_dynwind_unwind_handler (
      [] (void *pointer)
        {
          delete static_cast<T *> (pointer);
          --live_requests;
        },
      request, SCM_F_WIND_EXPLICITLY);
  return *request;
}

// The fault that stands for the C++ exception being handled.
fault current_exception (const char *who) noexcept;

// Run BODY, which returns an outcome and touches no SCM, outside Guile mode;
// a C++ exception becomes a fault.
template <class Body>
auto
act (const char *who, Body &&body) noexcept -> decltype (body ())
{
  using result_type = decltype (body ());
  struct call
  {
    const char *who;
    Body &body;
    result_type result;
  } call {who, body, failed (who, "", ECANCELED)};
  scm_without_guile (
      [] (void *pointer) -> void *
        {
          auto &call = *static_cast<struct call *> (pointer);
          try
            {
              call.result = call.body ();
            }
          catch (...)
            {
              call.result = std::unexpected {current_exception (call.who)};
            }
          return nullptr;
        },
      &call);
  return call.result;
}

// Decoding.  Each may leave by longjmp; OUT belongs to a request.

// Copy STRING: a string, as UTF-8, or a bytevector, as it is, for names and
// values that need not be text.  An embedded NUL is refused.
void decode (SCM string, std::string &out);
// Copy a list of strings.
void decode (SCM list, std::vector<std::string> &out);

// A descriptor, or -1 for #f.
inline int
decode_descriptor (SCM descriptor)
{
  return scm_is_true (descriptor) ? scm_to_int (descriptor) : -1;
}

// The bytes of BYTEVECTOR, valid while the caller keeps it on its stack.
std::span<std::uint8_t> decode_bytes (SCM bytevector);
// The COUNT bytes of BYTEVECTOR from START; out-of-range if they are not there.
std::span<std::uint8_t> decode_bytes (SCM bytevector, SCM start, SCM count);

// Encoding.

inline SCM encode (bool value) { return scm_from_bool (value); }
inline SCM encode (int value) { return scm_from_int (value); }
inline SCM encode (std::int64_t value) { return scm_from_int64 (value); }
inline SCM encode (std::uint64_t value) { return scm_from_uint64 (value); }
// Bytes that are not UTF-8 become U+FFFD.
SCM encode (std::string_view text);
SCM encode (const std::vector<std::string> &texts);
SCM encode_bytes (std::span<const std::uint8_t> bytes);

// Raise RESULT's fault, or return its value for Scheme.
template <class T>
SCM
value_or_raise (const outcome<T> &result)
{
  static_assert (std::is_trivially_destructible_v<outcome<T>>,
                 "a result that owns memory stays in the request");
  if (!result)
    raise (result.error ());
  if constexpr (std::is_void_v<T>)
    return SCM_UNSPECIFIED;
  else
    return encode (*result);
}

// One row of a family's table.
struct primitive
{
  const char *name;           // with '%', after the system call it makes
  int required;               // number of arguments; there are no optional ones
  void *procedure;            // SCM (*) (SCM...)
  const char *documentation;  // Texinfo
};

// Define and export every row of TABLE in the current module.
void define_primitives (std::span<const primitive> table);

}
