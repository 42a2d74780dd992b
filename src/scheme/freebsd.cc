// SPDX-License-Identifier: GPL-3.0-or-later
// The primitives that only FreeBSD has.
#include "scheme/families.hh"

namespace fruix::scheme {

void
define_system_primitives ()
{
  define_jail_primitives ();
  define_mount_primitives ();
}

}
