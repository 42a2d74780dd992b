// SPDX-License-Identifier: GPL-3.0-or-later
// Record locks for Scheme.
#include "base/record_lock.hh"
#include "scheme/boundary.hh"
#include "scheme/families.hh"

#include <iterator>

namespace fruix::scheme {

static SCM
fcntl_setlk_ (SCM fd, SCM type)
{
  static constexpr short types[] = {F_UNLCK, F_RDLCK, F_WRLCK};
  int descriptor = scm_to_int (fd);
  auto index = scm_to_unsigned_integer (type, 0, std::size (types) - 1);
  return value_or_raise (act ("fcntl", [=]
    { return set_record_lock (descriptor, types[index]); }));
}

static const primitive table[] = {
  {"%fcntl-setlk", 2, reinterpret_cast<void *> (fcntl_setlk_),
   "Set the lock of this process on the whole file behind the descriptor "
   "@var{fd} to @var{type}: 0 for none, 1 to read, 2 to write.  Return "
   "@code{#f} if another process holds one that conflicts.  See "
   "@code{F_SETLK} in fcntl(2)."},
};

void
define_lock_primitives ()
{
  define_primitives (table);
}

}
