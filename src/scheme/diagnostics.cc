// SPDX-License-Identifier: GPL-3.0-or-later
// Primitives through which the tests watch the boundary itself.
#include "scheme/boundary.hh"
#include "scheme/families.hh"

namespace fruix::scheme {

static SCM
live_requests_ ()
{
  return scm_from_int (live_requests);
}

struct trial_request
{
  std::vector<std::string> texts;
  std::string failure;
};

static outcome<int>
fail_as_told (const trial_request &request)
{
  if (request.failure == "errno")
    return failed ("trial", request.texts.empty () ? "" : request.texts[0],
                   ENOENT);
  if (request.failure == "bad_alloc")
    throw std::bad_alloc {};
  if (request.failure == "system_error")
    throw std::system_error {EACCES, std::generic_category ()};
  if (request.failure == "other")
    throw 42;
  return static_cast<int> (request.texts.size ());
}

static SCM
boundary_trial_ (SCM texts, SCM failure)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<trial_request> ();
  decode (failure, request.failure);
  decode (texts, request.texts);
  auto result = act ("trial", [&] { return fail_as_told (request); });
  scm_dynwind_end ();
  return value_or_raise (result);
}

static const primitive table[] = {
  {"%live-requests", 0, reinterpret_cast<void *> (live_requests_),
   "Return the number of requests alive in this thread: zero between calls "
   "of primitives, whatever happened in them."},
  {"%boundary-trial", 2, reinterpret_cast<void *> (boundary_trial_),
   "Decode @var{texts}, a list of strings, then end as @var{failure} says: "
   "@code{\"errno\"}, @code{\"bad_alloc\"}, @code{\"system_error\"}, "
   "@code{\"other\"}, or @code{\"\"} for success, which returns the length "
   "of @var{texts}.  It exists so that the tests can take every way out of "
   "a primitive."},
};

void
define_boundary_primitives ()
{
  define_primitives (table);
}

}
