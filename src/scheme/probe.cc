// SPDX-License-Identifier: GPL-3.0-or-later
// The primitive that finds out what this system can do.
#include "process/probe.hh"

#include "scheme/boundary.hh"
#include "scheme/families.hh"

namespace fruix::scheme {

struct probe_request
{
  std::string name;
  std::string subject;
};

static SCM
probe_ (SCM name, SCM subject)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<probe_request> ();
  decode (name, request.name);
  decode (subject, request.subject);
  auto result = act ("probe", [&]
    { return run_probe (request.name, request.subject.c_str ()); });
  scm_dynwind_end ();
  return value_or_raise (result);
}

static const primitive table[] = {
  {"%probe", 2, reinterpret_cast<void *> (probe_),
   "Try out whether this system can do @var{name}, a string, with "
   "@var{subject}, a string whose meaning depends on it.  Return an integer, "
   "0 where there is nothing to measure.  A @code{system-error} says which "
   "call failed, and how; @code{ENOSYS} is that of a name that this system "
   "has no probe for."},
};

void
define_probe_primitives ()
{
  define_primitives (table);
}

}
