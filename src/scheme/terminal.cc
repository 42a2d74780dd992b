// SPDX-License-Identifier: GPL-3.0-or-later
// Primitives on terminals.
#include "process/terminal.hh"

#include "scheme/boundary.hh"
#include "scheme/families.hh"

namespace fruix::scheme {

static SCM
posix_openpt_ (SCM model)
{
  auto sides = make_terminal (scm_to_int (model));
  if (!sides)
    raise (sides.error ());
  return scm_cons (scm_from_int (sides->first), scm_from_int (sides->second));
}

static SCM
relay_terminal_ (SCM user, SCM master, SCM process)
{
  int theirs = scm_to_int (user), ours = scm_to_int (master);
  int ending = decode_descriptor (process);
  return value_or_raise (act ("relay-terminal", [=]
    { return relay_terminal (theirs, ours, ending); }));
}

static const primitive table[] = {
  {"%posix-openpt", 1, reinterpret_cast<void *> (posix_openpt_),
   "Return a pair: the descriptors of the master and of the slave side of a "
   "new pseudo-terminal, which has the size and the mode of the terminal "
   "whose descriptor is @var{model}.  Both are close-on-exec.  See "
   "posix_openpt(3)."},
  {"%relay-terminal", 3, reinterpret_cast<void *> (relay_terminal_),
   "Copy between the terminal @var{user}, put into raw mode meanwhile, and "
   "the pseudo-terminal whose master side is @var{master}, until either "
   "hangs up or @var{process}, a process descriptor or @code{#f}, tells "
   "that its process has ended.  All are descriptors.  See termios(3) or "
   "termios(4)."},
};

void
define_terminal_primitives ()
{
  define_primitives (table);
}

}
