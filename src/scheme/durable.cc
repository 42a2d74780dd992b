// SPDX-License-Identifier: GPL-3.0-or-later
// Power cuts, for Scheme.
#include "scheme/boundary.hh"
#include "scheme/families.hh"
#include "tree/durable.hh"

namespace fruix::scheme {

struct durable_request
{
  int directory;
  std::vector<std::string> names;
};

static SCM
make_durable_ (SCM directory, SCM names)
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<durable_request> ();
  request.directory = scm_to_int (directory);
  decode (names, request.names);
  auto result = act ("make_durable", [&]
    { return make_durable (request.directory, request.names); });
  scm_dynwind_end ();
  return value_or_raise (result);
}

struct boot_request
{
  std::string result;
};

static SCM
identify_boot_ ()
{
  scm_dynwind_begin (scm_t_dynwind_flags {});
  auto &request = make_request<boot_request> ();
  auto result = act ("identify_boot", [&]
    { return identify_boot (request.result); });
  SCM text = result ? encode (request.result) : SCM_BOOL_F;
  scm_dynwind_end ();
  return result ? text : value_or_raise (result);
}

static const primitive table[] = {
  {"%make-durable", 2, reinterpret_cast<void *> (make_durable_),
   "Wait until the trees @var{names}, a list of strings, in the directory "
   "with descriptor @var{directory} are on the disk.  See syncfs(2), or "
   "fsync(2) on FreeBSD."},
  {"%identify-boot", 0, reinterpret_cast<void *> (identify_boot_),
   "Return a string that no other start of the system has.  See random(4), "
   "or sysctl(3) on FreeBSD."},
};

void
define_durable_primitives ()
{
  define_primitives (table);
}

}
