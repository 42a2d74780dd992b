// SPDX-License-Identifier: GPL-3.0-or-later
// What there is of Landlock, for Scheme.
#include "process/platform.hh"

#include "scheme/boundary.hh"
#include "scheme/families.hh"

namespace fruix::scheme {

static SCM
landlock_abi_ ()
{
  return encode (landlock_version ());
}

static const primitive table[] = {
  {"%landlock-abi", 0, reinterpret_cast<void *> (landlock_abi_),
   "Return the version of the kernel's Landlock interface, an integer "
   "(landlock(7)); 0 where there is none, or another kernel."},
};

void
define_landlock_primitives ()
{
  define_primitives (table);
}

}
