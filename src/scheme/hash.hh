// SPDX-License-Identifier: GPL-3.0-or-later
// Hashes in progress as Scheme holds them.
#pragma once

#include "archive/hash.hh"
#include "scheme/handle.hh"

namespace fruix::scheme {

inline constexpr handle_type<hasher> hash_type {"hash"};

// A new handle on the hash that BODY returns.
template <class Body>
SCM
wrap_hash (Body &&body)
{
  struct request
  {
    std::unique_ptr<hasher> result;
  };
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<struct request> ();
  auto result = act ("hash", [&] () -> outcome<void>
                       {
                         request.result = std::make_unique<hasher> (body ());
                         return {};
                       });
  SCM handle = result ? hash_type.wrap (request.result) : SCM_UNSPECIFIED;
  scm_dynwind_end ();
  value_or_raise (result);
  return handle;
}

}
