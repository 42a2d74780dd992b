// SPDX-License-Identifier: GPL-3.0-or-later
// What the primitives on trees and on archives have in common: how digests
// are asked for, and how a summary looks in Scheme.
#pragma once

#include "archive/digester.hh"
#include "scheme/boundary.hh"

namespace fruix::scheme {

struct digest_request
{
  std::string algorithm;  // or ""
  digester_options options;
};

// Decode ALGORITHM, a string or #f, and FLAT, a Boolean.
inline void
decode (SCM algorithm, SCM flat, digest_request &request)
{
  if (scm_is_true (algorithm))
    decode (algorithm, request.algorithm);
  request.options.flat = scm_is_true (flat);
}

// Outside Guile mode: look the algorithm up.
inline outcome<void>
resolve (digest_request &request)
{
  if (request.algorithm.empty ())
    return {};
  request.options.algorithm = hash_algorithm (request.algorithm);
  if (!request.options.algorithm)
    return failed ("hash", request.algorithm, ENOTSUP);
  return {};
}

// The list (HASH SIZE DIGEST TYPE EXECUTABLE?).
inline SCM
encode (const tree_summary &summary)
{
  const char *type = summary.type == event_kind::directory ? "directory"
                     : summary.type == event_kind::symlink ? "symlink"
                                                           : "regular";
  return scm_list_5 (encode_bytes (summary.hash.bytes ()),
                     encode (summary.size),
                     summary.extra.size
                         ? encode_bytes (summary.extra.bytes ())
                         : SCM_BOOL_F,
                     scm_from_utf8_symbol (type),
                     encode (summary.executable));
}

}
