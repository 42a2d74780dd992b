// SPDX-License-Identifier: GPL-3.0-or-later
// What the filter of system calls must refuse a program, and what it must
// not; in the current directory, which is empty.
#include "escape.hh"

#include <sys/stat.h>

int
main ()
{
  ::umask (0);
  attempt_set_ids ();
  attempt_sockets ();
  attempt_namespaces ();
  attempt_privileges ();
  attempt_other_machines ();
  attempt_work ();
}
