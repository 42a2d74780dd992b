// SPDX-License-Identifier: GPL-3.0-or-later
// Byte streams: hashes.
#include "scheme/families.hh"
#include "scheme/hash.hh"

namespace fruix::scheme {

struct open_hash_request
{
  std::string algorithm;
  std::unique_ptr<hasher> result;
};

static outcome<void>
open_hash (open_hash_request &request)
{
  int algorithm = hash_algorithm (request.algorithm);
  if (!algorithm)
    return failed ("hash", request.algorithm, ENOTSUP);
  request.result = std::make_unique<hasher> (algorithm);
  return {};
}

static SCM
open_hash_ (SCM algorithm)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<open_hash_request> ();
  decode (algorithm, request.algorithm);
  auto result = act ("hash", [&] { return open_hash (request); });
  SCM handle = result ? hash_type.wrap (request.result) : SCM_UNSPECIFIED;
  scm_dynwind_end ();
  value_or_raise (result);
  return handle;
}

static SCM
hash_update_ (SCM handle, SCM bytevector, SCM start, SCM count)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &hash = hash_type.hold (handle);
  auto bytes = decode_bytes (bytevector, start, count);
  auto result = act ("hash", [&] () -> outcome<void>
                       {
                         hash.update (bytes);
                         return {};
                       });
  scm_dynwind_end ();
  scm_remember_upto_here_1 (bytevector);
  return value_or_raise (result);
}

static SCM
hash_copy_ (SCM handle)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &hash = hash_type.hold (handle);
  SCM copy = wrap_hash ([&] { return hasher {hash}; });
  scm_dynwind_end ();
  return copy;
}

static SCM
hash_digest_ (SCM handle)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  digest result = hash_type.hold (handle).finish ();
  hash_type.close (handle);
  scm_dynwind_end ();
  return encode_bytes (result.bytes ());
}

static const primitive table[] = {
  {"%open-hash", 1, reinterpret_cast<void *> (open_hash_),
   "Return a new hash in progress under @var{algorithm}, a string such as "
   "@code{\"sha256\"}."},
  {"%hash-update", 4, reinterpret_cast<void *> (hash_update_),
   "Add to @var{hash} the @var{count} bytes of @var{bytevector} from "
   "@var{start}."},
  {"%hash-copy", 1, reinterpret_cast<void *> (hash_copy_),
   "Return a hash in progress that all was added to that was added to "
   "@var{hash}."},
  {"%hash-digest", 1, reinterpret_cast<void *> (hash_digest_),
   "Return the digest of all that was added to @var{hash}, a bytevector, and "
   "close @var{hash}."},
};

void
define_archive_primitives ()
{
  define_primitives (table);
}

}
